import FairleadTesting
import Synchronization
import Testing

@testable import Fairlead

@Suite struct ProcessingTests {
  @Test(arguments: TestEngine.all)
  func givesAnEventToEveryHandlerThatWantsItAndNoOther(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      let calls = Mutex<[String]>([])
      for (name, pattern, integration) in [
        ("exact", "invoice.paid", "stripe"), ("family", "invoice.*", "stripe"),
        ("all", "*", "stripe"), ("other", "invoice.void", "stripe"), ("far", "*", "github"),
      ] {
        harness.inbox.on(pattern, from: IntegrationName(integration), name: name) {
          event, context in
          #expect(event.type == "invoice.paid")
          let json = try context.json()
          #expect(json["id"] == "evt_1")
          #expect(context.attempt == 1)
          calls.withLock { $0.append(name) }
        }
      }
      let id = try await harness.event("invoice.paid")
      try await harness.drain()
      #expect(calls.withLock { $0.sorted() } == ["all", "exact", "family"])
      let detail = try await harness.inbox.event(id)
      #expect(detail.event.status == .processed)
      #expect(detail.event.attempts == 3)
      #expect(detail.deliveries.allSatisfy { $0.status == .succeeded && $0.attempts == 1 })
      #expect(harness.observer.occurrences == [.received, .processed])
    }
  }

  @Test(arguments: TestEngine.all)
  func anEventThatNobodyWantsIsProcessed(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      let id = try await harness.event("invoice.paid")
      try await harness.drain()
      let detail = try await harness.inbox.event(id)
      #expect(detail.event.status == .processed)
      #expect(detail.deliveries.isEmpty)
      #expect(try await harness.openJobs() == 0)
    }
  }

  @Test(arguments: TestEngine.all)
  func triesAFailingHandlerAgainByTheSchedule(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      struct Flaky: Error {}
      let keys = Mutex<[(DeliveryID, Int)]>([])
      harness.inbox.on("*", from: "stripe") { _, context in
        let calls = keys.withLock { keys in
          keys.append((context.idempotencyKey, context.attempt))
          return keys.count
        }
        if calls < 3 { throw Flaky() }
      }
      let id = try await harness.event("a.b")
      try await harness.drain()
      #expect(try await harness.inbox.event(id).event.status == .failed)
      #expect(try await harness.inbox.event(id).event.error == "Flaky()")
      harness.clock.advance(by: .seconds(4))
      try await harness.drain()
      #expect(keys.withLock { $0.count } == 1)
      harness.clock.advance(by: .seconds(2))
      try await harness.drain()
      #expect(keys.withLock { $0.count } == 2)
      harness.clock.advance(by: .seconds(34))
      try await harness.drain()
      let detail = try await harness.inbox.event(id)
      #expect(detail.event.status == .processed)
      #expect(detail.event.error == nil)
      #expect(detail.event.attempts == 3)
      #expect(detail.deliveries[0].history.map(\.succeeded) == [false, false, true])
      #expect(keys.withLock { Set($0.map(\.0)).count } == 1)
      #expect(keys.withLock { $0.map(\.1) } == [1, 2, 3])
      #expect(
        harness.observer.occurrences == [.received, .attemptFailed, .attemptFailed, .processed])
    }
  }

  @Test(arguments: TestEngine.all)
  func givesUpAfterTwelveAttempts(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      struct Broken: Error {}
      harness.inbox.on("*", from: "stripe") { _, _ in throw Broken() }
      let id = try await harness.event("a.b")
      for _ in 0..<20 {
        try await harness.drain()
        harness.clock.advance(by: .seconds(27 * 3_600))
      }
      let detail = try await harness.inbox.event(id)
      #expect(detail.event.status == .dead)
      #expect(detail.event.attempts == 12)
      #expect(detail.deliveries[0].history.count == 12)
      #expect(try await harness.openJobs() == 0)
      #expect(harness.observer.occurrences.last == .dead)
    }
  }

  @Test(arguments: TestEngine.all)
  func oneDeadHandlerDoesNotHideThatTheOthersWorked(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      harness.inbox.on("*", from: "stripe", name: "good") { _, _ in }
      harness.inbox.on("*", from: "stripe", name: "bad") { _, _ in
        throw EventHandlerError.permanent("unknown customer sk_live_abcdefghijkl")
      }
      let id = try await harness.event("a.b")
      try await harness.drain()
      let detail = try await harness.inbox.event(id)
      #expect(detail.event.status == .dead)
      #expect(detail.event.error == "unknown customer [redacted]")
      #expect(Set(detail.deliveries.map(\.status)) == [.succeeded, .dead])
      let dead = try await harness.deliveries.list(DeliveryFilter(status: .dead)).items
      #expect(dead.map(\.target) == [.handler("bad")])
      #expect(dead[0].history.count == 1)
    }
  }

  @Test(arguments: TestEngine.all)
  func aHandlerThatIsNotRegisteredIsWaitedFor(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      harness.inbox.on("*", from: "stripe", name: "old") { _, _ in }
      let id = try await harness.event("a.b")
      for job in try await harness.claim() { try await harness.run(job) }
      try await harness.database.write {
        _ = try $0.execute("UPDATE deliveries SET target = 'gone'", [])
      }
      try await harness.drain()
      let detail = try await harness.inbox.event(id)
      #expect(detail.event.status == .failed)
      #expect(detail.deliveries[0].error?.contains("gone") == true)
    }
  }

  @Test(arguments: TestEngine.all)
  func twoHandlersOfOnePatternBothRun(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      harness.inbox.on("*", from: "stripe") { _, _ in }
      harness.inbox.on("*", from: "stripe") { _, _ in }
      let id = try await harness.event("a.b")
      try await harness.drain()
      let targets = try await harness.inbox.event(id).deliveries.map(\.target)
      #expect(targets == [.handler("stripe/*"), .handler("stripe/*#2")])
    }
  }

  @Test(arguments: TestEngine.all)
  func replayHandsTheEventOutAgainAndCancelsWhatWasOpen(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      struct Broken: Error {}
      let isFixed = Mutex(false)
      let keys = Mutex<Set<DeliveryID>>([])
      harness.inbox.on("*", from: "stripe") { _, context in
        keys.withLock { _ = $0.insert(context.idempotencyKey) }
        if !isFixed.withLock({ $0 }) { throw Broken() }
      }
      let id = try await harness.event("a.b")
      try await harness.drain()
      #expect(try await harness.inbox.event(id).event.status == .failed)
      isFixed.withLock { $0 = true }
      #expect(try await harness.inbox.replay(id).status == .received)
      try await harness.drain()
      let detail = try await harness.inbox.event(id)
      #expect(detail.event.status == .processed)
      #expect(detail.deliveries.map(\.status) == [.cancelled, .succeeded])
      // The cancelled delivery's own time comes and nothing happens.
      harness.clock.advance(by: .seconds(60))
      try await harness.drain()
      #expect(keys.withLock { $0.count } == 2)
      #expect(try await harness.openJobs() == 0)
      // A processed one can be replayed as well.
      _ = try await harness.inbox.replay(id)
      try await harness.drain()
      #expect(try await harness.inbox.event(id).event.attempts == 3)
      await #expect(throws: FairleadError.self) {
        try await harness.inbox.replay(EventID(rawValue: "evt_none"))
      }
    }
  }

  @Test(arguments: TestEngine.all)
  func matchesTheConnectionWhenThereIsExactlyOne(engine: TestEngine) async throws {
    let lookup: ConnectionLookup = { integration, field, value in
      #expect(integration == "stripe")
      #expect(field == "identity.id")
      let match = ConnectionMatch(connection: ConnectionID(rawValue: "conn_1"), owner: "user_1")
      return switch value {
      case "acct_1": [match]
      case "acct_2": [match, match]
      default: []
      }
    }
    try await InboxHarness.with(engine, lookup: lookup) { harness in
      func receive(_ account: String) async throws -> EventID {
        try await harness.receiveStripe(
          #"{"id":"evt_\#(account)","type":"a.b","account":"\#(account)"}"#
        ).acceptedID
      }
      let one = try await receive("acct_1")
      let two = try await receive("acct_2")
      let none = try await receive("acct_3")
      try await harness.drain()
      #expect(try await harness.inbox.event(one).event.owner == "user_1")
      #expect(try await harness.inbox.event(two).event.owner == nil)
      #expect(try await harness.inbox.event(none).event.owner == nil)
      let found = try await harness.inbox.events(EventFilter(owner: "user_1")).items
      #expect(found.map(\.id) == [one])
      let byConnection = EventFilter(connection: ConnectionID(rawValue: "conn_1"))
      #expect(try await harness.inbox.events(byConnection).items.map(\.id) == [one])
    }
  }

  @Test(arguments: TestEngine.all)
  func aJobGivenUpByTheWorkerMarksWhatItStoodFor(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      harness.inbox.on("*", from: "stripe") { _, _ in }
      let unsorted = try await harness.event("a.b", id: "evt_1")
      for _ in 0...21 {
        _ = try await harness.claim()
        harness.clock.advance(by: .seconds(31))
      }
      #expect(try await harness.inbox.event(unsorted).event.status == .dead)
    }
  }

  @Test(arguments: TestEngine.all)
  func storageThatFailsDoesNotUseUpADelivery(engine: TestEngine) async throws {
    let isDown = Mutex(false)
    try await InboxHarness.with(
      engine,
      wrap: { base in
        InterposedDatabase(base) { _ in
          if isDown.withLock({ $0 }) { throw StorageError.unavailable("away") }
        }
      }
    ) { harness in
      harness.inbox.on("*", from: "stripe") { _, _ in }
      let id = try await harness.event("a.b")
      let jobs = try await harness.claim()
      isDown.withLock { $0 = true }
      guard case .retry = try await harness.deliveries.jobHandlers["event"]!(jobs[0]) else {
        Issue.record("the job was not put back")
        return
      }
      isDown.withLock { $0 = false }
      harness.clock.advance(by: .seconds(60))
      try await harness.drain()
      #expect(try await harness.inbox.event(id).event.status == .processed)
    }
  }
}
