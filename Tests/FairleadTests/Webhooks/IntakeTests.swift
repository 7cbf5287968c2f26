import FairleadTesting
import HTTPTypes
import Testing

@testable import Fairlead

@Suite struct IntakeTests {
  static let body = #"{"id":"evt_1","type":"invoice.paid","data":{"object":{"id":"in_1"}}}"#

  @Test(arguments: TestEngine.all)
  func storesAnEventExactlyAsReceived(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      let receipt = try await harness.receiveStripe(Self.body)
      let id = try receipt.acceptedID
      #expect(receipt == .accepted(id, duplicate: false))
      let detail = try await harness.inbox.event(id)
      #expect(detail.event.integration == "stripe")
      #expect(detail.event.providerEventID == "evt_1")
      #expect(detail.event.type == "invoice.paid")
      #expect(detail.event.status == .received)
      #expect(detail.event.receivedAt == InboxHarness.now)
      #expect(detail.payload == Array(Self.body.utf8))
      #expect(detail.deliveries.isEmpty)
      #expect(
        detail.headers == [
          EventHeader(name: "Stripe-Signature", value: "[redacted]"),
          EventHeader(name: "Content-Type", value: "application/json; charset=utf-8"),
        ])
      #expect(harness.observer.occurrences == [.received])
    }
  }

  @Test(arguments: TestEngine.all)
  func aHundredCopiesAtOnceMakeOneEventAndOneJob(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      let receipts = try await withThrowingTaskGroup(of: Receipt.self) { group in
        for _ in 0..<100 { group.addTask { try await harness.receiveStripe(Self.body) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      let ids = Set(try receipts.map { try $0.acceptedID })
      #expect(ids.count == 1)
      #expect(receipts.count { $0 == .accepted(ids.first!, duplicate: false) } == 1)
      let page = try await harness.inbox.events()
      #expect(page.items.map(\.duplicates) == [99])
      #expect(try await harness.openJobs() == 1)
      #expect(harness.observer.occurrences.count { $0 == .duplicate } == 99)
    }
  }

  @Test(arguments: TestEngine.all)
  func aDuplicateOfAFailedEventNamesItAndIsNotProcessedTwice(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      harness.inbox.on("*", from: "stripe") { _, _ in throw EventHandlerError.permanent("no") }
      let id = try await harness.receiveStripe(Self.body).acceptedID
      try await harness.drain()
      #expect(try await harness.inbox.event(id).event.status == .dead)
      #expect(try await harness.receiveStripe(Self.body) == .accepted(id, duplicate: true))
      #expect(try await harness.openJobs() == 0)
    }
  }

  @Test(arguments: TestEngine.all)
  func anotherBodyUnderASignedIDIsQuarantined(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      harness.inbox.on("*", from: "stripe") { _, _ in }
      let first = try await harness.receiveStripe(Self.body).acceptedID
      let changed = Self.body.replacing("in_1", with: "in_2")
      let second = try await harness.receiveStripe(changed)
      #expect(try second.acceptedID != first)
      #expect(second == .accepted(try second.acceptedID, duplicate: false))
      #expect(
        try await harness.receiveStripe(changed)
          == .accepted(try second.acceptedID, duplicate: true))
      try await harness.drain()
      let apart = try await harness.inbox.event(try second.acceptedID)
      #expect(apart.event.status == .quarantined)
      #expect(apart.event.duplicates == 1)
      #expect(apart.event.error != nil)
      #expect(apart.payload == Array(changed.utf8))
      #expect(apart.deliveries.isEmpty)
      let original = try await harness.inbox.event(first)
      #expect(original.event.status == .processed)
      #expect(original.event.duplicates == 0)
      #expect(original.payload == Array(Self.body.utf8))
      #expect(harness.observer.occurrences.contains(.quarantined))
    }
  }

  @Test(arguments: TestEngine.all)
  func anUnsignedIDDedupesNothingTheBodyDoes(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      let one = try await harness.receiveGitHub(#"{"n":1}"#, delivery: "d1").acceptedID
      let other = try await harness.receiveGitHub(#"{"n":2}"#, delivery: "d1").acceptedID
      #expect(one != other)
      #expect(
        try await harness.receiveGitHub(#"{"n":1}"#, delivery: "d9")
          == .accepted(one, duplicate: true))
      let event = try await harness.inbox.event(one).event
      #expect(event.providerEventID == "d1")
      #expect(event.type == "push")
    }
  }

  @Test(arguments: TestEngine.all)
  func aSignedHeaderIDDedupes(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      func receive(_ body: String, id: String) async throws -> Receipt {
        let bytes = Array(body.utf8)
        return try await harness.inbox.receive(
          InboundWebhook(
            integration: "clerk",
            headers: WebhookSigner.standard(
              body: bytes, secret: WebhookSecrets.clerk, id: id, at: harness.clock.now,
              family: .svix),
            body: bytes))
      }
      let body = #"{"type":"user.created"}"#
      let first = try await receive(body, id: "msg_1").acceptedID
      #expect(try await receive(body, id: "msg_1") == .accepted(first, duplicate: true))
      // The same body under another signed id is another event.
      #expect(try await receive(body, id: "msg_2").acceptedID != first)
      #expect(try await harness.inbox.event(first).event.providerEventID == "msg_1")
    }
  }

  @Test(arguments: TestEngine.all)
  func aSignedBodyThatCannotBeReadIsKeptAsDead(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      harness.inbox.on("*", from: "stripe") { _, _ in Issue.record("handled") }
      for (number, body) in ["", "{", "not json", "\u{1}", #"{"id":"evt_1""#].enumerated() {
        let id = try await harness.receiveStripe(body).acceptedID
        let detail = try await harness.inbox.event(id)
        #expect(detail.event.status == .dead)
        #expect(detail.event.error?.contains("JSON") == true)
        #expect(detail.payload == Array(body.utf8))
        #expect(try await harness.receiveStripe(body) == .accepted(id, duplicate: true))
        #expect(harness.observer.occurrences.count { $0 == .dead } == number + 1)
      }
      try await harness.drain()
    }
  }

  @Test(arguments: TestEngine.all)
  func survivesWhateverJSONIsSigned(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      let long = String(repeating: "x", count: 300)
      let deep = String(repeating: "[", count: 5_000) + String(repeating: "]", count: 5_000)
      for body in [
        "[]", "1", "null", #""text""#, #"{"id":5,"type":null}"#, #"{"id":{},"type":[]}"#,
        #"{"id":"","type":""}"#, #"{"id":"a\u0000b","type":"c\u0000d"}"#,
        #"{"id":"\#(long)","type":"\#(long)"}"#, #"{"id":1e400,"type":99999999999999999999}"#,
        deep, String(repeating: "[", count: 500) + String(repeating: "]", count: 500),
        #"{"id":"\ud800","type":"x"}"#,
      ] {
        let receipt = try await harness.receiveStripe(body)
        let detail = try await harness.inbox.event(try receipt.acceptedID)
        #expect(detail.payload == Array(body.utf8))
      }
      try await harness.drain()
    }
  }

  @Test(arguments: TestEngine.all)
  func refusesAForgedOrStaleOneAndStoresNothing(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      let forged = try await harness.receiveStripe(Self.body, secret: "whsec_wrong")
      guard case .rejected(400, let message) = forged else {
        Issue.record("a forged event was answered \(forged)")
        return
      }
      #expect(!message.contains("whsec"))
      let bytes = Array(Self.body.utf8)
      let headers = WebhookSigner.stripe(
        body: bytes, secret: WebhookSecrets.stripe, at: harness.clock.now)
      harness.clock.advance(by: .seconds(301))
      let stale = try await harness.inbox.receive(
        InboundWebhook(integration: "stripe", headers: headers, body: bytes))
      guard case .rejected(400, _) = stale else {
        Issue.record("a stale event was answered \(stale)")
        return
      }
      #expect(try await harness.inbox.events().items.isEmpty)
      #expect(harness.observer.occurrences == [.rejected(.forged), .rejected(.stale)])
    }
  }

  @Test(arguments: TestEngine.all)
  func answersAChallengeOnlyWhenItIsSigned(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      let bytes = Array(
        #"{"type":"url_verification","token":"t","challenge":"3eZbrw1aB"}"#.utf8)
      func receive(_ secret: String) async throws -> Receipt {
        try await harness.inbox.receive(
          InboundWebhook(
            integration: "slack",
            headers: WebhookSigner.slack(body: bytes, secret: secret, at: harness.clock.now),
            body: bytes))
      }
      #expect(try await receive(WebhookSecrets.slack) == .challenge(text: "3eZbrw1aB"))
      guard case .rejected(401, _) = try await receive("wrong") else {
        Issue.record("an unsigned challenge was answered")
        return
      }
      #expect(try await harness.inbox.events().items.isEmpty)
    }
  }

  @Test(arguments: [
    (IntegrationName("nobody"), ErrorCode.notFound), ("silent", .notFound),
    ("keyless", .configurationError),
  ])
  func failsClosed(integration: IntegrationName, code: ErrorCode) async throws {
    try await InboxHarness.with(.sqliteMemory) { harness in
      let bytes = Array(Self.body.utf8)
      await #expect {
        try await harness.inbox.receive(
          InboundWebhook(
            integration: integration,
            headers: WebhookSigner.stripe(body: bytes, secret: "", at: harness.clock.now),
            body: bytes))
      } throws: { error in
        (error as? FairleadError)?.code == code
      }
    }
  }

  @Test func asksTheSenderBackWhenStorageFails() async throws {
    try await InboxHarness.with(
      .sqliteMemory,
      wrap: { base in
        InterposedDatabase(base) { number in
          if number == 1 { throw StorageError.unavailable("disk full") }
        }
      }
    ) { harness in
      await #expect {
        try await harness.receiveStripe(Self.body)
      } throws: { error in
        (error as? FairleadError)?.code == .serviceUnavailable
          && (error as? FairleadError)?.retryable == true
      }
      #expect(try await harness.inbox.events().items.isEmpty)
      // And the next delivery of it is stored as new.
      let receipt = try await harness.receiveStripe(Self.body)
      #expect(receipt == .accepted(try receipt.acceptedID, duplicate: false))
    }
  }

  @Test func boundsTheBytesThatWaitForACommit() async throws {
    let isWriting = Gate()
    let mayWrite = Gate()
    try await InboxHarness.with(
      .sqliteMemory, waitingBytes: 100,
      wrap: { base in
        InterposedDatabase(base) { _ in
          isWriting.open()
          await mayWrite.wait()
        }
      }
    ) { harness in
      // Larger than the bound, but alone.
      let large = #"{"id":"evt_large","type":"\#(String(repeating: "x", count: 200))"}"#
      async let first = harness.receiveStripe(large)
      await isWriting.wait()
      await #expect {
        try await harness.receiveStripe("{}")
      } throws: { error in
        (error as? FairleadError)?.code == .serviceUnavailable
      }
      mayWrite.open()
      _ = try await first.acceptedID
      // There is room again.
      _ = try await harness.receiveStripe("{}").acceptedID
    }
  }

  @Test(arguments: TestEngine.all)
  func listsByEachFilterPageByPage(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      harness.inbox.on("a.*", from: "stripe") { _, _ in throw EventHandlerError.permanent("no") }
      for number in 0..<5 {
        _ = try await harness.event(number % 2 == 0 ? "a.x" : "b.x", id: "evt_\(number)")
        harness.clock.advance(by: .milliseconds(1))
      }
      _ = try await harness.receiveGitHub("{}", delivery: "d1")
      try await harness.drain()
      func ids(_ filter: EventFilter) async throws -> [String?] {
        try await harness.inbox.events(filter).items.map(\.providerEventID)
      }
      #expect(try await ids(EventFilter(integration: "github")) == ["d1"])
      #expect(try await ids(EventFilter(type: "b.x")) == ["evt_3", "evt_1"])
      #expect(try await ids(EventFilter(status: .dead)) == ["evt_4", "evt_2", "evt_0"])
      #expect(
        try await ids(EventFilter(integration: "stripe", status: .processed))
          == ["evt_3", "evt_1"])
      var seen: [String?] = []
      var page = PageRequest(limit: 4)
      for _ in 0..<2 {
        let found = try await harness.inbox.events(page: page)
        seen += found.items.map(\.providerEventID)
        page.cursor = found.nextCursor
      }
      #expect(page.cursor == nil)
      #expect(seen == ["d1", "evt_4", "evt_3", "evt_2", "evt_1", "evt_0"])
    }
  }
}
