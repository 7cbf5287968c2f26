import HTTPTypes
import NIOCore

/// One message to one URL, to be signed by Standard Webhooks.
struct OutgoingWebhook: Sendable {
  /// The same for every attempt.
  var id: String
  var url: String
  /// Each makes a signature.
  var keys: [[UInt8]]
  var body: [UInt8]
  var contentType = "application/json"
  /// Beside those of the scheme.
  var headers: [(name: String, value: String)] = []
}

/// Sends webhooks, signed by Standard Webhooks: events to destinations, alerts to whom they concern.
struct DestinationSender: Sendable {
  /// For the head of the answer.
  static let timeout = Duration.seconds(15)
  /// For the part of the answer's body that is kept.
  static let excerptTimeout = Duration.seconds(2)
  static let excerptLength = 1_024

  let transport: any Transport
  let clock: any FairleadClock

  /// Forwards one event.
  /// - Throws: `CancellationError` only; every other failure is a result.
  func send(
    _ input: DeliveryJob.Input, attempt: Int, over route: Destinations.Route
  ) async throws -> AttemptResult {
    let contentType = input.headers.first { $0.name.lowercased() == "content-type" }?.value
    return try await send(
      OutgoingWebhook(
        id: input.event.id.rawValue, url: route.destination.url, keys: route.keys,
        body: input.payload, contentType: contentType ?? "application/json",
        headers: [
          ("fairlead-integration", input.event.integration.rawValue),
          ("fairlead-event-type", input.event.type), ("fairlead-attempt", String(attempt)),
        ]))
  }

  /// - Throws: `CancellationError` only; every other failure is a result.
  func send(_ webhook: OutgoingWebhook) async throws -> AttemptResult {
    guard !webhook.keys.isEmpty else {
      return AttemptResult(.failed(reason: "the destination has no signing secret"))
    }
    let request = TransportRequest(
      method: .post, url: webhook.url, headers: headers(of: webhook),
      body: .bytes(ByteBuffer(bytes: webhook.body)))
    do {
      let response = try await transport.send(request, timeout: Self.timeout)
      let excerpt = try await excerpt(of: response.body)
      return judge(response, excerpt: excerpt)
    } catch let error as TransportError where !Task.isCancelled {
      return AttemptResult(.failed(reason: error.reasonForOperators))
    } catch let error where !Task.isCancelled {
      return AttemptResult(.failed(reason: SecretRedaction.excerpt("\(error)")))
    } catch {
      // The worker took the job back: no fault of the destination.
      throw CancellationError()
    }
  }

  private func headers(of webhook: OutgoingWebhook) -> HTTPFields {
    let timestamp = String(clock.now.seconds)
    let signature = StandardWebhooks.signature(
      keys: webhook.keys, id: webhook.id, timestamp: timestamp, body: webhook.body)
    var fields = HTTPFields()
    for (name, value) in [
      ("content-type", webhook.contentType), ("user-agent", "Fairlead"),
      ("webhook-id", webhook.id), ("webhook-timestamp", timestamp),
      ("webhook-signature", signature),
    ] + webhook.headers.map({ ($0.name, $0.value) }) {
      guard let name = HTTPField.Name(name) else { continue }
      fields[name] = Self.visible(value)
    }
    return fields
  }

  /// A provider chooses type and content type: only what a header may hold goes into one.
  private static func visible(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter { (32...126).contains($0.value) }))
  }

  private func judge(_ response: TransportResponse, excerpt: String?) -> AttemptResult {
    let status = response.status
    func result(_ outcome: DeliveryLifecycle.Outcome, disables: String? = nil) -> AttemptResult {
      AttemptResult(outcome, status: status, response: excerpt, disables: disables)
    }
    switch status {
    case 200..<300: return result(.succeeded)
    case 300..<400:
      return result(
        .failed(reason: "the destination answered \(status), a redirect, which is not followed"))
    case 410:
      let reason = "The destination answered 410 Gone."
      return result(.refused(reason: reason), disables: reason)
    default:
      let wait = HTTPField.Name("retry-after").flatMap { response.headers[$0] }
        .flatMap { RetryAfterField.wait($0, now: clock.now) }
      return result(.failed(reason: "the destination answered \(status)", retryAfter: wait))
    }
  }

  /// The start of the answer as text, as far as it comes soon.
  private func excerpt(of body: BodyStream) async throws -> String? {
    try await withThrowingTaskGroup(of: [UInt8].self) { group in
      group.addTask {
        var bytes: [UInt8] = []
        // A body that breaks off does not change what the head said.
        do {
          for try await chunk in body {
            bytes += chunk.readableBytesView.prefix(Self.excerptLength - bytes.count)
            if bytes.count >= Self.excerptLength { break }
          }
        } catch {}
        return bytes
      }
      group.addTask {
        try await clock.sleep(for: Self.excerptTimeout)
        return []
      }
      defer { group.cancelAll() }
      let bytes = try await group.next() ?? []
      guard !bytes.isEmpty else { return nil }
      return SecretRedaction.excerpt(String(decoding: bytes, as: UTF8.self))
    }
  }
}

extension TransportError {
  fileprivate var reasonForOperators: String {
    switch kind {
    case .connect: "the destination could not be reached"
    case .timeout: "the destination did not answer in time"
    case .disconnected: "the connection to the destination broke off"
    case .malformed: "the destination did not answer in HTTP"
    case .refusedAddress:
      "the destination has a private address, and private networks are not allowed "
        + "(FAIRLEAD_ALLOW_PRIVATE_NETWORKS)"
    default: "the event could not be sent"
    }
  }
}
