import Configuration

/// The environment and the `.env` files behind it. An empty variable counts as not set.
final class EnvironmentLayers {
  private let reader: ConfigReader
  private let environment: [String: String]
  private let files: [DotEnvFile]
  private let log = ProblemLog(file: "")
  private var fileProblems: [FileProblem] = []

  init(environment: [String: String], dotEnv: [(file: String, text: String)]) {
    var files: [DotEnvFile] = []
    for (file, text) in dotEnv {
      let log = ProblemLog(file: file)
      files.append(DotEnvFile(text, file: file, log: log))
      fileProblems += log.sorted
    }
    self.environment = environment
    self.files = files
    let layers = [environment] + files.map(\.values)
    reader = ConfigReader(
      providers: layers.map { layer in
        EnvironmentVariablesProvider(
          environmentVariables: layer.filter { !$0.value.isEmpty },
          secretsSpecifier: .specific(EnvironmentVariable.secretNames))
      })
    refuseUnknown()
  }

  /// What is wrong with variables, each with the file it is in where it is in one.
  var problems: [FileProblem] { fileProblems }

  /// The text of a variable for `${NAME}`, empty ones included.
  func raw(_ name: String) -> String? {
    if let value = environment[name] { return value }
    return files.lazy.compactMap { $0.values[name] }.first
  }

  func isSet(_ variable: EnvironmentVariable) -> Bool {
    reader.string(forKey: variable.key, isSecret: variable.isSecret) != nil
  }

  /// The variable's value as `rule` reads it; a fault is noted and gives `nil`.
  func value<Value>(
    _ variable: EnvironmentVariable, _ rule: (String) throws(SettingFault) -> Value
  ) -> Value? {
    guard let text = reader.string(forKey: variable.key, isSecret: variable.isSecret) else {
      return nil
    }
    do throws(SettingFault) {
      return try rule(text)
    } catch {
      report(variable.rawValue, error.message)
      return nil
    }
  }

  func report(_ name: String, _ message: String) {
    let inEnvironment = environment[name].map { !$0.isEmpty } ?? false
    let file = inEnvironment ? nil : files.first { !($0.values[name] ?? "").isEmpty }
    fileProblems.append(
      FileProblem(
        file: file?.file ?? "environment", line: file?.lines[name], key: name, message: message))
  }

  /// A misspelt setting that is silently ignored is how a server runs with the wrong one.
  private func refuseUnknown() {
    let known = EnvironmentVariable.allCases.map(\.rawValue).filter { $0.hasPrefix("FAIRLEAD_") }
    let names = Set(environment.keys).union(files.flatMap(\.values.keys))
    for name in names.sorted() where name.hasPrefix("FAIRLEAD_") {
      if known.contains(name) || EnvironmentVariable.ofScripts.contains(name) { continue }
      let shown = String(name.prefix(80))
      if let guess = Suggestion.closest(to: name, among: known) {
        report(shown, "unknown variable; did you mean \(guess)?")
      } else {
        report(shown, "unknown variable; remove it. docs/configuration.md lists the known ones.")
      }
    }
  }
}
