import Fairlead

/// The address under which a caller reached a target of the proxy: where rewritten links lead.
struct ProxyAddress: Sendable {
  /// `http://127.0.0.1:8080/v1/proxy/github:u1`, without a slash at its end.
  let base: String

  /// - Parameters:
  ///   - rawPath: the request's path as it came.
  ///   - host: the request's `Host`.
  ///   - isLocal: whether the request came from this machine, and not through a reverse proxy.
  ///   - publicURL: what the operator says this deployment is called.
  ///
  /// A link is followed with a Fairlead key in hand, so the name in it must not be for a sender to
  /// choose: `Host` is believed only where caller and name are both of this machine (SDKs insist on
  /// the very name they called, and `localhost` and `127.0.0.1` differ to them). Everyone else gets
  /// the public URL, whose scheme is right too: behind a proxy that ends TLS we could not know it.
  ///
  /// `nil` when the path holds characters that no address can.
  init?(rawPath: String, target: String, host: String?, isLocal: Bool, publicURL: String) {
    let path = rawPath.prefix { $0 != "?" }
    guard let marker = path.firstRange(of: "/v1/proxy/") else { return nil }
    let base: String
    if isLocal, let host, Self.isLoopback(host) {
      // Routes may hang below a prefix of an application's own router.
      base = "http://\(host)\(path[..<marker.lowerBound])/v1/proxy/\(target)"
    } else {
      let origin = publicURL.hasSuffix("/") ? String(publicURL.dropLast()) : publicURL
      base = "\(origin)/v1/proxy/\(target)"
    }
    guard base.utf8.allSatisfy(Self.mayStand) else { return nil }
    self.base = base
  }

  /// `localhost`, `127.0.0.1` or `[::1]`, with a port or without.
  static func isLoopback(_ host: String) -> Bool {
    guard host.utf8.count <= 64 else { return false }
    let name: Substring
    if host.hasPrefix("[") {
      guard let end = host.firstIndex(of: "]") else { return false }
      name = host[...end]
    } else {
      name = host.prefix { $0 != ":" }
    }
    let port = host[name.endIndex...]
    guard port.isEmpty || (port.first == ":" && UInt16(port.dropFirst()) != nil) else {
      return false
    }
    return ["localhost", "127.0.0.1", "[::1]"].contains(name.lowercased())
  }

  /// The characters of RFC 3986, without those that would end a target or a JSON string.
  private static func mayStand(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122: true
    default: "-._~:/[]@!$&'()*+,;=%".utf8.contains(byte)
    }
  }
}
