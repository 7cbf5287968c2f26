/// Whether a parameter's regular expression is one that matches in bounded time and length.
enum ParameterPattern {
  static let maximumLength = 200
  /// How many ways a matcher may have to try in the worst case.
  private static let maximumChoices = 1_000_000

  /// What is wrong with `pattern`, and what to write instead; `nil` when it will do.
  ///
  /// The values come from strangers and end in host names, so repetition has to be counted
  /// (`{1,40}`), may not be nested, and the constructs that make a matcher backtrack are left out.
  static func fault(in pattern: String) -> String? {
    guard pattern.utf8.count <= maximumLength else {
      return "is longer than \(maximumLength) characters."
    }
    guard pattern.utf8.allSatisfy({ $0 >= 32 && $0 < 127 }) else {
      return "holds a character outside ASCII; write the ranges that a name may have, [a-z0-9-]."
    }
    if let fault = structuralFault(Array(pattern.utf8)) { return fault }
    do {
      _ = try Regex(pattern)
    } catch {
      return "is no valid regular expression; write one such as [a-z0-9-]{1,40}."
    }
    return nil
  }

  private static func structuralFault(_ bytes: [UInt8]) -> String? {
    var index = 0
    var repeated: [Bool] = [false]
    var closedRepeats = false
    var choices = 1
    while index < bytes.count {
      let byte = bytes[index]
      var isGroupEnd = false
      switch byte {
      case UInt8(ascii: "\\"):
        guard index + 1 < bytes.count else { return "ends in a backslash." }
        if !"dDwW.-_\\/[]{}()+*?^$|".utf8.contains(bytes[index + 1]) {
          return "holds an escape that is not supported; use a class such as [a-z0-9]."
        }
        index += 1
      case UInt8(ascii: "["):
        guard let end = endOfClass(bytes, from: index) else { return "has a [ without a ]." }
        index = end
      case UInt8(ascii: "("):
        if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "?") {
          guard index + 2 < bytes.count, bytes[index + 2] == UInt8(ascii: ":") else {
            return "holds a (?…) group; only (?:…) is supported."
          }
          index += 2
        }
        guard repeated.count < 8 else { return "nests its groups too deep." }
        repeated.append(false)
      case UInt8(ascii: ")"):
        guard repeated.count > 1 else { return "has a ) without a (." }
        closedRepeats = repeated.removeLast()
        if closedRepeats { repeated[repeated.count - 1] = true }
        isGroupEnd = true
      case UInt8(ascii: "*"), UInt8(ascii: "+"):
        return "repeats without a bound; count instead: {1,40}."
      case UInt8(ascii: "?"), UInt8(ascii: "|"):
        choices *= 2
        repeated[repeated.count - 1] = true
      case UInt8(ascii: "{"):
        guard let (end, lower, upper) = bounds(bytes, from: index) else {
          return "has a { that is no count such as {1,40}; write \\{ for the character."
        }
        guard upper <= 255 else { return "repeats more than 255 times." }
        let follows = index > 0 && bytes[index - 1] == UInt8(ascii: ")")
        if follows, closedRepeats { return "repeats a group that repeats or chooses; count once." }
        choices *= upper - lower + 1
        if lower < upper { repeated[repeated.count - 1] = true }
        index = end
      default: break
      }
      if !isGroupEnd, byte != UInt8(ascii: "{") { closedRepeats = false }
      guard choices <= maximumChoices else {
        return "leaves too many ways to match; make its counts smaller."
      }
      index += 1
    }
    return repeated.count == 1 ? nil : "has a ( without a )."
  }

  private static func endOfClass(_ bytes: [UInt8], from start: Int) -> Int? {
    var index = start + 1
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\\"): index += 2
      case UInt8(ascii: "["): return nil
      case UInt8(ascii: "]"): return index > start + 1 ? index : nil
      default: index += 1
      }
    }
    return nil
  }

  /// The end of `{n}` or `{n,m}` and its bounds.
  private static func bounds(_ bytes: [UInt8], from start: Int) -> (
    end: Int, lower: Int, upper: Int
  )? {
    guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "}")) else { return nil }
    let inside = String(decoding: bytes[(start + 1)..<end], as: UTF8.self)
    let numbers = inside.split(separator: ",", omittingEmptySubsequences: false)
    guard (1...2).contains(numbers.count), numbers.allSatisfy({ (1...4).contains($0.count) }),
      let lower = Int(numbers[0]), let upper = Int(numbers[numbers.count - 1]),
      lower >= 0, lower <= upper
    else { return nil }
    return (end, lower, upper)
  }
}
