import Foundation

extension FairleadConfiguration {
  /// Reads a configuration from texts alone.
  /// - Parameters:
  ///   - dotEnv: files behind the environment, the first one first.
  ///   - yaml: `fairlead.yaml`, where there is one.
  /// - Throws: `FairleadError` (`configurationError`) with every problem, a line each. No message
  ///   holds the value of a secret or of a variable.
  public static func load(
    environment: [String: String], dotEnv: [(file: String, text: String)],
    yaml: (file: String, text: String)?
  ) throws -> FairleadConfiguration {
    let layers = EnvironmentLayers(environment: environment, dotEnv: dotEnv)
    var configuration = FairleadConfiguration()
    var problems: [FileProblem] = []
    if let yaml, !yaml.text.allSatisfy(\.isWhitespace) {
      let log = ProblemLog(file: yaml.file)
      do throws(FileProblem) {
        let root = try YAMLDocument.parse(
          yaml.text, file: yaml.file, variables: VariableExpansion(value: layers.raw))
        ConfigurationParser(log: log).read(root, into: &configuration)
        problems += log.sorted
      } catch {
        problems.append(error)
      }
    }
    configuration.apply(layers)
    problems = layers.problems + problems
    guard problems.isEmpty else {
      throw FairleadError(
        .configurationError, problems.map(\.description).joined(separator: "\n"))
    }
    return configuration
  }

  /// Reads `.env`, `.dev.vars` and `fairlead.yaml` of a folder.
  /// - Parameters:
  ///   - configFile: read instead of the folder's `fairlead.yaml`, and must exist. A relative path
  ///     of definitions in it starts at its own folder.
  ///   - environment: the process's own when `nil`.
  public static func load(
    directory: String, configFile: String? = nil,
    environment: [String: String]? = nil
  ) throws -> FairleadConfiguration {
    let files = FileManager.default
    let folder = URL(fileURLWithPath: directory)
    do {
      var dotEnv: [(file: String, text: String)] = []
      for name in [".env", ".dev.vars"] {
        let path = folder.appendingPathComponent(name).path
        if files.fileExists(atPath: path) {
          dotEnv.append((file: name, text: try TextFile.read(path)))
        }
      }
      var yaml: (file: String, text: String)?
      let path = configFile ?? folder.appendingPathComponent("fairlead.yaml").path
      if configFile != nil || files.fileExists(atPath: path) {
        yaml = (file: configFile ?? "fairlead.yaml", text: try TextFile.read(path))
      }
      var configuration = try load(
        environment: environment ?? ProcessInfo.processInfo.environment, dotEnv: dotEnv, yaml: yaml)
      if let definitions = configuration.definitionsFolder {
        let base = URL(fileURLWithPath: path).deletingLastPathComponent()
        configuration.definitionsFolder =
          URL(fileURLWithPath: definitions, relativeTo: base).standardizedFileURL.path
      }
      return configuration
    } catch let problem as FileProblem {
      throw FairleadError(.configurationError, problem.description)
    }
  }

  /// Lays the environment over what the file said.
  private mutating func apply(_ layers: EnvironmentLayers) {
    if let value = layers.value(.host, SettingRules.host) { host = value }
    if let value = layers.value(.port, SettingRules.port) { port = value }
    if let value = layers.value(.publicURL, SettingRules.publicURL) { publicURL = value }
    if let value = layers.value(.database, SettingRules.database) { database = value }
    if let value = layers.value(.corsOrigins, SettingRules.corsOrigins) { corsOrigins = value }
    if let value = layers.value(.allowPrivateNetworks, SettingRules.flag) {
      allowPrivateNetworks = value
    }
    if let value = layers.value(.logLevel, SettingRules.logLevel) { logLevel = value }
    adminKey = layers.value(.adminKey, SettingRules.secret)
    vaultKeys = layers.value(.vaultKeys, SettingRules.secret)
    vaultKeyFile = layers.value(.vaultKeyFile, SettingRules.filePath)
    if vaultKeys != nil, vaultKeyFile != nil {
      layers.report(
        EnvironmentVariable.vaultKeyFile.rawValue,
        "is set together with FAIRLEAD_VAULT_KEYS; keep one of the two.")
    }
    addClerkIssuer(layers)
    for builtIn in BuiltInIntegration.all {
      let index = integrations.firstIndex { $0.name == builtIn.name }
      // A name of the catalog that was given to another provider is none of its variables' business.
      if let index, integrations[index].provider != builtIn.name.rawValue { continue }
      guard
        let settings = builtIn.settings(
          over: index.map { integrations[$0] }, environment: layers)
      else { continue }
      if let index { integrations[index] = settings } else { integrations.append(settings) }
    }
    integrations.sort { $0.name < $1.name }
  }
}
