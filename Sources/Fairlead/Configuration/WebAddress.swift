import NIOCore

/// An `http` or `https` address as people configure it, taken apart strictly.
///
/// Stricter than URL parsers on purpose: what they repair or interpret differently (user names,
/// backslashes, odd forms of IPv4, blanks) is refused, because the address decides where
/// credentials go.
struct WebAddress: Equatable {
  var scheme: String
  /// Lower case; an IPv6 address is in brackets. May hold `{param}` where that is allowed.
  var host: String
  var port: Int?
  /// From the first `/` to the end, query and fragment included; empty for an origin.
  var rest: String

  init(_ text: String, placeholders: Bool = false) throws(SettingFault) {
    guard text.utf8.count <= 2_000 else { throw SettingFault("is longer than 2,000 characters.") }
    guard text.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 92 }) else {
      throw SettingFault("holds a character that does not belong in a URL.")
    }
    guard let separator = text.firstRange(of: "://") else {
      throw SettingFault("is no URL; write https://….")
    }
    scheme = text[..<separator.lowerBound].lowercased()
    guard scheme == "https" || scheme == "http" else {
      throw SettingFault("does not begin with https://.")
    }
    let behind = text[separator.upperBound...]
    let authority = behind.prefix { !"/?#".contains($0) }
    rest = String(behind[authority.endIndex...])
    guard !authority.contains("@") else {
      throw SettingFault("holds a user name or password; remove the part before the @.")
    }
    let (host, port) = try Self.split(authority)
    self.host = host.lowercased()
    self.port = port
    guard placeholders || !host.contains("{") else {
      throw SettingFault("holds a {placeholder} where none is allowed.")
    }
    guard Self.isHost(host) else { throw SettingFault("has no valid host name.") }
  }

  var origin: String { "\(scheme)://\(host)\(port.map { ":\($0)" } ?? "")" }
  var isOrigin: Bool { rest.isEmpty }

  /// Whether it stays on this machine, so that TLS adds nothing.
  var isLoopback: Bool {
    host == "localhost" || host.hasSuffix(".localhost") || host == "[::1]"
      || (Self.isIPv4(host) && host.hasPrefix("127."))
  }

  var isSecure: Bool { scheme == "https" || isLoopback }

  /// The names in `{…}` in the host.
  var placeholders: [String] {
    host.split(separator: "{", omittingEmptySubsequences: false).dropFirst().map {
      String($0.prefix { $0 != "}" })
    }
  }

  private static func split(_ authority: Substring) throws(SettingFault) -> (String, Int?) {
    let host: Substring
    let behind: Substring
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else {
        throw SettingFault("has a [ without a ].")
      }
      host = authority[...end]
      behind = authority[authority.index(after: end)...]
    } else {
      host = authority.prefix { $0 != ":" }
      behind = authority[host.endIndex...]
    }
    if behind.isEmpty { return (String(host), nil) }
    let digits = behind.dropFirst()
    guard behind.hasPrefix(":"), (1...5).contains(digits.count),
      digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(digits),
      (1...65_535).contains(port)
    else { throw SettingFault("has no valid port.") }
    return (String(host), port)
  }

  private static func isHost(_ host: String) -> Bool {
    if host.hasPrefix("[") {
      let inside = String(host.dropFirst().dropLast())
      guard inside.utf8.allSatisfy({ $0 == 58 || $0 == 46 || isHexDigit($0) }) else { return false }
      // No address: nothing more to say than that.
      return (try? SocketAddress(ipAddress: inside, port: 0))?.protocol == .inet6
    }
    guard !host.isEmpty, host.utf8.count <= 253 else { return false }
    let labels = host.split(separator: ".", omittingEmptySubsequences: false)
    // A last label of digits makes it an IPv4 address, which must be in its ordinary form.
    if let last = labels.last, last.utf8.first.map({ (48...57).contains($0) }) == true {
      return isIPv4(host)
    }
    return labels.allSatisfy(isLabel)
  }

  /// Letters, digits, hyphens and underscores, with `{name}` allowed among them.
  private static func isLabel(_ label: Substring) -> Bool {
    guard !label.isEmpty, label.utf8.count <= 63, label.first != "-", label.last != "-" else {
      return false
    }
    var open = false
    var nameLength = 0
    for byte in label.utf8 {
      switch byte {
      case 123:
        if open { return false }
        open = true
        nameLength = 0
      case 125:
        if !open || nameLength == 0 { return false }
        open = false
      case 48...57, 65...90, 97...122, 95: nameLength += 1
      case 45: if open { return false }
      default: return false
      }
    }
    return !open
  }

  private static func isIPv4(_ host: String) -> Bool {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        guard (1...3).contains(part.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
          part == "0" || part.first != "0", let number = Int(part)
        else { return false }
        return number <= 255
      }
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (97...102).contains(byte) || (65...70).contains(byte)
  }
}
