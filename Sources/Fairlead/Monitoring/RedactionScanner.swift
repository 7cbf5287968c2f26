/// One pass over a text that replaces secrets by the mask. Every byte is looked at a bounded number
/// of times: what a rule consumed is not scanned again.
struct RedactionScanner {
  let bytes: [UInt8]
  private var output: [UInt8] = []
  /// Everything before it is in `output` or was replaced.
  private var copied = 0
  /// Where the runs of letters end that the last looks ahead went over.
  private var runEnd = 0
  /// Up to where it is known that no JSON web token begins.
  var noTokenBefore = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  /// The text without secrets, or `nil` when there were none.
  mutating func redacted() -> String? {
    var index = 0
    // The value of the name being walked over: the name itself may hold a credential.
    var value: Range<Int>?
    while index < bytes.count {
      if value == nil, index >= runEnd, Self.isNameByte(bytes[index]) {
        runEnd = end(from: index, while: Self.isNameByte)
        value = valueNamed(by: index..<runEnd) ?? wordAfterScheme(index..<runEnd)
      }
      guard let secret = secret(at: index, or: value) else {
        index += 1
        continue
      }
      replace(secret)
      index = secret.upperBound
      if let named = value, named.lowerBound < index { value = nil }
    }
    guard copied > 0 else { return nil }
    output += bytes[copied...]
    return String(decoding: output, as: UTF8.self)
  }

  /// The secret that begins at `index`, grown to hold `value` when it runs into it.
  private mutating func secret(at index: Int, or value: Range<Int>?) -> Range<Int>? {
    if let value, index == value.lowerBound { return value }
    guard let found = credential(at: index) ?? userInfo(at: index) else { return nil }
    guard let value, found.upperBound > value.lowerBound else { return found }
    let upper = end(from: max(found.upperBound, value.upperBound)) { !Self.endsWord($0) }
    return min(found.lowerBound, value.lowerBound)..<upper
  }

  private mutating func replace(_ range: Range<Int>) {
    output += bytes[copied..<range.lowerBound]
    output += Array(Redaction.mask.utf8)
    copied = range.upperBound
  }

  func end(from start: Int, while belongs: (UInt8) -> Bool) -> Int {
    var index = start
    while index < bytes.count, belongs(bytes[index]) { index += 1 }
    return index
  }

  func has(_ text: StaticString, at index: Int) -> Bool {
    let count = text.utf8CodeUnitCount
    guard index >= 0, bytes.count - index >= count else { return false }
    for offset in 0..<count where bytes[index + offset] != text.utf8Start[offset] { return false }
    return true
  }

  static func isNameByte(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
      || byte == UInt8(ascii: ".")
  }

  static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
  }
}

// MARK: - Names and their values

extension RedactionScanner {
  private enum Quote { case none, plain(UInt8), escaped, percent }

  /// The value that belongs to `name`, when the name tells that it is secret.
  private func valueNamed(by name: Range<Int>) -> Range<Int>? {
    guard let (start, quote, isHeader) = valueStart(after: name.upperBound) else { return nil }
    let key = RedactionKey(
      bytes: bytes[max(name.lowerBound, name.upperBound - 64)..<name.upperBound])
    guard key.kind != .open else { return nil }
    var end = valueEnd(from: start, quote: quote)
    if case .none = quote, isHeader, key.isHeader {
      end = self.end(from: start) { $0 != 10 && $0 != 13 && $0 != UInt8(ascii: "\"") }
    }
    guard end > start, isWorthMasking(bytes[start..<end], of: key, isQuery: isQuery(name)) else {
      return nil
    }
    return start..<end
  }

  private func isWorthMasking(
    _ value: ArraySlice<UInt8>, of key: RedactionKey, isQuery: Bool
  ) -> Bool {
    if value.count <= 5,
      ["null", "nil", "true", "false", "***"].contains(where: {
        value.elementsEqual($0.utf8)
      })
    {
      return false
    }
    if key.isCount, value.allSatisfy({ (48...57).contains($0) }) { return false }
    return key.kind == .secret || isQuery || !RedactionKey.isPlainWord(value)
  }

  private func isQuery(_ name: Range<Int>) -> Bool {
    guard name.lowerBound > 0 else { return false }
    let before = bytes[name.lowerBound - 1]
    return before == UInt8(ascii: "?") || before == UInt8(ascii: "&")
  }

