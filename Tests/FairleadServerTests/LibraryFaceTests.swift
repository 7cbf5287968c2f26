import Fairlead
import FairleadSQLite
import FairleadTesting
import HTTPTypes
import Logging
import ServiceLifecycle
import Synchronization
import Testing

/// What README shows a Swift server to write, run for real.
@Suite struct LibraryFaceTests {
  @Test func aServerCallsAProviderAndHandlesItsEvents() async throws {
    let transport = StubTransport([
      .json(200, ["id": "cus_1", "object": "customer", "email": "a@b.c"])
    ])
    let secret = "whsec_library"
    let fairlead = try await Fairlead(
      database: .sqlite(":memory:"), vault: .keys(Secret(try KeyRing.generate(id: "k1"))),
      integrations: [
        .slack(clientID: "1.2", clientSecret: Secret("s")),
        .stripe(secretKey: Secret("sk_test_1"), webhookSecret: Secret(secret)),
        .openAI(apiKey: Secret("sk-1")),
      ], transport: transport, logger: Logger(label: "test"))
    let handled = Mutex<[String]>([])
    let (events, event) = AsyncStream<String>.makeStream()
    fairlead.inbox.on("payment_intent.*", from: "stripe") { received, context in
      let id = try context.json()["id"]?.string ?? "none"
      handled.withLock { $0.append("\(received.type) \(id)") }
      event.yield(id)
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      let services = ServiceGroup(services: [fairlead], logger: fairlead.logger)
      group.addTask { try await services.run() }

      let reply = try await fairlead.call(
        "stripe", .post("/v1/customers", form: ["email": "a@b.c"]))
      #expect(try reply.json()["id"] == "cus_1")
      let sent = try #require(transport.requests.first)
      #expect(sent.headers[.authorization] == "Bearer sk_test_1")
      #expect(sent.url == "https://api.stripe.com/v1/customers")
      #expect(await fairlead.isHealthy("stripe"))
      #expect(await !fairlead.isHealthy("nobody"))

      let body = Array(#"{"id":"evt_9","type":"payment_intent.succeeded"}"#.utf8)
      let webhook = InboundWebhook(
        integration: "stripe",
        headers: WebhookSigner.stripe(body: body, secret: secret, at: SystemClock().now),
        body: body)
      for _ in 0..<3 { _ = try await fairlead.inbox.receive(webhook) }
      #expect(await events.first { _ in true } == "evt_9")
      await services.triggerGracefulShutdown()
      try await group.waitForAll()
    }
    #expect(handled.withLock { $0 } == ["payment_intent.succeeded evt_9"])
    try await fairlead.close()
  }
}
