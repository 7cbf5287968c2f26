/// The addresses that are the provider's own, and where they are found through the proxy.
struct ProviderOrigins: Sendable {
  private struct Origin {
    var scheme: String
    /// Lower case, without the scheme's usual port.
    var authority: String
    /// The path prefix of a replaced base URL, without a slash at its end.
    var prefix: String
  }

  static let longest = 16 << 10

  private let origins: [Origin]
  private let proxy: String

  /// - Parameters:
  ///   - urls: the origin that is called first, then others it may call itself by.
  ///   - proxy: the address of the target, without a slash at its end.
  init(_ urls: [String], proxy: String) {
    self.proxy = proxy
    origins = urls.compactMap { url in
      guard let (scheme, authority, rest) = Self.split(url[...]) else { return nil }
      var prefix = rest
      while prefix.hasSuffix("/") { prefix = prefix.dropLast() }
      return Origin(scheme: scheme, authority: authority, prefix: String(prefix))
    }
  }

  /// The same place by way of the proxy; `nil` for an address that is elsewhere, relative to the
  /// one it was found at, or better not followed.
  func rewritten(_ url: String) -> String? {
    guard url.utf8.count <= Self.longest else { return nil }
    if url.hasPrefix("//") {
      return origins.lazy.compactMap { below($0, "\($0.scheme):\(url)"[...]) }.first
    }
    if url.hasPrefix("/") {
      // Relative to the provider's root, which for the caller is below the proxy's.
      guard let called = origins.first else { return nil }
      return moved(url[...], below: called.prefix)
    }
    return origins.lazy.compactMap { below($0, url[...]) }.first
  }

  private func below(_ origin: Origin, _ url: Substring) -> String? {
    guard let (scheme, authority, rest) = Self.split(url), scheme == origin.scheme,
      authority == origin.authority
    else { return nil }
    return moved(rest, below: origin.prefix)
  }

  private func moved(_ path: Substring, below prefix: String) -> String? {
    guard path.hasPrefix(prefix) else { return nil }
    let rest = path.dropFirst(prefix.count)
    // `/github` is no prefix of `/githubbers`; `{` begins a URI template (RFC 6570).
    guard rest.isEmpty || "/?#{".contains(rest.first ?? " "), Self.isHarmless(rest) else {
      return nil
    }
    return proxy + rest
  }

  /// Dot segments would lead a client that resolves them out of the target, perhaps into another
  /// connection's, with the caller's key.
  private static func isHarmless(_ rest: Substring) -> Bool {
    guard
      rest.utf8.allSatisfy({ $0 > 32 && $0 != 127 && $0 != 92 && $0 != 34 && $0 != 60 && $0 != 62 })
    else { return false }
    let path = rest.prefix { $0 != "?" && $0 != "#" }
    return !path.split(separator: "/").contains { segment in
      [".", ".."].contains(segment.lowercased().replacing("%2e", with: "."))
    }
  }

  private static func split(
    _ url: Substring
  ) -> (scheme: String, authority: String, rest: Substring)? {
    guard let separator = url.firstRange(of: "://") else { return nil }
    let scheme = url[..<separator.lowerBound].lowercased()
    let usualPort: String
    switch scheme {
    case "https": usualPort = ":443"
    case "http": usualPort = ":80"
    default: return nil
    }
    let behind = url[separator.upperBound...]
    let end = behind.firstIndex { "/?#{".contains($0) } ?? behind.endIndex
    var authority = behind[..<end].lowercased()
    // User info would be somebody's credentials; the place is not the one it looks like.
    guard !authority.isEmpty, !authority.contains("@") else { return nil }
    if authority.hasSuffix(usualPort) { authority.removeLast(usualPort.count) }
    return (scheme, authority, behind[end...])
  }
}
