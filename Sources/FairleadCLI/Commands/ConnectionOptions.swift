import ArgumentParser
import Fairlead

/// Whose account is connected.
struct AccountOptions: ParsableArguments {
  @Option(help: "Your own id of the user or tenant the account belongs to.")
  var owner: String

  @Option(help: "How people know the owner, for the connect page.")
  var label: String?
}

/// How a credential that is at hand comes in. Never as an argument: others can read those.
struct CredentialOptions: ParsableArguments {
  @Flag(help: "Read an API key from standard input; typed without echo on a terminal.")
  var apiKeyStdin = false

  @Option(help: "The user name, together with --password-stdin.")
  var username: String?

  @Flag(help: "Read the password from standard input.")
  var passwordStdin = false

  @Flag(
    help: "Read a JSON object from standard input, as POST /v1/connections takes in credentials.")
  var credentialsStdin = false

  @Option(
    name: .customLong("param"),
    help: ArgumentHelp(
      "A value the provider's address needs, such as shop=acme. May repeat.",
      valueName: "name=value"))
  var params: [String] = []

  var isGiven: Bool { apiKeyStdin || passwordStdin || credentialsStdin }

  func validate() throws {
    guard [apiKeyStdin, passwordStdin, credentialsStdin].filter({ $0 }).count <= 1 else {
      throw ValidationError("Standard input can hold one credential only.")
    }
    guard (username == nil) == !passwordStdin else {
      throw ValidationError("--username and --password-stdin go together.")
    }
    if let bad = params.first(where: { !$0.contains("=") }) {
      throw ValidationError("--param takes name=value, not \(PrintableText.line(bad)).")
    }
  }

  func read() throws -> JSONValue {
    if apiKeyStdin { return ["api_key": .string(try Terminal.readSecret("API key"))] }
    if let username {
      return [
        "username": .string(username), "password": .string(try Terminal.readSecret("Password")),
      ]
    }
    let text = try Terminal.readSecret("Credentials (JSON)")
    guard let json = try? JSONValue(parsing: text.utf8), json.object != nil else {
      throw CommandFailure("what came on standard input is no JSON object.")
    }
    return json
  }

  var paramMap: JSONValue {
    .object(
      Dictionary(
        params.compactMap { pair -> (String, JSONValue)? in
          guard let equals = pair.firstIndex(of: "=") else { return nil }
          return (String(pair[..<equals]), .string(String(pair[pair.index(after: equals)...])))
        }, uniquingKeysWith: { _, last in last }))
  }
}

extension ServerClient {
  func addConnection(
    _ integration: String, _ account: AccountOptions, _ credential: CredentialOptions
  ) async throws -> Answer {
    var body: [String: JSONValue] = [
      "integration": .string(integration), "owner": .string(account.owner),
      "credentials": try credential.read(),
    ]
    if let label = account.label { body["owner_label"] = .string(label) }
    if !credential.params.isEmpty { body["params"] = credential.paramMap }
    return try await post("/v1/connections", .object(body))
  }
}

/// A connection as people read it.
enum Account {
  /// The account's name at the provider, else its id there.
  static func label(_ connection: JSONValue) -> String? {
    connection[path: "identity.label"]?.string ?? connection[path: "identity.id"]?.string
  }

  static func tell(_ connection: JSONValue, now: Timestamp) {
    let scopes = (connection["scopes"]?.array ?? []).compactMap(\.string).joined(separator: " ")
    let params = (connection["params"]?.object ?? [:]).sorted { $0.key < $1.key }
      .map { "\($0.key)=\($0.value.scalarText ?? "")" }.joined(separator: " ")
    func time(_ name: String) -> TextTable.Cell? {
      RelativeTime.text(connection[name], now: now).map { .init($0) }
    }
    func text(_ value: String?) -> TextTable.Cell? { value.map { .init($0) } }
    Console.facts([
      ("id", text(connection["id"]?.string)),
      ("integration", text(connection["integration"]?.string)),
      ("owner", text(connection["owner"]?.string)),
      ("label", text(connection["owner_label"]?.string)),
      ("account", text(label(connection))),
      ("state", StatusWord.cell(connection["state"]?.string)),
      ("problem", text(connection["error"]?.string)),
      ("scopes", scopes.isEmpty ? nil : .init(scopes)),
      ("params", params.isEmpty ? nil : .init(params)),
      ("expires", time("expires_at")),
      ("created", time("created_at")),
      ("refreshed", time("last_refreshed_at")),
      ("synced", time("last_synced_at")),
    ])
  }

  static func tellConnected(_ connection: JSONValue) {
    let integration = PrintableText.line(connection["integration"]?.string ?? "")
    let owner = PrintableText.line(connection["owner"]?.string ?? "")
    let account = label(connection).map { " (\(PrintableText.line($0)))" } ?? ""
    let id = PrintableText.line(connection["id"]?.string ?? "")
    Console.line(
      "\(Console.styled("Connected", .green)) \(integration)\(account) for \(owner): \(id)")
  }
}
