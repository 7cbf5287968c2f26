import Fairlead
import FairleadTesting
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import FairleadServer

@Suite struct RouteTests {
  @Test func anUnknownRouteIsOurNotFound() async throws {
    let harness = try await ServerHarness()
    try await harness.test { client in
      for (path, method) in [
        ("/nowhere", HTTPRequest.Method.get), ("/v1/nowhere", .post), ("/healthz", .delete),
      ] {
        let answer = try await client.execute(uri: path, method: method)
        #expect(answer.status == .notFound)
        #expect(answer.errorCode == "NOT_FOUND")
      }
    }
  }

  @Test func unknownTargetsAndIntegrationsAreOurNotFound() async throws {
    let harness = try await ServerHarness()
    try await harness.test { client in
      for path in [
        "/v1/proxy/nobody/x", "/v1/proxy/acme:nobody/x", "/v1/proxy/conn_none/x",
        "/v1/integrations/nobody", "/v1/connections/conn_none", "/v1/events/evt_none",
        "/v1/destinations/dest_none",
      ] {
        let answer = try await client.execute(
          uri: path, method: .get, headers: ServerHarness.admin)
        #expect(answer.status == .notFound, "\(path)")
        #expect(answer.errorCode == "NOT_FOUND", "\(path)")
      }
      let webhook = try await client.execute(uri: "/webhooks/nobody", method: .post)
      #expect(webhook.status == .notFound)
    }
  }

  @Test func malformedAndOversizedBodiesAreRefused() async throws {
    let harness = try await ServerHarness()
    try await harness.test { client in
      for body in ["", "[]", "{", "null", #"{"owner":1}"#, #"{"owner":""}"#] {
        let answer = try await client.execute(
          uri: "/v1/connections", method: .post, headers: ServerHarness.admin,
          body: ByteBuffer(string: body))
        #expect(answer.status == .badRequest, "\(body)")
        #expect(answer.errorCode == "INVALID_REQUEST", "\(body)")
      }
      let large = try await client.execute(
        uri: "/v1/connections", method: .post, headers: ServerHarness.admin,
        body: ByteBuffer(repeating: 0x20, count: (1 << 20) + 1))
      #expect(large.status == .contentTooLarge)
      #expect(large.errorCode == "PAYLOAD_TOO_LARGE")
      let webhook = try await client.execute(
        uri: "/webhooks/acme", method: .post,
        body: ByteBuffer(repeating: 0x20, count: WebhookRoutes.bodyLimit + 1))
      #expect(webhook.status == .contentTooLarge)
    }
  }

  @Test(arguments: ["limit=0", "limit=201", "limit=x", "status=nonsense"])
  func badListParametersSayWhatIsAllowed(query: String) async throws {
    let harness = try await ServerHarness()
    try await harness.test { client in
      let answer = try await client.execute(
        uri: "/v1/events?\(query)", method: .get, headers: ServerHarness.admin)
      #expect(answer.status == .badRequest)
      #expect(answer.json[path: "error.message"]?.string?.contains("must be") == true)
    }
  }

  @Test func aSignedWebhookIsStoredOnceAndAForgedOneRefused() async throws {
    let harness = try await ServerHarness()
    try await harness.test { client in
      let body = #"{"id":"evt_1","type":"order.created"}"#
      let signature = WebhookSigner.stripe(
        body: Array(body.utf8), secret: ServerHarness.webhookSecret, at: SystemClock().now)
      func deliver(_ headers: HTTPFields) async throws -> TestAnswer {
        let answer = try await client.execute(
          uri: "/webhooks/acme", method: .post, headers: headers, body: ByteBuffer(string: body))
        return TestAnswer(status: answer.status.code, json: answer.json)
      }
      let first = try await deliver(signature)
      #expect(first.status == 200)
      #expect(first.json["received"] == true)
      #expect(first.json["duplicate"] == false)
      let second = try await deliver(signature)
      #expect(second.json["duplicate"] == true)
      #expect(second.json["event_id"] == first.json["event_id"])
      let forged = try await deliver(
        WebhookSigner.stripe(
          body: Array(body.utf8), secret: "whsec_somebody_else", at: SystemClock().now))
      #expect(forged.status == 400)
      let id = try #require(first.json["event_id"]?.string)
      let event = try await client.execute(
        uri: "/v1/events/\(id)", method: .get, headers: ServerHarness.admin)
      #expect(event.json["duplicates"] == 1)
      #expect(event.json[path: "payload.id"] == "evt_1")
    }
  }

  private struct TestAnswer {
    let status: Int
    let json: JSONValue
  }

  @Test func aConnectLinkSaysForWhomAndIsRefusedOnceUsed() async throws {
    let harness = try await ServerHarness()
    try await harness.test { client in
      let link = try await client.execute(
        uri: "/v1/connect/sessions", method: .post, headers: ServerHarness.admin,
        body: ByteBuffer(string: #"{"owner":"u1","owner_label":"<b>Ada</b>"}"#))
      #expect(link.status == .created)
      let url = try #require(link.json["url"]?.string)
      let path = url.dropFirst(harness.fairlead.settings.publicURL.count)
      let page = try await client.execute(uri: String(path), method: .get)
      #expect(page.status == .ok)
      let html = String(buffer: page.body)
      #expect(html.contains("&lt;b&gt;Ada&lt;/b&gt;"))
      #expect(!html.contains("<b>Ada"))
      #expect(page.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
      let unknown = try await client.execute(uri: "/connect/unknown", method: .get)
      #expect(unknown.status == .notFound)
      #expect(unknown.headers[.contentType]?.hasPrefix("text/html") == true)
    }
  }

  @Test func readinessAndMetricsAnswer() async throws {
    let harness = try await ServerHarness()
    try await harness.test { client in
      #expect(try await client.execute(uri: "/healthz", method: .get).status == .ok)
      #expect(try await client.execute(uri: "/healthz", method: .head).status == .ok)
      #expect(try await client.execute(uri: "/readyz", method: .get).status == .ok)
      let metrics = try await client.execute(
        uri: "/metrics", method: .get, headers: ServerHarness.admin)
      #expect(String(buffer: metrics.body).contains("fairlead_jobs{state=\"pending\"} 0"))
    }
  }
}