  /// Steps over a closing quote, `=` or `:`, and an opening quote.
  private func valueStart(after name: Int) -> (start: Int, quote: Quote, isHeader: Bool)? {
    var index = name
    _ = skipQuote(&index)
    skipSpaces(&index)
    let isHeader = has(": ", at: index)
    if has("=>", at: index) || has(":=", at: index) {
      index += 2
    } else if index < bytes.count,
      bytes[index] == UInt8(ascii: "=") || bytes[index] == UInt8(ascii: ":")
    {
      index += 1
    } else if has("%3D", at: index) || has("%3d", at: index) || has("%3A", at: index)
      || has("%3a", at: index)
    {
      index += 3
    } else {
      return nil
    }
    skipSpaces(&index)
    let quote = skipQuote(&index)
    return index < bytes.count ? (index, quote, isHeader) : nil
  }

  private func skipSpaces(_ index: inout Int) {
    // Bounded, so that no run of spaces is walked over and over.
    let limit = min(bytes.count, index + 8)
    while index < limit, bytes[index] == 32 || bytes[index] == 9 { index += 1 }
  }

  private func skipQuote(_ index: inout Int) -> Quote {
    guard index < bytes.count else { return .none }
    switch bytes[index] {
    case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"):
      index += 1
      return .plain(bytes[index - 1])
    case UInt8(ascii: "\\") where has("\\\"", at: index):
      index += 2
      return .escaped
    case UInt8(ascii: "%") where has("%22", at: index):
      index += 3
      return .percent
    default: return .none
    }
  }

  private func valueEnd(from start: Int, quote: Quote) -> Int {
    switch quote {
    case .plain(let mark):
      var index = start
      while index < bytes.count, bytes[index] != mark {
        index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
      }
      return min(index, bytes.count)
    case .escaped:
      return end(from: start) { $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "\"") }
    case .percent:
      var index = start
      while index < bytes.count, !has("%22", at: index), !Self.endsWord(bytes[index]) { index += 1 }
      return index
    case .none:
      if bytes[start] == UInt8(ascii: "{") || bytes[start] == UInt8(ascii: "[") {
        return end(from: bracketEnd(from: start)) { !Self.endsWord($0) }
      }
      let end = self.end(from: start) { !Self.endsWord($0) }
      let word = String(decoding: bytes[start..<min(end, start + 8)], as: UTF8.self)
      guard end - start <= 6, RedactionKey.isScheme(word), end < bytes.count, bytes[end] == 32
      else { return end }
      return self.end(from: end + 1) { !Self.endsWord($0) }
    }
  }

  /// The end of a JSON array or object; the end of the text when it does not end.
  private func bracketEnd(from start: Int) -> Int {
    var depth = 0
    var inString = false
    var index = start
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\\"): index += 1
      case UInt8(ascii: "\""): inString.toggle()
      case UInt8(ascii: "{") where !inString, UInt8(ascii: "[") where !inString: depth += 1
      case UInt8(ascii: "}") where !inString, UInt8(ascii: "]") where !inString:
        depth -= 1
        if depth == 0 { return index + 1 }
      default: break
      }
      index += 1
    }
    return bytes.count
  }

  private static func endsWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 0...32, UInt8(ascii: "&"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\""),
      UInt8(ascii: "'"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: ")"),
      UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: "|"), UInt8(ascii: "\\"):
      true
    default: false
    }
  }

  /// The token in `Bearer …` or `Basic …`, where it does not look like an English word.
  private func wordAfterScheme(_ word: Range<Int>) -> Range<Int>? {
    guard word.count == 6 || word.count == 5, word.upperBound < bytes.count,
      bytes[word.upperBound] == 32
    else { return nil }
    let scheme = String(decoding: bytes[word], as: UTF8.self).lowercased()
    guard scheme == "bearer" || scheme == "basic" else { return nil }
    let start = word.upperBound + 1
    let token = bytes[start..<end(from: start, while: Self.isTokenByte)]
    guard token.count >= 6, token.count >= 20 || !token.allSatisfy({ (97...122).contains($0) })
    else { return nil }
    return start..<end(from: start) { !Self.endsWord($0) }
  }
}
