public import HTTPTypes
import NIOCore

/// A call as application code writes it: `.post("/v1/customers", form: ["email": "a@b.c"])`.
public struct CallRequest: Sendable {
  public var method: HTTPRequest.Method
  /// Path and query from the provider's root.
  public var path: String
  public var headers: HTTPFields
  public var body: RequestBody

  public init(
    _ method: HTTPRequest.Method, _ path: String, headers: HTTPFields = [:],
    body: RequestBody = .none
  ) {
    self.method = method
    self.path = path
    self.headers = headers
    self.body = body
  }

  public static func get(_ path: String) -> CallRequest { CallRequest(.get, path) }
  public static func delete(_ path: String) -> CallRequest { CallRequest(.delete, path) }

  /// A POST with form fields, as Stripe wants them. Names may nest: `items[0][price]`.
  public static func post(_ path: String, form: KeyValuePairs<String, String>) -> CallRequest {
    let text = FormEncoding.encode(form.map { ($0.key, $0.value) })
    return CallRequest(
      .post, path, headers: [.contentType: "application/x-www-form-urlencoded"],
      body: .bytes(ByteBuffer(string: text)))
  }

  /// A POST with a JSON body.
  public static func post(_ path: String, json: JSONValue) -> CallRequest {
    CallRequest(
      .post, path, headers: [.contentType: "application/json; charset=utf-8"],
      body: .bytes(ByteBuffer(bytes: json.bytes)))
  }
}

/// What a call was answered with, read to its end.
public struct CallReply: Sendable {
  public let status: Int
  public let headers: HTTPFields
  public let body: [UInt8]
  public let report: CallReport

  /// - Throws: `DecodingError` when the body is no JSON.
  public func json() throws -> JSONValue { try JSONValue(parsing: body) }
}

extension Fairlead {
  /// Calls a provider and reads its answer.
  /// - Parameters:
  ///   - target: a connection id, `integration`, or `integration:owner`, as in the proxy's path.
  ///   - limit: the largest answer that is read, in bytes.
  ///   - fallback: whether the integration's fallback may stand in for an answer; the reply's
  ///     `report.fallback` then says so, and `report.error` why.
  /// - Throws: `FairleadError` for everything that is no success, the provider's own errors
  ///   included; `CancellationError`.
  public func call(
    _ target: String, _ request: CallRequest, timeout: Duration = .seconds(60),
    limit: Int = 16 << 20, fallback: Bool = true
  ) async throws -> CallReply {
    let resolved = try await connections.resolve(target: target)
    var call = Call(
      integration: resolved.integration, connection: resolved.connection, host: resolved.host,
      method: request.method, path: request.path, headers: request.headers, body: request.body,
      timeout: timeout, source: .library)
    call.allowsFallback = fallback
    let result = try await pipeline.send(call)
    if let error = result.report.error, result.report.fallback == nil { throw error }
    var body: [UInt8] = []
    for try await chunk in result.body {
      guard body.count + chunk.readableBytes <= limit else {
        throw FairleadError(
          .payloadTooLarge, "The answer is larger than the \(limit) bytes asked for at most.",
          integration: resolved.integration)
      }
      body.append(contentsOf: chunk.readableBytesView)
    }
    return CallReply(
      status: result.status, headers: result.headers, body: body, report: result.report)
  }
}
