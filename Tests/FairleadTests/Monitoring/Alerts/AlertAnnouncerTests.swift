import FairleadTesting
import HTTPTypes
import NIOCore
import Testing

@testable import Fairlead

@Suite(.timeLimit(.minutes(1))) struct AlertAnnouncerTests {
  private func header(_ name: String, _ request: StubTransport.Request) -> String? {
    HTTPField.Name(name).flatMap { request.headers[$0] }
  }

  @Test(arguments: TestEngine.all)
  func theWebhookIsToldBothAndCanVerifyThem(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: AlertsHarness.migrations) { database in
      let harness = AlertsHarness(database)
      harness.breakStripe()
      try await harness.alerts.evaluate()
      try await harness.drain()
      try await harness.recover()
      try await harness.drain()
      #expect(try harness.told() == ["alert.fired", "alert.resolved"])
      let alert = try #require(try await harness.all().first)
      let requests = harness.transport.requests
      #expect(requests.map(\.url) == Array(repeating: "https://hooks.example/alerts", count: 2))
      for (request, end) in zip(requests, ["fired", "resolved"]) {
        let id = try #require(header("webhook-id", request))
        #expect(id == "\(alert.id)_\(end)")
        let timestamp = try #require(header("webhook-timestamp", request))
        let body = Array(request.body.readableBytesView)
        #expect(
          header("webhook-signature", request)
            == StandardWebhooks.signature(
              keys: [AlertsHarness.key], id: id, timestamp: timestamp, body: body))
        let json = try JSONValue(parsing: body)
        #expect(json["type"] == .string("alert.\(end)"))
        #expect(json[path: "data.id"] == .string(alert.id.rawValue))
        #expect(json[path: "data.rule"] == "success_rate")
        #expect(json[path: "data.state"] == .string(end == "fired" ? "firing" : "resolved"))
      }
      let fired = try JSONValue(parsing: requests[0].body.readableBytesView)
      #expect(fired["timestamp"] == .string(alert.firedAt.rfc3339))
      #expect(fired["data"]?.object?["resolved_at"] == JSONValue.null)
      let resolved = try JSONValue(parsing: requests[1].body.readableBytesView)
      #expect(resolved["timestamp"]?.string == alert.resolvedAt?.rfc3339)
    }
  }

  @Test(arguments: TestEngine.all)
  func aReceiverThatFailsIsTriedAgainWithTheSameMessage(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: AlertsHarness.migrations) { database in
      let harness = AlertsHarness(database)
      harness.transport.enqueue(
        .text(500), .failure(TransportError(.timeout, nothingSent: false, detail: "no answer")),
        .text(302))
      harness.breakStripe()
      try await harness.alerts.evaluate()
      for _ in 0..<4 {
        try await harness.drain()
        harness.clock.advance(by: .seconds(200))
        // The figures move on; the message is the same.
        harness.monitored.record(5, .failure)
        try await harness.alerts.evaluate()
      }
      let requests = harness.transport.requests
      #expect(requests.count == 4)
      #expect(Set(requests.map { header("webhook-id", $0) }).count == 1)
      #expect(Set(requests.map(\.bodyText)).count == 1)
      #expect(try await harness.queue.counts() == JobCounts(pending: 0, running: 0, dead: 0))
    }
  }

  @Test(arguments: TestEngine.all)
  func aResolutionIsToldAfterTheFiringEvenWhenThatIsLate(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: AlertsHarness.migrations) { database in
      let harness = AlertsHarness(database)
      harness.transport.enqueue(.text(503))
      harness.breakStripe()
      try await harness.alerts.evaluate()
      try await harness.drain()
      try await harness.recover()
      try await harness.drain()
      let told = try harness.told()
      #expect(told == ["alert.fired", "alert.fired", "alert.resolved"])
    }
  }

  /// The resolution comes between the sending and the note of it.
  @Test(arguments: TestEngine.all)
  func aResolutionDuringTheSendingIsNotLost(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: AlertsHarness.migrations) { database in
      let harness = AlertsHarness(database)
      harness.transport.enqueue(
        .decide { _ in
          try await harness.recover()
          return .text(200)
        })
      harness.breakStripe()
      try await harness.alerts.evaluate()
      try await harness.drain()
      #expect(try harness.told() == ["alert.fired", "alert.resolved"])
      #expect(try await harness.queue.counts() == JobCounts(pending: 0, running: 0, dead: 0))
    }
  }

  /// The lease of the first run ends before it does.
  @Test(arguments: TestEngine.all)
  func anAnnouncementThatRunsTwiceTellsOnce(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: AlertsHarness.migrations) { database in
      let harness = AlertsHarness(database)
      harness.breakStripe()
      try await harness.alerts.evaluate()
      let job = try #require(try await harness.claim().first)
      // Now another worker has it too.
      harness.clock.advance(by: .seconds(31))
      let again = try #require(try await harness.claim().first)
      try await harness.run(job)
      #expect(try await harness.queue.counts().running == 1)
      try await harness.run(again)
      #expect(try await harness.queue.counts() == JobCounts(pending: 0, running: 0, dead: 0))
      #expect(try harness.told() == ["alert.fired"])
      try await harness.recover()
      try await harness.drain()
      #expect(try harness.told() == ["alert.fired", "alert.resolved"])
    }
  }

  @Test func aReceiverThatNeverAnswersIsGivenUpButTheNextAlertIsTold() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: AlertsHarness.migrations) {
      database in
      let harness = AlertsHarness(database)
      let attempts = DeliverySchedule.alerts.waits.count
      for _ in 0..<attempts { harness.transport.enqueue(.text(500)) }
      harness.breakStripe()
      try await harness.alerts.evaluate()
      for _ in 0..<attempts + 3 {
        try await harness.drain()
        harness.clock.advance(by: .seconds(20_000))
      }
      #expect(harness.transport.requests.count == attempts)
      #expect(try await harness.queue.counts().dead == 1)
      try await harness.recover()
      try await harness.drain()
      #expect(try harness.told().suffix(2) == ["alert.fired", "alert.resolved"])
    }
  }

  @Test func nothingIsQueuedWithoutAWebhook() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: AlertsHarness.migrations) {
      database in
      let harness = AlertsHarness(database) { $0.webhook = nil }
      harness.breakStripe()
      try await harness.alerts.evaluate()
      #expect(try await harness.all().count == 1)
      #expect(try await harness.queue.counts() == JobCounts(pending: 0, running: 0, dead: 0))
    }
  }
}
