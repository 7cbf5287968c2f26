import ArgumentParser
import Fairlead

struct ConnectionsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "connections", abstract: "The accounts that were connected.",
    subcommands: [List.self, Show.self, Add.self, Refresh.self, Disconnect.self],
    defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List connections, newest first.")

    @Option(help: "Only of this integration.")
    var integration: String?
    @Option(help: "Only of this owner.")
    var owner: String?
    @Option(help: "Only in this state: active, needs_reauth or revoked.")
    var state: String?
    @OptionGroup var list: ListOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
      let found = try await server.withServer {
        try await $0.list(
          "/v1/connections",
          [("integration", integration), ("owner", owner), ("state", state)], list)
      }
      let now = SystemClock().now
      found.show(
        list,
        empty: "No connection yet. Make a link for a user: fairlead connect INTEGRATION --owner ID",
        columns: [
          .text("id"), .text("integration"), .flexible("owner"), .flexible("account"),
          .text("state"), .text("expires"), .text("created"),
        ]
      ) { item in
        [
          .init(item["id"]?.string), .init(item["integration"]?.string),
          .init(item["owner"]?.string), .init(Account.label(item)),
          StatusWord.cell(item["state"]?.string),
          .init(RelativeTime.text(item["expires_at"], now: now)),
          .init(RelativeTime.text(item["created_at"], now: now)),
        ]
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "One connection.")

    @Argument(help: "The connection's id.")
    var id: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
      let answer = try await server.withServer {
        try await $0.get("/v1/connections/\(pathSegment(id))")
      }
      show(answer, output)
    }
  }

  struct Refresh: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Refresh a connection's token now.")

    @Argument(help: "The connection's id.")
    var id: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
      let answer = try await server.withServer {
        try await $0.post("/v1/connections/\(pathSegment(id))/refresh")
      }
      show(answer, output)
    }
  }

  struct Disconnect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "End a connection: at the provider as far as it allows, and here.")

    @Argument(help: "The connection's id.")
    var id: String
    @Flag(help: "Do not ask.")
    var yes = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
      try await server.withServer { client in
        let path = "/v1/connections/\(pathSegment(id))"
        if !yes, !output.json, Terminal.isInteractive {
          let connection = try await client.get(path).json
          let whose = PrintableText.line(connection["owner"]?.string ?? "this deployment")
          let integration = PrintableText.line(connection["integration"]?.string ?? "")
          guard
            Terminal.confirms(
              "Disconnect \(integration) of \(whose)? Calls for them fail until they connect again."
            )
          else {
            Console.line("Nothing was changed.")
            return
          }
        }
        let answer = try await client.delete(path)
        if output.json { return Console.answer(answer.bytes) }
        Console.line(PrintableText.line(answer.json["message"]?.string ?? "Disconnected."))
      }
    }
  }

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Connect an account with its key, which is checked with the provider first.")

    @Argument(help: "The integration.")
    var integration: String
    @OptionGroup var account: AccountOptions
    @OptionGroup var credential: CredentialOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var server: ServerOptions

    func validate() throws {
      guard credential.isGiven else {
        throw ValidationError(
          "Say how the credential comes: --api-key-stdin, --username with --password-stdin, or "
            + "--credentials-stdin.")
      }
    }

    func run() async throws {
      let answer = try await addConnection(integration, account, credential, server)
      if output.json { return Console.answer(answer.bytes) }
      Account.tellConnected(answer.json)
    }
  }
}

private func show(_ answer: ServerClient.Answer, _ output: OutputOptions) {
  if output.json { return Console.answer(answer.bytes) }
  Account.tell(answer.json, now: SystemClock().now)
}

private func addConnection(
  _ integration: String, _ account: AccountOptions, _ credential: CredentialOptions,
  _ server: ServerOptions
) async throws -> ServerClient.Answer {
  try await server.withServer { try await $0.addConnection(integration, account, credential) }
}
