// What credentials look like wherever they stand (PROVIDERS section 10).

extension RedactionScanner {
  /// The credential that begins at `index`, if one does.
  mutating func credential(at index: Int) -> Range<Int>? {
    switch bytes[index] {
    case UInt8(ascii: "x"): slack(index)
    case UInt8(ascii: "s"): stripe(index) ?? prefixed("shp", index, skip: 3, atLeast: 8)
    case UInt8(ascii: "r"): isBoundary(index) ? prefixed("rk_", index, atLeast: 8) : nil
    case UInt8(ascii: "w"): prefixed("whsec_", index, atLeast: 4)
    case UInt8(ascii: "g"): gitHub(index)
    case UInt8(ascii: "y"): prefixed("ya29.", index, atLeast: 4)
    case UInt8(ascii: "1"): isBoundary(index) ? prefixed("1//", index, atLeast: 10) : nil
    case UInt8(ascii: "A"): prefixed("AIza", index, atLeast: 30)
    case UInt8(ascii: "f"): isBoundary(index) ? prefixed("fl_", index, atLeast: 16) : nil
    case UInt8(ascii: "e"): jsonWebToken(index)
    case UInt8(ascii: "-"): privateKey(index)
    default: nil
    }
  }

  private func slack(_ index: Int) -> Range<Int>? {
    if has("xapp-", at: index) { return token(from: index, after: index + 5, atLeast: 4) }
    guard has("xox", at: index), index + 4 < bytes.count,
      Self.isAlphanumeric(bytes[index + 3]),
      bytes[index + 4] == UInt8(ascii: "-") || bytes[index + 4] == UInt8(ascii: ".")
    else { return nil }
    return token(from: index, after: index + 5, atLeast: 4)
  }

  private func stripe(_ index: Int) -> Range<Int>? {
    if has("sk_live_", at: index) || has("sk_test_", at: index) {
      return token(from: index, after: index + 8, atLeast: 4)
    }
    return isBoundary(index) ? prefixed("sk-", index, atLeast: 12) : nil
  }

  private func gitHub(_ index: Int) -> Range<Int>? {
    if has("github_pat_", at: index) { return token(from: index, after: index + 11, atLeast: 4) }
    guard has("gh", at: index), index + 3 < bytes.count, bytes[index + 3] == UInt8(ascii: "_"),
      "opusr".utf8.contains(bytes[index + 2])
    else { return nil }
    return token(from: index, after: index + 4, atLeast: 16)
  }

  /// - Parameter skip: how many more bytes belong to the prefix, the last of them `_`: `shpat_`.
  private func prefixed(
    _ prefix: StaticString, _ index: Int, skip: Int = 0, atLeast: Int
  ) -> Range<Int>? {
    guard has(prefix, at: index) else { return nil }
    let start = index + prefix.utf8CodeUnitCount + skip
    if skip > 0 {
      guard start <= bytes.count, bytes[start - 1] == UInt8(ascii: "_") else { return nil }
    }
    return token(from: index, after: start, atLeast: atLeast)
  }

  private func token(from start: Int, after tail: Int, atLeast: Int) -> Range<Int>? {
    // Looked at first, so that a tail that is too short costs no more than it is long.
    let probe = min(bytes.count, tail + atLeast)
    guard tail + atLeast <= bytes.count,
      bytes[tail..<probe].allSatisfy(Self.isTokenByte)
    else { return nil }
    return start..<end(from: probe, while: Self.isTokenByte)
  }

  /// Three or more parts of base64url with dots between, the first a JSON object.
  private mutating func jsonWebToken(_ index: Int) -> Range<Int>? {
    guard index >= noTokenBefore, has("eyJ", at: index) else { return nil }
    let first = end(from: index) { Self.isAlphanumeric($0) || $0 == 45 || $0 == 95 }
    guard first - index >= 8, first < bytes.count, bytes[first] == UInt8(ascii: ".") else {
      noTokenBefore = first
      return nil
    }
    let end = end(from: first) { Self.isAlphanumeric($0) || $0 == 45 || $0 == 95 || $0 == 46 }
    guard end - first > 4 else {
      noTokenBefore = first
      return nil
    }
    return index..<end
  }

  private func privateKey(_ index: Int) -> Range<Int>? {
    guard has("-----BEGIN ", at: index) else { return nil }
    let line = end(from: index + 11) { $0 == 32 || (65...90).contains($0) }
    guard has("KEY-----", at: line - 3) else { return nil }
    var index = line + 5
    while index < bytes.count {
      if has("-----END ", at: index) {
        return line + 5..<index
      }
      index += 1
    }
    return line + 5..<bytes.count
  }

  /// The user info of a URL: between `://` and `@`.
  func userInfo(at index: Int) -> Range<Int>? {
    guard bytes[index] == UInt8(ascii: ":"), has("://", at: index) else { return nil }
    let start = index + 3
    let end = self.end(from: start) { byte in
      switch byte {
      case 0...32, UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "\""),
        UInt8(ascii: "'"), UInt8(ascii: "<"), UInt8(ascii: ">"):
        false
      default: true
      }
    }
    guard let at = bytes[start..<end].lastIndex(of: UInt8(ascii: "@")), at > start else {
      return nil
    }
    return start..<at
  }

  /// Whether a word can begin at `index`: after anything but a letter or digit, or after an escape
  /// such as `%3D` or `\n`.
  private func isBoundary(_ index: Int) -> Bool {
    guard index > 0, Self.isAlphanumeric(bytes[index - 1]) else { return true }
    if index > 1, bytes[index - 2] == UInt8(ascii: "\\") { return true }
    return index > 2 && bytes[index - 3] == UInt8(ascii: "%")
  }

  static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "+"),
      UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: "~"), UInt8(ascii: "%"):
      true
    default: isAlphanumeric(byte)
    }
  }
}
