import Crypto

/// Notices that a chain of cursors runs in a circle, in constant space: Brent's algorithm. Pure.
/// Source: https://doi.org/10.1007/BF01933190
struct CursorTrail: Sendable, Hashable, Codable {
  private var tortoise: String?
  private var power = 1
  private var length = 0

  /// Adds the next cursor.
  /// - Returns: `false` when it was there before; a circle is found after three rounds at most.
  mutating func add(_ cursor: String) -> Bool {
    let mark = Array(SHA256.hash(data: Array(cursor.utf8))).prefix(16).hex
    if mark == tortoise { return false }
    length += 1
    if length >= power {
      tortoise = mark
      power = power > 1 << 40 ? power : power * 2
      length = 0
    }
    return true
  }
}
