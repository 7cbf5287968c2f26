import Fairlead
import HTTPTypes
import Hummingbird
import NIOCore

/// The webhook ingress.
struct WebhookRoutes: Sendable {
  static let bodyLimit = 25 << 20
  let fairlead: Fairlead
  private let reading = ReadingBudget(limit: 256 << 20)

  init(fairlead: Fairlead) { self.fairlead = fairlead }

  var routes: [Route] {
    ["/webhooks/{integration}", "/api/webhooks/{integration}"].map { path in
      .post(
        path, access: .open,
        RouteDocumentation(
          path.hasPrefix("/api") ? "receiveWebhookAlias" : "receiveWebhook", tag: "Webhooks",
          "Receive a provider's webhook",
          details:
            "Answers only after the event is stored durably. The signature is the access check.",
          answers: [
            (
              200, "Stored.",
              .object([
                ("received", .boolean), ("event_id", .string), ("duplicate", .boolean),
              ])
            )
          ])
      ) { try await receive($0) }
    }
  }

  private func receive(_ exchange: Exchange) async throws -> Response {
    let integration = IntegrationName(try exchange.parameter("integration"))
    let settings = try fairlead.integrations.require(integration).definition.webhook
    let length = exchange.request.headers[.contentLength].flatMap { Int($0) }
    if let length, length > Self.bodyLimit { throw Exchange.tooLarge(Self.bodyLimit) }
    let body: ByteBuffer
    if let settings, settings.isUnsigned(exchange.request.headers) {
      // Nobody's body is read before there is a signature to hold it to.
      body = ByteBuffer()
    } else {
      body = try await reading.reserving(max(0, length ?? Self.bodyLimit)) {
        try await exchange.body(limit: Self.bodyLimit)
      }
    }
    let receipt = try await fairlead.inbox.receive(
      InboundWebhook(
        integration: integration, headers: exchange.request.headers,
        body: Array(body.readableBytesView)))
    switch receipt {
    case .accepted(let event, let duplicate):
      // Ids are plain ASCII, so the shape can be written without an encoder.
      return Response(
        status: .ok, headers: [.contentType: "application/json"],
        body: ResponseBody(
          byteBuffer: ByteBuffer(
            string:
              #"{"received":true,"event_id":"\#(event.rawValue)","duplicate":\#(duplicate)}"#)))
    case .challenge(let text):
      return .text(text)
    case .rejected(let status, let message):
      let code: ErrorCode = status == 401 ? .unauthenticated : .invalidRequest
      var response = FairleadError(code, message, integration: integration, retryable: false)
        .response(requestID: exchange.requestID)
      response.status = HTTPResponse.Status(code: status)
      return response
    }
  }
}

extension ProviderDefinition.WebhookSettings {
  /// Whether no signature came at all.
  fileprivate func isUnsigned(_ headers: HTTPFields) -> Bool {
    let names = scheme == .standard ? ["webhook-signature", "svix-signature"] : [header]
    return names.allSatisfy { HTTPField.Name($0).map { headers[$0] == nil } ?? true }
  }
}
