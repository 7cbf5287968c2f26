import Foundation

/// Where time comes from. Everything that waits or dates something takes one, so that tests move
/// time by hand and never sleep.
public protocol FairleadClock: Sendable {
  /// Wall-clock time, for what is stored or compared with a provider's times.
  var now: Timestamp { get }

  /// Time since an arbitrary origin that never runs backwards, for deadlines and latencies.
  var uptime: Duration { get }

  /// Suspends for at least `duration`; returns at once when it is not positive.
  /// - Throws: `CancellationError` when the task is cancelled meanwhile.
  func sleep(for duration: Duration) async throws
}

/// The machine's clock.
public struct SystemClock: FairleadClock {
  private static let origin = ContinuousClock.now

  public init() {}

  public var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
  }

  public var uptime: Duration { Self.origin.duration(to: .now) }

  public func sleep(for duration: Duration) async throws {
    if duration > .zero { try await Task.sleep(for: duration) }
  }
}
