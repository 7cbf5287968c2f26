import Fairlead

enum ConfigurationSamples {
  static func load(
    _ environment: [String: String] = [:], dotEnv: String? = nil, devVars: String? = nil,
    yaml: String? = nil
  ) throws -> FairleadConfiguration {
    var files: [(file: String, text: String)] = []
    if let dotEnv { files.append((".env", dotEnv)) }
    if let devVars { files.append((".dev.vars", devVars)) }
    return try FairleadConfiguration.load(
      environment: environment, dotEnv: files, yaml: yaml.map { ("fairlead.yaml", $0) })
  }

  /// The message of the error; empty when it loads.
  static func message(
    _ environment: [String: String] = [:], dotEnv: String? = nil, yaml: String? = nil
  ) -> String {
    do {
      let configuration = try load(environment, dotEnv: dotEnv, yaml: yaml)
      _ = try configuration.integrations(catalog: DefinitionLoader.catalog())
      return ""
    } catch let error as FairleadError {
      return error.code == .configurationError ? error.message : "wrong code \(error.code)"
    } catch {
      return "wrong error \(error)"
    }
  }
}
