import Synchronization

/// Where randomness comes from: ids, jitter, keys. The system's generator is cryptographically
/// secure and is what production uses; a seed makes a test repeat itself.
public final class RandomSource: Sendable {
  private let isSeeded: Bool
  private let seeded: Mutex<SplitMix>

  /// The system's secure generator.
  public static let system = RandomSource(seed: nil)

  private init(seed: UInt64?) {
    isSeeded = seed != nil
    seeded = Mutex(SplitMix(state: seed ?? 0))
  }

  /// A repeatable source, for tests and the sandbox. Not fit for secrets.
  public convenience init(seed: UInt64) {
    self.init(seed: Optional(seed))
  }

  /// 64 random bits.
  public func next() -> UInt64 {
    guard isSeeded else {
      var generator = SystemRandomNumberGenerator()
      return generator.next()
    }
    return seeded.withLock { $0.next() }
  }

  /// A number in `0..<1`.
  public func unit() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// `count` random bytes.
  public func bytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
      var word = next()
      for _ in 0..<min(8, count - bytes.count) {
        bytes.append(UInt8(truncatingIfNeeded: word))
        word >>= 8
      }
    }
    return bytes
  }

  /// An unguessable token of `count` random bytes in base64url without padding.
  public func token(bytes count: Int = 32) -> String {
    bytes(count).base64URL
  }
}

/// Steele, Lea and Flood's SplitMix64.
private struct SplitMix: Sendable {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
