import Crypto

/// When a sync runs. Pure.
public struct SyncSchedule: Sendable, Hashable {
  /// `nil`: never by itself, after the first time.
  public var full: Cron?
  /// `nil`: never by itself.
  public var incremental: Cron?

  public init(full: Cron?, incremental: Cron?) {
    self.full = full
    self.incremental = incremental
  }

  static let standardFull = Cron(
    text: "0 0 * * 0", minutes: 1, hours: 1, daysOfMonth: 0xFFFF_FFFE, months: 0x1FFE,
    daysOfWeek: 1, isEitherDay: false)
  static let standardIncremental = Cron(
    text: "*/15 * * * *", minutes: 1 | 1 << 15 | 1 << 30 | 1 << 45, hours: 0xFF_FFFF,
    daysOfMonth: 0xFFFF_FFFE, months: 0x1FFE, daysOfWeek: 0x7F, isEitherDay: false)

  /// Everything on Sundays at midnight, changes every 15 minutes.
  public static let standard = SyncSchedule(full: standardFull, incremental: standardIncremental)

  /// The most by which a time is put off, so that not everything comes in the same second.
  static let widestJitter: Int64 = 300

  struct Times: Sendable, Hashable {
    var full: Timestamp?
    var incremental: Timestamp?

    /// Whichever comes first.
    var next: Timestamp? {
      guard let full, let incremental else { return full ?? incremental }
      return min(full, incremental)
    }

    /// What is due: a full run where both are.
    func due(at now: Timestamp) -> SyncRunKind? {
      if let full, full <= now { return .full }
      if let incremental, incremental <= now { return .incremental }
      return nil
    }
  }

  /// The next times of a sync after `now`.
  func times(after now: Timestamp, sync: SyncID) -> Times {
    Times(full: time(full, now, sync), incremental: time(incremental, now, sync))
  }

  /// What identifies the schedule in storage, so that a changed one takes effect at the next start.
  var fingerprint: String { "\(full?.text ?? "-") | \(incremental?.text ?? "-")" }

  private func time(_ cron: Cron?, _ now: Timestamp, _ sync: SyncID) -> Timestamp? {
    guard let cron else { return nil }
    let jitter = Self.jitter(cron, sync)
    // What is put off beyond `now` has still to come.
    return cron.next(after: now - jitter).map { $0 + jitter }
  }

  /// The same for a sync at all times: one that changed could let a time come twice. Less than a
  /// quarter of the way to the next time.
  private static func jitter(_ cron: Cron, _ sync: SyncID) -> Duration {
    let hash = SHA256.hash(data: Array(sync.rawValue.utf8)).prefix(4)
      .reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    var gap = widestJitter * 4
    var time = Timestamp(seconds: 0)
    for step in 0..<16 {
      guard let next = cron.next(after: time) else { break }
      if step > 0 { gap = min(gap, (next - time).components.seconds) }
      time = next
    }
    return .seconds(Int64(hash % UInt64(max(1, min(widestJitter, gap / 4)))))
  }
}
