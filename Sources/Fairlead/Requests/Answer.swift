import HTTPTypes
import NIOCore

/// A provider's answer, read as far as its meaning needs.
struct Answer {
  let status: Int
  let headers: HTTPFields
  let body: BodyStream
  /// The body's length when all of it is in memory already.
  let bufferedBytes: Int?
  let meaning: Classification
  /// When the provider wants to be called again.
  var hint: Duration?
  /// The provider's word on retrying, which overrides the status.
  let shouldRetry: Bool?

  /// Reads a response. A failure's body is buffered up to 256 KiB; a success's only when the
  /// definition has a rule that looks into it; an event stream's never.
  /// - Throws: what the body throws, when a success's meaning stands in the part that is missing.
  static func read(
    _ response: TransportResponse, method: HTTPRequest.Method, classifier: Classifier,
    deadline: Deadline, now: Timestamp
  ) async throws -> Answer {
    let status = response.status
    let headers = response.headers
    let isFailure = status >= 400
    let needsBody = classifier.needsBody(status: status)
    let isEmpty =
      method == .head || status == 204 || status == 304 || headers[.contentLength] == "0"
    var body = response.body
    var buffered: Int?
    var json: JSONValue?
    if isEmpty || !isEventStream(headers) && (isFailure || needsBody) {
      do {
        let peeked = try await PeekedBody.read(body, deadline: deadline)
        body = peeked.stream
        if peeked.isComplete { buffered = peeked.prefix.readableBytes }
        // What is no JSON simply matches no rule about the body.
        if needsBody, peeked.isComplete { json = classifier.glance.read(peeked.prefix) }
      } catch {
        guard isFailure, !(error is CancellationError), !Task.isCancelled else { throw error }
        // The status says enough; that the body broke off is for its reader to learn.
        body = BodyStream { { throw error } }
      }
    }
    let meaning = classifier.classify(status: status, headers: headers, json: json)
    return Answer(
      status: status, headers: Headers.incoming(headers), body: body, bufferedBytes: buffered,
      meaning: meaning,
      hint: meaning.errorClass == nil ? nil : RetryAfter.delay(headers, now: now),
      shouldRetry: meaning.errorClass == nil ? nil : shouldRetry(headers))
  }

  private static func isEventStream(_ headers: HTTPFields) -> Bool {
    headers[.contentType]?.lowercased().hasPrefix("text/event-stream") ?? false
  }

  private static func shouldRetry(_ headers: HTTPFields) -> Bool? {
    switch headers[.stripeShouldRetry] ?? headers[.xShouldRetry] {
    case "true": true
    case "false": false
    default: nil
    }
  }
}

extension HTTPField.Name {
  static let stripeShouldRetry = HTTPField.Name("stripe-should-retry")!
  static let xShouldRetry = HTTPField.Name("x-should-retry")!
}
