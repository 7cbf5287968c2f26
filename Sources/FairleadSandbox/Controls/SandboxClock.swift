import Fairlead
import Synchronization

/// The simulators' time: the machine's plus what a script advanced it by. Sleeping is real.
final class SandboxClock: Sendable {
  private let base: any FairleadClock
  private let offset = Mutex(Duration.zero)

  init(base: any FairleadClock) {
    self.base = base
  }

  var now: Timestamp { base.now + offset.withLock { $0 } }

  /// The time without what it was advanced by; receivers of webhooks live in it.
  var machineNow: Timestamp { base.now }

  var uptime: Duration { base.uptime }

  /// At most a hundred years ahead in all; `false` when it would be more.
  func advance(by duration: Duration) -> Bool {
    offset.withLock { offset in
      guard offset + duration <= .seconds(36_525 * 86_400) else { return false }
      offset += duration
      return true
    }
  }

  func reset() { offset.withLock { $0 = .zero } }

  func sleep(for duration: Duration) async throws { try await base.sleep(for: duration) }
}
