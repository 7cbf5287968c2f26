/// "Did you mean …?"
enum Suggestion {
  /// The name that is a slip or two away from `text`, if one is.
  static func closest(to text: String, among names: [String]) -> String? {
    guard text.utf8.count <= 64 else { return nil }
    let candidates = names.map { ($0, distance(text.lowercased(), $0.lowercased())) }
    let allowed = max(1, text.utf8.count / 3)
    let best = candidates.min { ($0.1, $0.0) < ($1.1, $1.0) }
    guard let best, best.1 <= allowed else { return nil }
    return best.0
  }

  /// Edits from one text to the other: insert, delete, replace, swap of neighbours.
  static func distance(_ left: String, _ right: String) -> Int {
    let left = Array(left.utf8)
    let right = Array(right.utf8)
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for row in left.indices {
      var current = [row + 1]
      for column in right.indices {
        var cost = min(
          last[column] + (left[row] == right[column] ? 0 : 1), last[column + 1] + 1,
          current[column] + 1)
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          cost = min(cost, beforeLast[column - 1] + 1)
        }
        current.append(cost)
      }
      beforeLast = last
      last = current
    }
    return last[right.count]
  }
}
