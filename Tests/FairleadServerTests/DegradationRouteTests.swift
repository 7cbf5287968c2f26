import Fairlead
import FairleadSQLite
import FairleadTesting
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Testing

@testable import FairleadServer

/// Fallbacks and circuit breakers as an application meets them over HTTP and in Swift.
@Suite struct DegradationRouteTests {
  private static func fairlead(_ transport: StubTransport, clock: ManualClock) async throws
    -> Fairlead
  {
    var settings = ProviderDefinition.FallbackSettings()
    settings.staleIfError = .seconds(600)
    settings.responses = [
      .init(methods: ["GET"], path: "/orders/{id}", content: .json(["text": "Back soon."])),
      .init(
        methods: ["GET"], path: "/stream", content: .events([.init(data: "a"), .init(data: "b")])),
    ]
    var definition = ProviderDefinition(
      name: "acme", displayName: "Acme", purpose: "Orders", baseURL: "https://acme.example",
      auth: .apiKey)
    definition.retry.attempts = 1
    var integrations: [Integration] = []
    for name in ["acme", "plain"] as [IntegrationName] {
      var integration = Integration(
        name: name, definition: definition,
        defaultCredential: .apiKey(key: Secret("acme-key"), secret: nil))
      if name == "acme" { integration.fallback = .settings(settings) }
      integrations.append(integration)
    }
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return try await Fairlead(
      database: .sqlite(":memory:"), vault: .keys(Secret(try KeyRing.generate(id: "test"))),
      integrations: integrations, settings: Settings(adminKey: Secret(ServerHarness.adminKey)),
      transport: transport, clock: clock, logger: logger)
  }

  private static func test(
    otherwise: StubTransport.Answer = .text(503, "down"),
    _ body:
      @escaping @Sendable (any TestClientProtocol, Fairlead, StubTransport, ManualClock)
      async throws -> Void
  ) async throws {
    let clock = ManualClock()
    let transport = StubTransport(otherwise: otherwise, clock: clock)
    let fairlead = try await fairlead(transport, clock: clock)
    let server = WebServer(
      fairlead, host: "127.0.0.1", port: 0, logger: fairlead.logger, onListening: { _ in })
    try await server.application().test(.router) { client in
      try await body(client, fairlead, transport, clock)
    }
    try await fairlead.close()
  }

  @Test func aFallbackIsFlaggedAndSaysWhatHappened() async throws {
    let code = try #require(HTTPField.Name("fairlead-error-code"))
    let flag = try #require(HTTPField.Name("fairlead-fallback"))
    let kind = try #require(HTTPField.Name("fairlead-fallback-kind"))
    try await Self.test { client, _, _, _ in
      let canned = try await client.execute(
        uri: "/v1/proxy/acme/orders/7", method: .get, headers: ServerHarness.admin)
      #expect(canned.status == .ok && canned.json == ["text": "Back soon."])
      #expect(canned.headers[flag] == "true" && canned.headers[kind] == "canned")
      #expect(canned.headers[code] == "SERVICE_UNAVAILABLE")
      #expect(canned.headers[.contentLength] == "21")
      let stream = try await client.execute(
        uri: "/v1/proxy/acme/stream", method: .get, headers: ServerHarness.admin)
      #expect(String(buffer: stream.body) == "data: a\n\ndata: b\n\n")
      #expect(stream.headers[flag] == "true")
      var headers = ServerHarness.admin
      headers[flag] = "off"
      let failure = try await client.execute(
        uri: "/v1/proxy/acme/orders/7", method: .get, headers: headers)
      #expect(failure.status == .serviceUnavailable && failure.headers[flag] == nil)
      #expect(String(buffer: failure.body) == "down")
    }
  }

  @Test func aLastGoodAnswerIsFlaggedWithItsAge() async throws {
    let kind = try #require(HTTPField.Name("fairlead-fallback-kind"))
    try await Self.test { client, _, transport, clock in
      transport.enqueue(.json(200, ["v": 1]))
      for _ in 0..<2 {
        let answer = try await client.execute(
          uri: "/v1/proxy/acme/things", method: .get, headers: ServerHarness.admin)
        #expect(answer.status == .ok && answer.json == ["v": 1])
        #expect((answer.headers[kind] == "stale") == (answer.headers[.age] == "9"))
        if transport.requests.count == 2 { #expect(answer.headers[kind] == "stale") }
        clock.advance(by: .seconds(9))
      }
    }
  }

  @Test func anOpenBreakerIsSeenEverywhereAndOnlyThere() async throws {
    try await Self.test(
      otherwise: .decide { $0.url.hasSuffix("/well") ? .text(200) : .text(503) }
    ) { client, fairlead, transport, clock in
      for _ in 0..<5 {
        _ = try await client.execute(
          uri: "/v1/proxy/plain/things", method: .get, headers: ServerHarness.admin)
      }
      let refused = try await client.execute(
        uri: "/v1/proxy/plain/things", method: .get, headers: ServerHarness.admin)
      #expect(refused.status == .serviceUnavailable)
      #expect(refused.errorCode == "SERVICE_UNAVAILABLE")
      #expect(["4", "5"].contains(refused.headers[.retryAfter]))
      #expect(transport.requests.count == 5)

      let status = try await client.execute(
        uri: "/v1/integrations/plain", method: .get, headers: ServerHarness.admin)
      #expect(status.json["breaker"] == "open" && status.json["fallback"] == false)
      #expect(
        status.json["message"]?.string?.hasPrefix("Acme is temporarily unavailable") == true)
      let other = try await client.execute(
        uri: "/v1/integrations/acme", method: .get, headers: ServerHarness.admin)
      #expect(other.json["breaker"] == "closed" && other.json["fallback"] == true)
      #expect(await fairlead.isHealthy("plain") == false)
      #expect(await fairlead.isHealthy("acme"))
      let metrics = try await fairlead.renderMetrics()
      #expect(metrics.contains(#"fairlead_breaker_state{integration="plain"} 2"#))
      #expect(metrics.contains(#"fairlead_breaker_state{integration="acme"} 0"#))

      clock.advance(by: .seconds(5))
      let probe = try await client.execute(
        uri: "/v1/proxy/plain/well", method: .get, headers: ServerHarness.admin)
      #expect(probe.status == .ok)
      let recovered = try await client.execute(
        uri: "/v1/integrations/plain", method: .get, headers: ServerHarness.admin)
      #expect(recovered.json["breaker"] == "closed")
    }
  }

  @Test func swiftGetsTheFallbackWithAReportThatSaysSo() async throws {
    try await Self.test { _, fairlead, _, _ in
      let reply = try await fairlead.call("acme", .get("/orders/7"))
      #expect(try reply.json() == ["text": "Back soon."])
      #expect(reply.report.fallback == .canned)
      #expect(reply.report.error?.code == .serviceUnavailable)
      let error = await #expect(throws: FairleadError.self) {
        try await fairlead.call("acme", .get("/orders/7"), fallback: false)
      }
      #expect(error?.code == .serviceUnavailable)
    }
  }
}
