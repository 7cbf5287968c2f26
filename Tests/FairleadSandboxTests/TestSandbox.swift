import AsyncHTTPClient
import Fairlead
import FairleadSandbox
import FairleadTesting
import Foundation
import Logging
import NIOCore
import NIOHTTP1

/// A sandbox that runs for one test, and a client that talks to it.
struct TestSandbox: Sendable {
  struct Answer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var bytes: [UInt8]

    var text: String { String(decoding: bytes, as: UTF8.self) }
    /// `null` when the body is no JSON.
    var json: JSONValue { (try? JSONValue(parsing: bytes)) ?? .null }
    func header(_ name: String) -> String? { headers.first(name: name) }
    subscript(path: String) -> JSONValue? { json[path: path] }
  }

  let origin: String
  let port: Int
  let client: HTTPClient

  static func with(
    seed: UInt64 = 1, clock: any FairleadClock = SystemClock(),
    _ body: @Sendable (TestSandbox) async throws -> Void
  ) async throws {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let sandbox = Sandbox(port: 0, seed: seed, clock: clock, logger: logger)
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await sandbox.run() }
        let port = try await sandbox.boundPort
        try await body(
          TestSandbox(origin: "http://127.0.0.1:\(port)", port: port, client: client))
        group.cancelAll()
        // The server's end by cancellation is no failure.
        while let result = await group.nextResult() { _ = result }
      }
    } catch {
      try await client.shutdown()
      throw error
    }
    try await client.shutdown()
  }

  func send(
    _ method: String, _ path: String, headers: [String: String] = [:], body: String? = nil
  ) async throws -> Answer {
    let response = try await stream(method, path, headers: headers, body: body)
    let bytes = try await response.body.collect(upTo: 64 << 20)
    return Answer(
      status: Int(response.status.code), headers: response.headers, bytes: Array(buffer: bytes))
  }

  func stream(
    _ method: String, _ path: String, headers: [String: String] = [:], body: String? = nil
  ) async throws -> HTTPClientResponse {
    var request = HTTPClientRequest(url: origin + path)
    request.method = HTTPMethod(rawValue: method)
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body { request.body = .bytes(ByteBuffer(string: body)) }
    return try await client.execute(request, timeout: .seconds(30))
  }

  func get(_ path: String) async throws -> Answer { try await send("GET", path) }

  func control(_ path: String, _ body: JSONValue = [:]) async throws -> Answer {
    try await send("POST", "/_sandbox/\(path)", body: body.text)
  }

  func stripe(
    _ method: String, _ path: String, _ form: String? = nil, headers: [String: String] = [:]
  ) async throws -> Answer {
    var all = headers
    all["authorization"] = all["authorization"] ?? "Bearer \(Sandbox.credentials.stripeSecretKey)"
    if form != nil { all["content-type"] = "application/x-www-form-urlencoded" }
    return try await send(method, "/stripe/v1/\(path)", headers: all, body: form)
  }

  func openAI(_ path: String, _ body: JSONValue) async throws -> Answer {
    try await send("POST", "/openai/v1/\(path)", headers: Self.openAIHeaders, body: body.text)
  }

  static let openAIHeaders = [
    "authorization": "Bearer \(Sandbox.credentials.openAIAPIKey)",
    "content-type": "application/json",
  ]

  func slack(
    _ method: String, token: String?, _ arguments: JSONValue = [:]
  ) async throws -> Answer {
    var headers = ["content-type": "application/json"]
    if let token { headers["authorization"] = "Bearer \(token)" }
    return try await send("POST", "/slack/api/\(method)", headers: headers, body: arguments.text)
  }
}

/// Form text with percent-encoded values.
func form(_ pairs: KeyValuePairs<String, String>) -> String {
  pairs.map { "\(encode($0.key))=\(encode($0.value))" }.joined(separator: "&")
}

func encode(_ text: String) -> String {
  text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
}
