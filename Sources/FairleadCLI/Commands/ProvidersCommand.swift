import ArgumentParser
import Fairlead
import Foundation

struct ProvidersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "providers", abstract: "Provider definitions.",
    subcommands: [List.self, Show.self, Lint.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The definitions there are: the catalog and the configured folder.")

    @Option(name: .long, help: "The configuration file; fairlead.yaml when it is there.")
    var config: String?

    func run() throws {
      let definitions = try Deployment.definitions(try Deployment.configuration(file: config))
      Console.table(
        ["name", "provider", "authorisation", "webhooks", "purpose"],
        definitions.map {
          [
            $0.name, $0.displayName, $0.auth.word, $0.webhook == nil ? "no" : "yes", $0.purpose,
          ]
        })
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "One definition, and how to set it up.")

    @Argument(help: "The definition's name.")
    var name: String

    @Option(name: .long, help: "The configuration file; fairlead.yaml when it is there.")
    var config: String?

    func run() throws {
      let definitions = try Deployment.definitions(try Deployment.configuration(file: config))
      guard let definition = definitions.first(where: { $0.name == name }) else {
        throw CommandFailure(
          "there is no definition named \(name). `fairlead providers list` shows those there are.")
      }
      Console.line("\(Console.styled(definition.displayName, .bold)) (\(definition.name))")
      Console.line(definition.purpose)
      Console.line()
      let facts: [(String, String?)] = [
        ("origin", definition.baseURL), ("authorisation", definition.auth.word),
        ("documentation", definition.docs), ("dashboard", definition.dashboard),
        ("attempts", "\(definition.retry.attempts)"),
        ("idempotency", definition.idempotency?.header),
        ("webhook", definition.webhook.map { "\($0.scheme.rawValue), header \($0.header)" }),
      ]
      for (label, value) in facts {
        if let value {
          Console.line(label.padding(toLength: 16, withPad: " ", startingAt: 0) + value)
        }
      }
      if !definition.setup.isEmpty {
        Console.line()
        Console.line("Set up:")
        for (index, step) in definition.setup.enumerated() {
          Console.line("  \(index + 1). \(step)")
        }
      }
    }
  }

  struct Lint: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check definition files, each problem with its file and line.")

    @Argument(help: "Files or folders; the configured folder when absent.")
    var paths: [String] = []

    @Option(name: .long, help: "The configuration file; fairlead.yaml when it is there.")
    var config: String?

    func run() throws {
      var paths = paths
      if paths.isEmpty {
        guard let folder = try Deployment.configuration(file: config).definitionsFolder else {
          throw CommandFailure(
            "name a file or folder, or set `definitions:` in fairlead.yaml.")
        }
        paths = [folder]
      }
      var files = 0
      var errors = 0
      var warnings = 0
      for file in try paths.flatMap(Self.files) {
        files += 1
        guard let text = String(data: try Self.contents(of: file), encoding: .utf8) else {
          throw CommandFailure("\(file) is not UTF-8 text.")
        }
        do {
          for warning in try DefinitionLint.warnings(yaml: text, file: file) {
            warnings += 1
            Console.line("\(warning) (warning)")
          }
        } catch {
          errors += error.problems.count
          Console.line("\(error)")
        }
      }
      Console.line(
        "\(Self.count(files, "file")), \(Self.count(errors, "error")), "
          + "\(Self.count(warnings, "warning"))")
      if errors > 0 { throw ExitCode(1) }
    }

    private static func count(_ number: Int, _ noun: String) -> String {
      "\(number) \(noun)\(number == 1 ? "" : "s")"
    }

    /// The definition files of a path, itself when it is one.
    private static func files(of path: String) throws -> [String] {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
        throw CommandFailure("there is no file or folder \(path).")
      }
      guard isFolder.boolValue else { return [path] }
      return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        .filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.map { "\(path)/\($0)" }
    }

    private static func contents(of file: String) throws -> Data {
      guard let data = FileManager.default.contents(atPath: file) else {
        throw CommandFailure("\(file) cannot be read.")
      }
      return data
    }
  }
}

extension ProviderDefinition.Auth {
  /// What a person does to connect.
  fileprivate var word: String {
    switch self {
    case .oauth2Code: "OAuth 2"
    case .apiKey: "API key"
    case .basic: "user and password"
    case .none: "none"
    }
  }
}
