import Fairlead
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

extension HTTPField.Name {
  static let fairleadRequestID = HTTPField.Name("fairlead-request-id")!
  static let fairleadKey = HTTPField.Name("fairlead-key")!
  static let shouldRetry = HTTPField.Name("x-should-retry")!
  static let stripeShouldRetry = HTTPField.Name("Stripe-Should-Retry")!
  static let apiKey = HTTPField.Name("x-api-key")!
}

extension FairleadError {
  /// The one JSON shape of errors that are born here.
  func json(requestID: RequestID) -> JSONValue {
    var error: [String: JSONValue] = [
      "code": .string(code.rawValue),
      "message": .string(message),
      "retryable": .bool(retryable),
      "request_id": .string((self.requestID ?? requestID).rawValue),
    ]
    if let integration { error["provider"] = .string(integration.rawValue) }
    if let status { error["status"] = .int(Int64(status)) }
    if let retryAfter { error["retry_after"] = .int(retryAfter.wholeSecondsUp) }
    if let docs { error["docs"] = .string(docs) }
    return ["error": .object(error)]
  }

  func response(requestID: RequestID) -> Response {
    var response = Response.json(json(requestID: requestID), status: .init(code: code.status))
    response.headers[.fairleadRequestID] = (self.requestID ?? requestID).rawValue
    if let retryAfter { response.headers[.retryAfter] = String(retryAfter.wholeSecondsUp) }
    if code == .unauthenticated { response.headers[.wwwAuthenticate] = "Bearer" }
    return response
  }
}

extension Duration {
  /// Whole seconds, rounded up, as `Retry-After` wants them.
  var wholeSecondsUp: Int64 { max(0, (microseconds + 999_999) / 1_000_000) }
}

extension Response {
  static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.bytes)))
  }

  /// A value of the API's own shapes.
  static func encoding(
    _ value: some Encodable, status: HTTPResponse.Status = .ok
  ) throws -> Response {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Response(
      status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: try encoder.encode(value))))
  }

  static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> Response {
    Response(
      status: .ok, headers: [.contentType: type, .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  static func redirect(to location: String) -> Response {
    Response(status: .seeOther, headers: [.location: location, .cacheControl: "no-store"])
  }
}

/// Turns whatever a handler threw into the error people get; everything unexpected becomes one
/// honest sentence, and its cause goes to the log.
func fairleadError(from error: any Error) -> FairleadError {
  switch error {
  case let error as FairleadError: error
  case let error as StorageError: storageFailure(error)
  case is NIOTooManyBytesError:
    FairleadError(.payloadTooLarge, "The body is larger than what is taken here.")
  case let error as HTTPError where error.status.code == 413:
    FairleadError(.payloadTooLarge, "The body is larger than what is taken here.")
  case let error as HTTPError where (400..<500).contains(error.status.code):
    FairleadError(.invalidRequest, error.body ?? "The request could not be read.")
  default:
    FairleadError(
      .serviceUnavailable,
      "Something went wrong on our side. Try again; if it goes on, quote the request id.",
      retryable: false, detail: String(reflecting: error))
  }
}

private func storageFailure(_ error: StorageError) -> FairleadError {
  FairleadError(
    .serviceUnavailable, "Our storage cannot be used right now. Try again in a moment.",
    retryAfter: .seconds(1), detail: "\(error)")
}

/// `{data: […], next_cursor}`.
struct ListShape<Item: Sendable & Encodable>: Encodable {
  let data: [Item]
  let nextCursor: String?

  private enum CodingKeys: String, CodingKey {
    case data
    case nextCursor = "next_cursor"
  }

  init(_ page: Page<Item>) {
    data = page.items
    nextCursor = page.nextCursor
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(data, forKey: .data)
    // `null` at the end, never left out.
    try container.encode(nextCursor, forKey: .nextCursor)
  }
}
