import ArgumentParser
import Fairlead
import HTTPTypes
import NIOCore

struct CallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "call",
    abstract: "Call a provider through the request pipeline and print its answer.",
    discussion: """
      TARGET is a connection's id, an integration, or integration:owner. The answer's body goes to \
      standard output as it comes; an answer of 400 or above exits 1.

        fairlead call stripe GET '/v1/customers?limit=3'
        fairlead call stripe POST /v1/customers --form email=a@b.example
        fairlead call slack:user_42 POST /api/chat.postMessage --json '{"channel": "#general", "text": "Hello"}'
      """)

  /// Larger bodies belong into a program.
  private static let bodyLimit = 64 << 20

  @Argument(help: "A connection's id, integration, or integration:owner.")
  var target: String
  @Argument(help: "GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS.")
  var method: String
  @Argument(help: "The provider's own path, query included.")
  var path: String

  @Option(help: "A JSON body: text, @FILE, or @- for standard input.")
  var json: String?
  @Option(
    name: .customLong("form"),
    help: ArgumentHelp("A form field. May repeat.", valueName: "name=value"))
  var form: [String] = []
  @Option(help: "A body as it is: text, @FILE, or @- for standard input.")
  var data: String?
  @Option(
    name: .customLong("header"),
    help: ArgumentHelp("A header for the provider. May repeat.", valueName: "name: value"))
  var headers: [String] = []
  @Option(help: "How long it may take in all, in seconds.")
  var timeout: Int = 60
  @Flag(help: "Print status and headers first, on standard error.")
  var include = false
  @OptionGroup var server: ServerOptions

  private static let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]

  func validate() throws {
    guard Self.methods.contains(method.uppercased()) else {
      throw ValidationError("METHOD must be one of \(Self.methods.joined(separator: ", ")).")
    }
    guard [json != nil, data != nil, !form.isEmpty].filter({ $0 }).count <= 1 else {
      throw ValidationError("Give one of --json, --form and --data.")
    }
    guard (1...3_600).contains(timeout) else {
      throw ValidationError("--timeout must be 1 to 3600 seconds.")
    }
    if let bad = form.first(where: { !$0.contains("=") }) {
      throw ValidationError("--form takes name=value, not \(bad.printable).")
    }
    for header in headers where HeaderText.field(header) == nil {
      throw ValidationError("--header takes 'Name: value', not \(header.printable).")
    }
  }

  func run() async throws {
    let path = try ProxyPath.path(target: target, path: path)
    let (fields, body) = try content()
    let method = HTTPRequest.Method(method.uppercased()) ?? .get
    try await server.withServer { client in
      let response = try await client.proxy(
        method, path, headers: fields, body: body, timeout: .seconds(timeout + 5))
      if include { showHead(response) }
      do {
        for try await chunk in response.body {
          if Terminal.isInteractive {
            Console.write(PrintableText.lines(String(buffer: chunk)))
          } else {
            Console.write(Array(chunk.readableBytesView))
          }
        }
      } catch is TransportError {
        throw CommandFailure("the answer broke off before it was complete.")
      }
      if Terminal.isInteractive { Console.line() }
      guard response.status < 400 else {
        throw CommandFailure(CallFailure.line(status: response.status, response.headers))
      }
    }
  }

  private func content() throws -> (HTTPFields, RequestBody) {
    var fields: HTTPFields = [:]
    if let name = HTTPField.Name("fairlead-timeout") { fields[name] = "\(timeout)s" }
    var body: RequestBody = .none
    if let json {
      let bytes = try TextOrFile.read(json, limit: Self.bodyLimit)
      guard (try? JSONValue(parsing: bytes)) != nil else {
        throw CommandFailure("--json is no JSON.")
      }
      fields[.contentType] = "application/json; charset=utf-8"
      body = .bytes(ByteBuffer(bytes: bytes))
    } else if let data {
      body = .bytes(ByteBuffer(bytes: try TextOrFile.read(data, limit: Self.bodyLimit)))
    } else if !form.isEmpty {
      let pairs = form.map { pair in
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
      }
      fields[.contentType] = "application/x-www-form-urlencoded"
      body = .bytes(ByteBuffer(string: FormEncoding.encode(pairs)))
    }
    // What the caller says last counts: a content type of one's own too.
    var named: Set<HTTPField.Name> = []
    for field in headers.compactMap(HeaderText.field) {
      if named.insert(field.name).inserted { fields[field.name] = nil }
      fields.append(field)
    }
    return (fields, body)
  }

  private func showHead(_ response: TransportResponse) {
    Console.error("HTTP \(response.status)")
    for field in response.headers {
      Console.error("\(field.name.rawName): \(field.value.printable)")
    }
    Console.error("")
  }
}

/// `Name: value` as a header. Pure.
enum HeaderText {
  /// `nil` for what HTTP does not allow, line breaks above all.
  static func field(_ text: String) -> HTTPField? {
    guard let colon = text.firstIndex(of: ":"),
      let name = HTTPField.Name(String(text[..<colon]))
    else { return nil }
    let value = text[text.index(after: colon)...].drop { $0 == " " }
    guard HTTPField.isValidValue(String(value)) else { return nil }
    return HTTPField(name: name, value: String(value))
  }
}

/// An argument that is text, or names a file with `@`.
enum TextOrFile {
  static func read(_ argument: String, limit: Int) throws -> [UInt8] {
    guard argument.hasPrefix("@") else { return Array(argument.utf8) }
    return try Terminal.read(String(argument.dropFirst()), limit: limit)
  }
}

/// The one line about a call that did not succeed. Pure.
enum CallFailure {
  static func line(status: Int, _ headers: HTTPFields) -> String {
    func header(_ name: String) -> String? {
      HTTPField.Name(name).flatMap { headers[$0] }.map(\.printable)
    }
    var text = header("fairlead-error-message") ?? "the provider answered \(status)."
    if let code = header("fairlead-error-code") { text += " (\(code), HTTP \(status))" }
    return text
  }
}
