import Fairlead
import Testing

@Suite(.timeLimit(.minutes(1))) struct LiveUpdatesTests {
  private func update(_ number: Int) -> LiveUpdate { .health(IntegrationName("i\(number)")) }

  private func collect(_ stream: AsyncStream<LiveUpdate>) async -> [String] {
    await stream.reduce(into: []) { $0.append($1.integration.rawValue) }
  }

  @Test func everySubscriberGetsWhatIsPublishedFromThenOn() async throws {
    let live = LiveUpdates()
    live.publish(update(0))
    let first = try live.subscribe()
    live.publish(update(1))
    let second = try live.subscribe()
    live.publish(update(2))
    live.finish()
    #expect(await collect(first) == ["i1", "i2"])
    #expect(await collect(second) == ["i2"])
  }

  @Test func aSlowSubscriberLosesTheOldest() async throws {
    let live = LiveUpdates(backlog: 3)
    let stream = try live.subscribe()
    for number in 0..<10 { live.publish(update(number)) }
    live.finish()
    #expect(await collect(stream) == ["i7", "i8", "i9"])
  }

  @Test func subscribersAreLimitedAndMakeRoomWhenTheyLeave() async throws {
    let live = LiveUpdates(subscriberLimit: 2)
    let kept = try live.subscribe()
    do {
      let dropped = try live.subscribe()
      let error = #expect(throws: FairleadError.self) { try live.subscribe() }
      #expect(error?.code == .serviceUnavailable)
      #expect(error?.message.contains("2 live views are open already") == true)
      _ = dropped
    }
    try await eventually { live.subscriberCount == 1 }
    _ = try live.subscribe()
    live.finish()
    #expect(await collect(kept).isEmpty)
  }

  @Test func aCancelledReaderUnsubscribes() async throws {
    let live = LiveUpdates()
    let stream = try live.subscribe()
    await withTaskGroup(of: Void.self) { group in
      group.addTask { for await _ in stream {} }
      group.cancelAll()
    }
    try await eventually { live.subscriberCount == 0 }
  }
}
