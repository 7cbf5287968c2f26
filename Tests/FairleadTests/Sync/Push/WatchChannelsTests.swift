import FairleadTesting
import HTTPTypes
import Testing

@testable import Fairlead

@Suite struct WatchChannelsTests {
  @Test(arguments: TestEngine.all)
  func aWantedModelIsWatchedOnce(engine: TestEngine) async throws {
    try await WatchHarness.with(engine) { harness in
      #expect(try await harness.channels.reconcile() == 1)
      #expect(try await harness.channels.reconcile() == 1)
      try await harness.drain()
      #expect(harness.sent.map(\.path) == ["/calendars/primary/watch"])
      #expect(harness.sent[0].body["address"] == "https://app.example/webhooks/google")
      let token = harness.sent[0].body["token"]?.string ?? ""
      #expect(token.utf8.count >= 43)
      let channel = try #require(try await harness.all().first)
      #expect(channel.state == .open)
      #expect(channel.resource == "res-1")
      #expect(channel.expiresAt == harness.clock.now + .seconds(604_800))
      #expect(try await harness.channels.reconcile() == 0)
      let rows = try await harness.database.read { try $0.query("SELECT * FROM push_channels") }
      let jobs = try await harness.database.read { try $0.query("SELECT * FROM jobs") }
      for value in (rows + jobs).flatMap(\.values) {
        if case .text(let text) = value { #expect(!text.contains(token)) }
        if case .blob(let bytes) = value {
          #expect(!String(decoding: bytes, as: UTF8.self).contains(token))
        }
      }
    }
  }

  @Test(arguments: TestEngine.all)
  func aWatchIsFollowedByTheNextBeforeItEnds(engine: TestEngine) async throws {
    try await WatchHarness.with(engine) { harness in
      try await harness.look()
      harness.clock.advance(by: .seconds(6 * 86_400))
      try await harness.look()
      #expect(
        harness.sent.map(\.path)
          == ["/calendars/primary/watch", "/calendars/primary/watch", "/stop"])
      let first = harness.sent[0].body["id"]
      #expect(harness.sent[2].body == ["id": first ?? .null, "resourceId": "res-1"])
      #expect(first != harness.sent[1].body["id"])
      #expect(try await harness.all().map(\.state) == [.closed, .open])
      // Late messages of the first are ours, and change nothing.
      _ = try await harness.receive(watch: 0).acceptedID
      try await harness.drain()
      #expect(harness.triggered.isEmpty)
      _ = try await harness.receive(watch: 1).acceptedID
      try await harness.drain()
      #expect(harness.triggered == ["conn_1/events"])
    }
  }

  @Test(arguments: TestEngine.all)
  func whatIsNotWantedAnyMoreIsStoppedEvenIfTheProviderIsGone(engine: TestEngine) async throws {
    try await WatchHarness.with(engine) { harness in
      try await harness.look()
      harness.want([])
      harness.answer { _, _ in throw FairleadError(.notFound, "The connection is gone.") }
      try await harness.look()
      #expect(harness.sent.map(\.path) == ["/calendars/primary/watch", "/stop"])
      #expect(try await harness.all().map(\.state) == [.closed])
      #expect(harness.announced == [true, false])
      try await harness.look()
      #expect(harness.sent.count == 2)
      harness.clock.advance(by: .seconds(8 * 86_400 + 1))
      try await harness.look()
      #expect(try await harness.all().isEmpty)
    }
  }

  @Test(arguments: TestEngine.all)
  func aRefusedWatchLeavesNothingAndIsTriedAgain(engine: TestEngine) async throws {
    try await WatchHarness.with(engine) { harness in
      harness.answer { _, _ in throw FairleadError(.serviceUnavailable, "Not now.") }
      try await harness.look()
      #expect(try await harness.all().isEmpty)
      try await harness.look()
      #expect(harness.sent.count == 1)
      harness.answer(WatchHarness.opens(harness.clock))
      harness.clock.advance(by: .seconds(30))
      try await harness.look()
      #expect(try await harness.all().map(\.state) == [.open])
    }
  }

  @Test(arguments: TestEngine.all)
  func aWatchThatMayHaveBeenOpenedIsKnownAsOurs(engine: TestEngine) async throws {
    try await WatchHarness.with(engine) { harness in
      harness.answer { _, _ in throw FairleadError(.outcomeUnknown, "Nobody knows.") }
      try await harness.look()
      #expect(try await harness.all().map(\.state) == [.opening])
      _ = try await harness.receive(number: 1, state: "sync").acceptedID
    }
  }

