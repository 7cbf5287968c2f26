/// When a failed delivery is tried again.
struct DeliverySchedule: Sendable {
  /// The wait before each attempt, the first included.
  var waits: [Duration]
  /// Each wait is lengthened by up to this share of itself, so that what failed together does not
  /// come back together.
  var jitter: Double

  /// 12 attempts over a little more than three days, as DESIGN section 4 has it.
  static let standard = DeliverySchedule(
    waits: [
      .zero, .seconds(5), .seconds(30), .seconds(120), .seconds(600), .seconds(1_800),
      .seconds(7_200), .seconds(18_000), .seconds(36_000), .seconds(50_400), .seconds(72_000),
      .seconds(86_400),
    ], jitter: 0.1)

  /// How long to wait after `attempts` attempts failed; `nil` when there is no further one.
  /// - Parameters:
  ///   - floor: what the destination asked for; never undercut, at most a day.
  ///   - random: `0..<1`.
  func wait(after attempts: Int, floor: Duration? = nil, random: Double) -> Duration? {
    guard waits.indices.contains(attempts) else { return nil }
    let asked = min(max(floor ?? .zero, .zero), .seconds(86_400))
    return max(waits[attempts], asked) * (1 + jitter * random)
  }
}
