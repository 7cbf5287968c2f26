import Fairlead
import HTTPTypes
import Hummingbird
import NIOCore

/// The webhook ingress.
struct WebhookRoutes: Sendable {
  static let bodyLimit = 25 << 20
  let fairlead: Fairlead

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
    _ = try fairlead.integrations.require(integration)
    let body = try await exchange.body(limit: Self.bodyLimit)
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