  @Test(arguments: TestEngine.all)
  func nothingIsWatchedFromAnAddressThatCannotBeReached(engine: TestEngine) async throws {
    try await WatchHarness.with(engine, publicURL: "http://127.0.0.1:8080") { harness in
      let made = try await harness.channels.reconcile()
      #expect(made == 0)
    }
  }

  @Test func aConnectionThatNeedsItsOwnerIsLeftAlone() async throws {
    try await WatchHarness.with(.sqliteMemory) { harness in
      harness.answer { _, _ in throw FairleadError(.needsReauth, "Connect again.") }
      try await harness.look()
      #expect(try await harness.queue.counts().pending == 0)
      #expect(try await harness.all().isEmpty)
    }
  }
}

@Suite struct ChannelIntakeTests {
  @Test(arguments: TestEngine.all)
  func aMessageIsStoredWithItsOwnerAndBringsItsModelUpToDate(engine: TestEngine) async throws {
    try await WatchHarness.with(engine) { harness in
      try await harness.look()
      let id = try await harness.receive(number: 7).acceptedID
      try await harness.drain()
      let event = try await harness.inbox.event(id)
      #expect(event.event.type == "exists")
      #expect(event.event.status == .processed)
      #expect(event.event.connection?.rawValue == "conn_1")
      #expect(event.event.owner == "user_1")
      #expect(event.event.providerEventID?.hasSuffix(":7") == true)
      #expect(harness.triggered == ["conn_1/events"])
      #expect(!event.headers.contains { $0.value == harness.sent[0].body["token"]?.string })
      let again = try await harness.receive(number: 7)
      #expect(again == .accepted(id, duplicate: true))
      #expect(try await harness.receive(number: 9).acceptedID != id)
    }
  }

  @Test(arguments: TestEngine.all)
  func theFirstMessageMayComeBeforeTheAnswer(engine: TestEngine) async throws {
    try await WatchHarness.with(engine) { harness in
      harness.answer { request, body in
        let receipt = try await harness.receive(number: 1, state: "sync", resource: "unheard-of")
        #expect(try receipt.acceptedID.rawValue.hasPrefix("evt_"))
        return try await WatchHarness.opens(harness.clock)(request, body)
      }
      try await harness.look()
      #expect(try await harness.all().map(\.state) == [.open])
      #expect(harness.observer.occurrences.first == .received)
    }
  }

  @Test(arguments: TestEngine.all)
  func whatIsNotOursIsRefusedAndNotStored(engine: TestEngine) async throws {
    try await WatchHarness.with(engine) { harness in
      try await harness.look()
      let forged = Receipt.rejected(
        status: 401, message: SignatureRejection.forged.message)
      #expect(try await harness.receive(token: "wrong") == forged)
      #expect(try await harness.receive(resource: "another") == forged)
      let stranger = try await harness.inbox.receive(
        InboundWebhook(
          integration: "google",
          headers: [
            .init("x-channel-id")!: "chan_unknown", .init("x-channel-token")!: "t",
            .init("x-resource-id")!: "res-1", .init("x-number")!: "1", .init("x-state")!: "exists",
          ], body: []))
      #expect(stranger == forged)
      for missing in ["x-channel-id", "x-channel-token", "x-resource-id", "x-number"] {
        let receipt = try await harness.receive(without: missing)
        #expect(
          receipt
            == .rejected(status: 401, message: SignatureRejection.missingHeader.message),
          "\(missing)")
      }
      #expect(try await harness.inbox.events().items.isEmpty)
      #expect(harness.observer.occurrences.filter { $0 == .rejected(.forged) }.count == 3)
      try await harness.drain()
      #expect(harness.triggered.isEmpty)
    }
  }

  @Test func withoutKeptWatchesNothingIsAccepted() async throws {
    try await WatchHarness.with(.sqliteMemory) { harness in
      let inbox = Inbox(
        database: harness.database, integrations: IntegrationRegistry([WatchHarness.integration]),
        queue: harness.queue, clock: harness.clock, logger: harness.inbox.logger)
      await #expect(throws: FairleadError.self) {
        try await inbox.receive(
          InboundWebhook(integration: "google", headers: [:], body: []))
      }
    }
  }
}
