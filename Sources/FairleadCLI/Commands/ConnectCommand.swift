import ArgumentParser
import Fairlead

struct ConnectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "connect",
    abstract: "Connect an account: prints a one-time link and waits until it was used.",
    discussion: """
      The link leads to the hosted page, which says for whom it connects. An integration with API \
      keys can be connected here and now with --api-key-stdin.
      """)

  /// How often the server is asked.
  private static let pause: Duration = .seconds(1)

  @Argument(help: "The integration.")
  var integration: String
  @OptionGroup var account: AccountOptions
  @Option(
    help: "Where the browser goes afterwards; its origin must be in connect.redirect_origins.")
  var redirect: String?
  @Flag(help: "Open the link in this machine's browser.")
  var open = false
  @Flag(help: "Print the link and do not wait.")
  var noWait = false
  @OptionGroup var credential: CredentialOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var server: ServerOptions

  func run() async throws {
    try await server.withServer { client in
      if credential.isGiven {
        let answer = try await client.addConnection(integration, account, credential)
        if output.json { return Console.answer(answer.bytes) }
        return Account.tellConnected(answer.json)
      }
      try await connectByLink(client)
    }
  }

  private func connectByLink(_ client: ServerClient) async throws {
    let before = try await connections(client)
    var body: [String: JSONValue] = [
      "owner": .string(account.owner), "integration": .string(integration),
    ]
    if let label = account.label { body["owner_label"] = .string(label) }
    if let redirect { body["redirect"] = .string(redirect) }
    let session = try await client.post("/v1/connect/sessions", .object(body))
    guard let url = session.json["url"]?.string else {
      throw CommandFailure("the server made no link. Check --url.")
    }
    if output.json {
      Console.answer(session.bytes)
    } else {
      Console.line(PrintableText.line(url))
    }
    if open { Terminal.openInBrowser(url) }
    guard !noWait, !output.json else { return }
    let clock = SystemClock()
    let expiry = session.json["expires_at"]?.string.flatMap { Timestamp(rfc3339: $0) }
    let deadline = expiry ?? clock.now + .seconds(600)
    Console.error("Waiting until \(account.owner.printable) has connected; Ctrl-C stops waiting.")
    while clock.now < deadline {
      try await clock.sleep(for: Self.pause)
      if let done = ConnectWait.connected(before: before, now: try await connections(client)) {
        return Account.tellConnected(done)
      }
    }
    throw CommandFailure(
      "nobody used the link before it expired. Run the command again for a new one.")
  }

  private func connections(_ client: ServerClient) async throws -> [JSONValue] {
    let answer = try await client.get(
      "/v1/connections",
      [("integration", integration), ("owner", account.owner), ("limit", "200")])
    return answer.json["data"]?.array ?? []
  }
}

/// Whether an account was connected between two looks. Pure.
enum ConnectWait {
  /// What changes by itself, without anybody connecting.
  private static let volatile = ["last_refreshed_at", "last_synced_at", "sync_in_progress"]

  /// The connection that is new, became active, or was connected again.
  static func connected(before: [JSONValue], now: [JSONValue]) -> JSONValue? {
    let earlier = Dictionary(
      before.compactMap { item in item["id"]?.string.map { ($0, item) } },
      uniquingKeysWith: { first, _ in first })
    return now.first { item in
      guard item["state"]?.string == "active" else { return false }
      guard let old = item["id"]?.string.flatMap({ earlier[$0] }) else { return true }
      // A refresh moves the expiry as well, and says so in `last_refreshed_at`.
      if old["state"]?.string == "active", old["last_refreshed_at"] != item["last_refreshed_at"] {
        return false
      }
      return settled(old) != settled(item)
    }
  }

  private static func settled(_ connection: JSONValue) -> [String: JSONValue] {
    (connection.object ?? [:]).filter { !volatile.contains($0.key) }
  }
}

extension String {
  var printable: String { PrintableText.line(self) }
}
