import FairleadTesting
import HTTPTypes
import Synchronization
import Testing

@testable import Fairlead

@Suite struct ForwardingTests {
  static let url = "https://app.example.test/hooks"

  /// Whether `sent` carries a signature that each of `secrets` verifies.
  private func isSigned(
    _ sent: RecordingTransport.Sent, by secrets: [Secret], at now: Timestamp
  ) throws -> Bool {
    try secrets.allSatisfy { secret in
      let verdict = try SignatureCheck(
        headers: sent.headers, body: sent.body, secrets: [secret], now: now, settings: .clerk
      ).verdict()
      if case .verified = verdict { return true } else { return false }
    }
  }

  @Test(arguments: TestEngine.all)
  func forwardsTheExactBytesSigned(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      let created = try await harness.destinations.create(NewDestination(url: Self.url))
      let body = "{ \"id\" : \"evt_1\",\n\"type\":\"invoice.paid\", \"x\":\"Zo\u{eb} \\u00e9\" }"
      let id = try await harness.receiveStripe(body).acceptedID
      try await harness.drain()
      let sent = try #require(harness.transport.sent.first)
      #expect(harness.transport.sent.count == 1)
      #expect(sent.url == Self.url)
      #expect(sent.body == Array(body.utf8))
      #expect(sent["content-type"] == "application/json; charset=utf-8")
      #expect(sent["webhook-id"] == id.rawValue)
      #expect(sent["webhook-timestamp"] == "1800000000")
      #expect(sent["fairlead-integration"] == "stripe")
      #expect(sent["fairlead-event-type"] == "invoice.paid")
      #expect(sent["fairlead-attempt"] == "1")
      #expect(try isSigned(sent, by: [created.secret], at: harness.clock.now))
      #expect(created.secret.expose().hasPrefix("whsec_"))
      #expect(try await harness.inbox.event(id).event.status == .processed)
    }
  }

  @Test(arguments: TestEngine.all)
  func sendsTheSameIDOnEveryAttemptUntilItIsTaken(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      _ = try await harness.destinations.create(NewDestination(url: Self.url))
      harness.transport.answer { sent, number in
        switch number {
        case 1: throw TransportError(.connect, nothingSent: true, detail: "refused")
        case 2: return try await RecordingTransport.status(302)(sent, number)
        case 3:
          return try await RecordingTransport.status(500, body: "key sk_live_abcdefghijk bad")(
            sent, number)
        default: return try await RecordingTransport.status(204)(sent, number)
        }
      }
      let id = try await harness.event("a.b")
      for _ in 0..<4 {
        try await harness.drain()
        harness.clock.advance(by: .seconds(150))
      }
      #expect(
        harness.transport.sent.map { $0["webhook-id"] } == Array(repeating: id.rawValue, count: 4))
      #expect(harness.transport.sent.map { $0["fairlead-attempt"] } == ["1", "2", "3", "4"])
      #expect(Set(harness.transport.sent.map { $0["webhook-timestamp"] }).count == 4)
      let delivery = try await harness.deliveries.list().items[0]
      #expect(delivery.status == .succeeded)
      #expect(delivery.history.map(\.status) == [nil, 302, 500, 204])
      #expect(delivery.history[2].response == "key [redacted] bad")
      #expect(delivery.history[1].error?.contains("redirect") == true)
      #expect(try await harness.inbox.event(id).event.status == .processed)
    }
  }

  @Test(arguments: TestEngine.all)
  func honoursRetryAfterAsAFloor(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      _ = try await harness.destinations.create(NewDestination(url: Self.url))
      harness.transport.answer(RecordingTransport.status(503, headers: [.retryAfter: "120"]))
      _ = try await harness.event("a.b")
      try await harness.drain()
      harness.clock.advance(by: .seconds(119))
      try await harness.drain()
      #expect(harness.transport.sent.count == 1)
      harness.clock.advance(by: .seconds(14))
      try await harness.drain()
      #expect(harness.transport.sent.count == 2)
    }
  }

  @Test(
    arguments: [
      ("0", 0), ("120", 120), (" 7 ", 7), ("-1", nil), ("1.5", nil), ("", nil), ("soon", nil),
      ("Fri, 15 Jan 2027 08:01:00 GMT", 60), ("Fri, 15 Jan 2027 07:00:00 GMT", 0),
      ("99999999999999999999999", 2_147_483_647),
    ] as [(String, Int64?)])
  func readsRetryAfterInBothForms(text: String, seconds: Int64?) {
    let wait = RetryAfterField.wait(text, now: InboxHarness.now)
    #expect(wait == seconds.map { Duration.seconds($0) })
  }

  @Test(arguments: TestEngine.all)
  func goneSwitchesTheDestinationOff(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      let created = try await harness.destinations.create(NewDestination(url: Self.url))
      harness.transport.answer(RecordingTransport.status(410))
      let id = try await harness.event("a.b")
      try await harness.drain()
      #expect(try await harness.inbox.event(id).event.status == .dead)
      let destination = try await harness.destinations.get(created.destination.id)
      #expect(destination.state == .disabled)
      #expect(destination.stateReason?.contains("410") == true)
      // Later events pass it by, until someone switches it on.
      let next = try await harness.event("a.b", id: "evt_2")
      try await harness.drain()
      #expect(try await harness.inbox.event(next).event.status == .processed)
      #expect(harness.transport.sent.count == 1)
      let change = DestinationChange(state: .active)
      #expect(
        try await harness.destinations.update(created.destination.id, change).stateReason == nil)
      harness.transport.answer(RecordingTransport.status(200))
      _ = try await harness.inbox.replay(id)
      try await harness.drain()
      #expect(try await harness.inbox.event(id).event.status == .processed)
    }
  }

  @Test(arguments: TestEngine.all)
  func sendsOnlyWhatADestinationWants(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      for (path, integrations, types, owner) in [
        ("all", [], [], nil), ("invoices", [], ["invoice.*"], nil),
        ("github", ["github"], [], nil), ("both", ["stripe"], ["a.b", "invoice.paid"], nil),
        ("owned", [], [], "user_1"),
      ] as [(String, [IntegrationName], [String], Owner?)] {
        _ = try await harness.destinations.create(
          NewDestination(
            url: "https://app.example.test/\(path)", integrations: integrations, types: types,
            owner: owner))
      }
      let paused = try await harness.destinations.create(NewDestination(url: Self.url))
      _ = try await harness.destinations.update(
        paused.destination.id, DestinationChange(state: .paused))
      _ = try await harness.event("invoice.paid")
      try await harness.drain()
      let paths = harness.transport.sent.map { $0.url.split(separator: "/").last! }
      #expect(Set(paths) == ["all", "invoices", "both"])
    }
  }

  @Test(arguments: TestEngine.all)
  func aDeletedDestinationCancelsWhatWasOnItsWay(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      let created = try await harness.destinations.create(NewDestination(url: Self.url))
      harness.transport.answer(RecordingTransport.status(500))
      let id = try await harness.event("a.b")
      try await harness.drain()
      try await harness.destinations.delete(created.destination.id)
      harness.clock.advance(by: .seconds(10))
      try await harness.drain()
      let detail = try await harness.inbox.event(id)
      #expect(detail.deliveries.map(\.status) == [.cancelled])
      #expect(detail.event.status == .processed)
      #expect(harness.transport.sent.count == 1)
    }
  }

  @Test(arguments: TestEngine.all)
  func aRotatedSecretSignsBesideTheOldOneForADay(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      let created = try await harness.destinations.create(NewDestination(url: Self.url))
      let rotated = try await harness.destinations.rotateSecret(created.destination.id)
      #expect(rotated.secret != created.secret)
      _ = try await harness.event("a.b")
      try await harness.drain()
      let both = [created.secret, rotated.secret]
      #expect(try isSigned(harness.transport.sent[0], by: both, at: harness.clock.now))
      harness.clock.advance(by: .seconds(86_401))
      _ = try await harness.event("a.b", id: "evt_2")
      try await harness.drain()
      let later = harness.transport.sent[1]
      #expect(try isSigned(later, by: [rotated.secret], at: harness.clock.now))
      #expect(try !isSigned(later, by: [created.secret], at: harness.clock.now))
    }
  }

  @Test(arguments: TestEngine.all)
  func keepsDestinationSecretsSealed(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      let created = try await harness.destinations.create(NewDestination(url: Self.url))
      let rows = try await harness.database.read {
        try $0.query("SELECT secrets FROM destinations", []).map { try $0.blob(0) }
      }
      let text = String(decoding: try #require(rows.first), as: UTF8.self)
      #expect(!text.contains(created.secret.expose().dropFirst("whsec_".count)))
      #expect(!text.contains("whsec_"))
    }
  }

  @Test(arguments: TestEngine.all)
  func oneFullDestinationIsPutBackAndCountsNoAttempt(engine: TestEngine) async throws {
    try await InboxHarness.with(engine, perDestination: 1) { harness in
      _ = try await harness.destinations.create(NewDestination(url: Self.url))
      let gate = Gate()
      harness.transport.answer { sent, number in
        await gate.wait()
        return try await RecordingTransport.status(200)(sent, number)
      }
      _ = try await harness.event("a.b", id: "evt_1")
      _ = try await harness.event("a.b", id: "evt_2")
      for job in try await harness.claim() { try await harness.run(job) }
      let jobs = try await harness.claim()
      #expect(jobs.count == 2)
      async let first: Void = harness.run(jobs[0])
      try await eventually { harness.transport.sent.count == 1 }
      // The second finds the destination full and returns while the first still runs.
      try await harness.run(jobs[1])
      #expect(harness.transport.sent.count == 1)
      gate.open()
      try await first
      harness.clock.advance(by: .seconds(60))
      try await harness.drain()
      let items = try await harness.deliveries.list().items
      #expect(items.map(\.status) == [.succeeded, .succeeded])
      #expect(items.map(\.attempts) == [1, 1])
    }
  }

  @Test(arguments: TestEngine.all)
  func aDeliveryWhoseResultWasLostIsSentAgainUnderTheSameID(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      _ = try await harness.destinations.create(NewDestination(url: Self.url))
      let id = try await harness.event("a.b")
      for job in try await harness.claim() { try await harness.run(job) }
      // One worker claims the delivery and stops responding; its lease runs out.
      let lost = try #require(try await harness.claim().first)
      harness.clock.advance(by: .seconds(31))
      let second = try #require(try await harness.claim().first)
      #expect(second.id == lost.id)
      #expect(second.crashes == 1)
      try await harness.run(second)
      // The first worker wakes up again and sends as well; what it wants to record is refused.
      try await harness.run(lost)
      #expect(harness.transport.sent.map { $0["fairlead-attempt"] } == ["2"])
      let delivery = try await harness.deliveries.list().items[0]
      #expect(delivery.status == .succeeded)
      #expect(delivery.attempts == 1)
      #expect(delivery.crashes == 1)
      #expect(try await harness.inbox.event(id).event.attempts == 1)
      #expect(try await harness.openJobs() == 0)
    }
  }

  @Test(arguments: TestEngine.all)
  func aWorkerThatLostItsClaimWhileSendingRecordsNothing(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      _ = try await harness.destinations.create(NewDestination(url: Self.url))
      let id = try await harness.event("a.b")
      for job in try await harness.claim() { try await harness.run(job) }
      let gate = Gate()
      harness.transport.answer { sent, number in
        if number == 1 { await gate.wait() }
        return try await RecordingTransport.status(number == 1 ? 500 : 200)(sent, number)
      }
      let lost = try #require(try await harness.claim().first)
      async let slow: Void = harness.run(lost)
      try await eventually { harness.transport.sent.count == 1 }
      harness.clock.advance(by: .seconds(31))
      let second = try #require(try await harness.claim().first)
      try await harness.run(second)
      gate.open()
      try await slow
      #expect(harness.transport.sent.map { $0["webhook-id"] } == [id.rawValue, id.rawValue])
      let delivery = try await harness.deliveries.list().items[0]
      #expect(delivery.status == .succeeded)
      #expect(delivery.history.map(\.status) == [200])
      #expect(try await harness.inbox.event(id).event.status == .processed)
      #expect(try await harness.openJobs() == 0)
    }
  }
}
