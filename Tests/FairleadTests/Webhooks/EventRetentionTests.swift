import FairleadTesting
import Logging
import Testing

@testable import Fairlead

@Suite struct EventRetentionTests {
  @Test(arguments: TestEngine.all)
  func removesPayloadsFirstAndIDsLaterAndNothingThatIsOpen(engine: TestEngine) async throws {
    try await InboxHarness.with(engine) { harness in
      struct Broken: Error {}
      harness.inbox.on("open", from: "stripe") { _, _ in throw Broken() }
      let retention = EventRetention(
        database: harness.database, clock: harness.clock,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      let settled = try await harness.event("settled", id: "evt_1")
      let open = try await harness.event("open", id: "evt_2")
      try await harness.drain()

      harness.clock.advance(by: .seconds(30 * 86_400 - 1))
      try await retention.prune()
      #expect(try await harness.inbox.event(settled).payload != nil)

      harness.clock.advance(by: .seconds(2))
      try await retention.prune()
      #expect(try await harness.inbox.event(settled).payload == nil)
      #expect(try await harness.inbox.event(open).payload != nil)
      await #expect {
        try await harness.inbox.replay(settled)
      } throws: { error in
        (error as? FairleadError)?.code == .conflict
      }
      // Still known as a duplicate.
      #expect(
        try await harness.receiveStripe(#"{"id":"evt_1","type":"settled"}"#)
          == .accepted(settled, duplicate: true))

      harness.clock.advance(by: .seconds(60 * 86_400))
      try await retention.prune()
      await #expect(throws: FairleadError.self) { try await harness.inbox.event(settled) }
      #expect(try await harness.inbox.event(open).event.status == .failed)
    }
  }

  @Test func removesManyInSlicesThatLeaveRoomForOthers() async throws {
    try await InboxHarness.with(.sqliteMemory) { harness in
      let retention = EventRetention(
        database: harness.database, clock: harness.clock,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      for number in 0..<250 { _ = try await harness.event("a.b", id: "evt_\(number)") }
      try await harness.drain()
      harness.clock.advance(by: .seconds(91 * 86_400))
      async let pruned: Void = retention.prune()
      // 250 payloads are three slices: it pauses twice. Then 250 events: twice more.
      for _ in 0..<4 {
        await harness.clock.waitForSleepers()
        harness.clock.advance(by: EventRetention.pause)
      }
      try await pruned
      #expect(try await harness.inbox.events().items.isEmpty)
      let left = try await harness.database.read {
        try $0.first("SELECT COUNT(*) FROM event_payloads")?.int(0)
      }
      #expect(left == 0)
    }
  }
}
