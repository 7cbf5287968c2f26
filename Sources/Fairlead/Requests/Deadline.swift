import Synchronization

/// An absolute point on the clock's uptime by which a call has to have its answer's head.
struct Deadline: Sendable {
  struct Exceeded: Error {}

  /// Longer timeouts are cut to this, so that no arithmetic or timer meets its limits.
  static let longest: Duration = .seconds(86_400)

  let uptime: Duration
  private let clock: any FairleadClock

  init(after timeout: Duration, clock: any FairleadClock) {
    uptime = clock.uptime + min(max(.zero, timeout), Self.longest)
    self.clock = clock
  }

  /// Zero when it has passed.
  var remaining: Duration { max(.zero, uptime - clock.uptime) }

  var hasPassed: Bool { remaining == .zero }

  /// Runs `body`, but not beyond the deadline; then it is cancelled. A body that does not suspend
  /// costs no timer.
  /// - Throws: `Exceeded`, or what `body` throws.
  func limit<R: Sendable>(
    _ body: @escaping @Sendable () async throws -> R
  ) async throws -> R {
    let remaining = remaining
    guard remaining > .zero else { throw Exceeded() }
    let clock = clock
    let ended = Ended()
    return try await withThrowingTaskGroup(of: R?.self) { group in
      defer { group.cancelAll() }
      let run: @Sendable () async throws -> R? = {
        defer { ended.flag.store(true, ordering: .releasing) }
        return try await body()
      }
      if #available(macOS 26.0, *) {
        group.addImmediateTask(operation: run)
      } else {
        group.addTask(operation: run)
      }
      if !ended.flag.load(ordering: .acquiring) {
        group.addTask {
          try await clock.sleep(for: remaining)
          return nil
        }
      }
      guard let first = try await group.next(), let result = first else { throw Exceeded() }
      return result
    }
  }

  private final class Ended: Sendable {
    let flag = Atomic(false)
  }
}
