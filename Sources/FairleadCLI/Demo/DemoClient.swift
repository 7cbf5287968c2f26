import Fairlead
import Foundation
import HTTPTypes
import NIOCore

/// A small HTTP client for the tour, with a browser's cookies. It talks to the server and to the
/// sandbox as anyone would.
final class DemoClient: Sendable {
  struct Answer {
    let status: Int
    let headers: HTTPFields
    let bytes: [UInt8]

    var json: JSONValue { (try? JSONValue(parsing: bytes)) ?? .null }
    var text: String { String(decoding: bytes, as: UTF8.self) }

    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
  }

  let server: String
  let sandbox: String
  private let adminKey: Secret
  private let transport: any Transport

  init(server: String, sandbox: String, adminKey: Secret, transport: any Transport) {
    self.server = server
    self.sandbox = sandbox
    self.adminKey = adminKey
    self.transport = transport
  }

  /// A call of the server's API with the admin key, or with an end user's session token.
  func api(
    _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil,
    as token: String? = nil
  ) async throws -> Answer {
    try await send(
      method, server + path, json: body,
      headers: [.authorization: "Bearer \(token ?? adminKey.expose())"])
  }

  /// A call of the sandbox's controls.
  func control(
    _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil
  ) async throws -> Answer {
    let answer = try await send(method, sandbox + "/_sandbox" + path, json: body, headers: [:])
    guard (200..<300).contains(answer.status) else {
      throw StepFailure("the sandbox answered \(answer.status) to \(path): \(answer.text)")
    }
    return answer
  }

  /// A page as a browser gets it, without following redirects.
  func page(_ url: String, cookies: [String: String]) async throws -> Answer {
    var headers: HTTPFields = [.accept: "text/html"]
    if !cookies.isEmpty {
      headers[.cookie] = cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
    }
    return try await send(.get, url, json: nil, headers: headers)
  }

  private func send(
    _ method: HTTPRequest.Method, _ url: String, json: JSONValue?, headers: HTTPFields
  ) async throws -> Answer {
    var request = TransportRequest(method: method, url: url, headers: headers)
    if let json {
      request.headers[.contentType] = "application/json"
      request.body = .bytes(ByteBuffer(bytes: json.bytes))
    }
    let response = try await transport.send(request, timeout: .seconds(60))
    var bytes: [UInt8] = []
    for try await chunk in response.body { bytes.append(contentsOf: chunk.readableBytesView) }
    return Answer(status: response.status, headers: response.headers, bytes: bytes)
  }
}

/// Why a step of the tour did not hold.
struct StepFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// - Throws: `StepFailure` when `condition` is false.
func expect(_ condition: Bool, _ failure: @autoclosure () -> String) throws {
  if !condition { throw StepFailure(failure()) }
}
