import Fairlead

/// The notifications that wait to be delivered, and their delivery.
final class GooglePushQueue: Sendable {
  /// Beyond this the oldest is lost, as it may be at Google.
  static let capacity = 10_000
  static let attempts = 5

  private struct Waiting: Sendable {
    var push: GooglePush
    /// How many attempts were made.
    var attempts: Int
  }

  private let waiting: AsyncStream<Waiting>
  private let continuation: AsyncStream<Waiting>.Continuation

  init() {
    (waiting, continuation) = AsyncStream.makeStream(
      bufferingPolicy: .bufferingNewest(Self.capacity))
  }

  func send(_ pushes: [GooglePush], attempts: Int = 0) {
    for push in pushes { continuation.yield(Waiting(push: push, attempts: attempts)) }
  }

  /// Delivers what comes until it is cancelled. Can be called once.
  func run(_ sender: EventSender) async {
    await withDiscardingTaskGroup { group in
      for await item in waiting {
        group.addTask { await Self.deliver(item, sender) }
      }
    }
  }

  /// Google repeats a notification after 500, 502, 503 and 504, with growing pauses.
  private static func deliver(_ item: Waiting, _ sender: EventSender) async {
    for attempt in item.attempts..<max(attempts, item.attempts + 1) {
      if attempt > 0 {
        do {
          try await sender.clock.sleep(for: .seconds(1 << min(attempt - 1, 6)))
        } catch { return }
      }
      let outcome = await sender.send(item.push)
      guard isRetried(outcome) else { return }
    }
  }

  static func isRetried(_ outcome: EventSender.Outcome) -> Bool {
    outcome.status.map { [500, 502, 503, 504].contains($0) } ?? false
  }
}

extension EventSender {
  /// One notification to its channel's address.
  func send(_ push: GooglePush) async -> Outcome {
    await post(eventID: push.id, to: push.channel.address, headers: push.headers(), body: [])
  }
}
