import Fairlead
import Foundation
import HTTPTypes
import NIOCore

/// Talks to a running server as any application would, over HTTP with a key.
final class ServerClient: Sendable {
  /// Larger answers are refused unread; a list's longest page is far below.
  private static let answerLimit = 64 << 20
  private static let timeout: Duration = .seconds(90)

  let url: String
  private let key: Secret
  private let transport: any Transport

  init(url: String, key: Secret, transport: any Transport) {
    self.url = url
    self.key = key
    self.transport = transport
  }

  /// An answer of the API that is a success.
  struct Answer: Sendable {
    let bytes: [UInt8]
    let json: JSONValue
  }

  /// - Parameter query: pairs without a value are left out.
  /// - Throws: `CommandFailure` with one line for everything that is no success.
  func get(_ path: String, _ query: [(String, String?)] = []) async throws -> Answer {
    try await api(.get, path, query, body: nil)
  }

  func post(_ path: String, _ body: JSONValue? = nil) async throws -> Answer {
    try await api(.post, path, [], body: body)
  }

  func delete(_ path: String) async throws -> Answer {
    try await api(.delete, path, [], body: nil)
  }

  private func api(
    _ method: HTTPRequest.Method, _ path: String, _ query: [(String, String?)], body: JSONValue?
  ) async throws -> Answer {
    let pairs = query.compactMap { name, value in value.map { (name, $0) } }
    let target = pairs.isEmpty ? path : path + "?" + FormEncoding.encode(pairs)
    var headers: HTTPFields = [.accept: "application/json"]
    headers[.authorization] = "Bearer \(key.expose())"
    if body != nil { headers[.contentType] = "application/json" }
    let response = try await send(
      method, target, headers: headers,
      body: body.map { .bytes(ByteBuffer(bytes: $0.bytes)) } ?? .none, timeout: Self.timeout)
    var bytes: [UInt8] = []
    do {
      for try await chunk in response.body {
        bytes += chunk.readableBytesView
        guard bytes.count <= Self.answerLimit else {
          throw CommandFailure("the server's answer is larger than 64 MiB. Ask for less at once.")
        }
      }
    } catch let error as TransportError {
      throw unreachable(error)
    }
    // An answer that is no JSON is told as what it is: not ours.
    let json = (try? JSONValue(parsing: bytes)) ?? .null
    guard (200..<300).contains(response.status) else {
      throw Self.failure(status: response.status, json, url: url)
    }
    guard json.object != nil else {
      throw CommandFailure("\(url) answered, but not as a Fairlead server does. Check --url.")
    }
    return Answer(bytes: bytes, json: json)
  }

  /// A call through the proxy, its answer unread.
  /// - Parameter target: encoded, see `ProxyPath`.
  func proxy(
    _ method: HTTPRequest.Method, _ path: String, headers: HTTPFields, body: RequestBody,
    timeout: Duration
  ) async throws -> TransportResponse {
    var headers = headers
    // The other places for a key stay free for what the provider is to get.
    if let name = HTTPField.Name("fairlead-key") { headers[name] = key.expose() }
    return try await send(method, path, headers: headers, body: body, timeout: timeout)
  }

  /// A request to the server's pages that need no key; `nil` when nothing answers.
  func open(_ path: String) async -> TransportResponse? {
    // That nobody answers is the information.
    try? await transport.send(
      TransportRequest(method: .get, url: url + path), timeout: .seconds(5))
  }

  private func send(
    _ method: HTTPRequest.Method, _ path: String, headers: HTTPFields, body: RequestBody,
    timeout: Duration
  ) async throws -> TransportResponse {
    do {
      return try await transport.send(
        TransportRequest(method: method, url: url + path, headers: headers, body: body),
        timeout: timeout)
    } catch let error as TransportError {
      throw unreachable(error)
    }
  }

  private func unreachable(_ error: TransportError) -> CommandFailure {
    switch error.kind {
    case .connect, .refusedAddress:
      CommandFailure(
        "no server answers at \(url). Start it with `fairlead serve`, or name another with --url.")
    case .timeout: CommandFailure("the server at \(url) does not answer in time. Try again.")
    case .disconnected:
      CommandFailure("the server at \(url) closed the connection before it had answered.")
    case .malformed: CommandFailure("what answers at \(url) is no HTTP server. Check --url.")
    case .requestBody, .request:
      CommandFailure("this cannot be sent as it is: \(error.detail)")
    }
  }

  /// The one line of an error the server answered.
  static func failure(status: Int, _ json: JSONValue, url: String) -> CommandFailure {
    guard let message = json[path: "error.message"]?.string else {
      return CommandFailure(
        "\(url) answered \(status), but not as a Fairlead server does. Check --url.")
    }
    let text = PrintableText.line(message)
    switch json[path: "error.code"]?.string {
    case "UNAUTHENTICATED":
      return CommandFailure(
        "the server does not know this key. Use the FAIRLEAD_ADMIN_KEY it was started with, or a "
          + "key from `fairlead keys create`.")
    default: return CommandFailure(text)
    }
  }
}

/// A segment of a path with everything escaped that means something in one.
func pathSegment(_ text: String) -> String { FormEncoding.escape(text) }
