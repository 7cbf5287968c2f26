import Fairlead

/// Vectors derived from the input alone: equal inputs have equal vectors of length one.
enum OpenAIEmbedding {
  static func vector(_ input: String, model: String, dimensions: Int) -> [Float] {
    // FNV-1a gives a seed that is the same in every process, unlike Swift's hashing.
    var seed: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in (model + "\u{0}" + input).utf8 {
      seed = (seed ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    let random = RandomSource(seed: seed)
    let raw = (0..<dimensions).map { _ in random.unit() * 2 - 1 }
    let norm = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return raw.map { Float(norm > 0 ? $0 / norm : 0) }
  }

  /// Little-endian float32 in base64, as the SDKs ask for.
  static func base64(_ vector: [Float]) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(vector.count * 4)
    for value in vector {
      let bits = value.bitPattern
      for shift in stride(from: UInt32(0), to: 32, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: bits >> shift))
      }
    }
    return bytes.base64
  }
}
