import Synchronization

/// Rewrites `$1` to `?1`, which SQLite numbers as the seam does: a placeholder may repeat and come
/// in any order. (`$1` is legal in SQLite, but a name there, numbered by first appearance.)
///
/// Quoted text, quoted names and comments stay as they are.
func numberedPlaceholders(_ sql: String) -> String {
  let source = Array(sql.utf8)
  var output: [UInt8] = []
  output.reserveCapacity(source.count)
  var index = 0

  /// Copies up to and including the next `end`; a doubled quote is simply two quoted parts.
  func copy(through end: [UInt8]) {
    while index < source.count {
      if source[index...].starts(with: end) {
        output += end
        index += end.count
        return
      }
      output.append(source[index])
      index += 1
    }
  }

  while index < source.count {
    let byte = source[index]
    let next = index + 1 < source.count ? source[index + 1] : 0
    switch byte {
    case UInt8(ascii: "'"), UInt8(ascii: "\""):
      output.append(byte)
      index += 1
      copy(through: [byte])
    case UInt8(ascii: "-") where next == byte:
      copy(through: [UInt8(ascii: "\n")])
    case UInt8(ascii: "/") where next == UInt8(ascii: "*"):
      copy(through: Array("*/".utf8))
    case UInt8(ascii: "$") where (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(next):
      output.append(UInt8(ascii: "?"))
      index += 1
    default:
      output.append(byte)
      index += 1
    }
  }
  return String(decoding: output, as: UTF8.self)
}

/// Remembers rewritten statements, and with them which statements the connections may keep
/// prepared. The code's own statements are few; lists of varying length could make any number, so
/// there is a bound, past which a statement is prepared each time.
final class StatementCache: Sendable {
  private static let capacity = 1_000
  private let rewrites = Mutex<[String: String]>([:])

  func rewritten(_ sql: String) -> (sql: String, isCached: Bool) {
    if let known = rewrites.withLock({ $0[sql] }) { return (known, true) }
    let text = numberedPlaceholders(sql)
    let isCached = rewrites.withLock { rewrites in
      guard rewrites.count < Self.capacity else { return false }
      rewrites[sql] = text
      return true
    }
    return (text, isCached)
  }
}
