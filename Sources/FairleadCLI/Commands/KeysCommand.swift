import ArgumentParser
import Fairlead
import Foundation

struct KeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "API keys and vault keys.",
    subcommands: [Create.self, List.self, Revoke.self, GenerateVaultKey.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make an API key. It is shown once.")

    @Option(help: "What the key is for, as lists show it.")
    var name: String

    @Option(
      help:
        "What it may do, comma-separated: \(Scope.all.map(\.rawValue).joined(separator: ", ")). All but tokens when absent."
    )
    var scope: String?

    @Option(name: .long, help: "The configuration file; fairlead.yaml when it is there.")
    var config: String?

    @Flag(help: "Print {\"id\", \"key\"} for scripts.")
    var json = false

    func validate() throws {
      do {
        _ = try scope?.split(separator: ",").map { try Scope(named: String($0)) }
      } catch let error as FairleadError {
        throw ValidationError(error.message)
      }
    }

    func run() async throws {
      let scopes =
        try scope.map { try $0.split(separator: ",").map { try Scope(named: String($0)) } }
        ?? Scope.usual
      try await withKeys(config) { keys in
        let (key, secret) = try await keys.create(name: name, scopes: scopes)
        if json {
          let shape: JSONValue = [
            "id": .string(key.id.rawValue), "key": .string(secret.expose()),
          ]
          Console.line(shape.text)
        } else {
          Console.line("Key \(key.id) “\(key.name)”. Keep it: it is not shown again.")
          Console.line(secret.expose())
        }
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "The API keys there are.")

    @Option(name: .long, help: "The configuration file; fairlead.yaml when it is there.")
    var config: String?

    @Flag(help: "Print JSON for scripts.")
    var json = false

    func run() async throws {
      try await withKeys(config) { keys in
        let all = try await keys.list()
        if json {
          let shape: JSONValue = [
            "data": .array(
              all.map {
                [
                  "id": .string($0.id.rawValue), "name": .string($0.name),
                  "scopes": .array($0.scopes.map { .string($0.rawValue) }),
                  "created_at": .string($0.createdAt.rfc3339),
                ]
              })
          ]
          Console.line(shape.text)
        } else if all.isEmpty {
          Console.line("No API key yet. Make one: fairlead keys create --name my-app")
        } else {
          Console.table(
            ["id", "name", "scopes", "created"],
            all.map {
              [
                $0.id.rawValue, $0.name, $0.scopes.map(\.rawValue).joined(separator: ","),
                $0.createdAt.rfc3339,
              ]
            })
        }
      }
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "End an API key.")

    @Argument(help: "The key's id, as `keys list` shows it.")
    var id: String

    @Option(name: .long, help: "The configuration file; fairlead.yaml when it is there.")
    var config: String?

    func run() async throws {
      try await withKeys(config) { keys in
        guard try await keys.revoke(APIKeyID(rawValue: id)) else {
          throw CommandFailure("there is no key \(id). `fairlead keys list` shows those there are.")
        }
        Console.line("Revoked \(id).")
      }
    }
  }

  struct GenerateVaultKey: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "generate-vault-key",
      abstract:
        "Make a vault key, for FAIRLEAD_VAULT_KEYS. Losing it loses every stored credential."
    )

    @Option(help: "The key's id; the month it was made by default.")
    var id: String?

    func run() throws {
      let month = SystemClock().now.rfc3339.prefix(7)
      Console.line(try KeyRing.generate(id: id ?? "k\(month)"))
    }
  }
}

/// Opens the deployment's database for a command on its API keys.
private func withKeys(_ config: String?, _ body: (APIKeys) async throws -> Void) async throws {
  let configuration = try Deployment.configuration(file: config)
  let database = try await Deployment.openDatabase(configuration)
  do {
    try await Migrator.apply(Fairlead.migrations, to: database, clock: SystemClock())
    try await body(
      APIKeys(
        database: database, adminKey: configuration.adminKey, clock: SystemClock(),
        random: .system))
  } catch {
    // The command's own failure is the one to tell.
    try? await database.close()
    throw error
  }
  try await database.close()
}
