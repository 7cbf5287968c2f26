import Logging
import NIOCore

/// What each setting accepts, wherever it is set.
enum SettingRules {
  static func port(_ text: String) throws(SettingFault) -> Int {
    guard !text.hasPrefix("tcp://") else {
      throw SettingFault(
        "is what Kubernetes sets for a service named fairlead; write enableServiceLinks: false "
          + "into the pod, or set a number.")
    }
    guard text.utf8.count <= 5, text.utf8.allSatisfy({ (48...57).contains($0) }),
      let port = Int(text), (0...65_535).contains(port)
    else {
      throw SettingFault("is no port; write a number from 1 to 65535, or 0 for any free port.")
    }
    return port
  }

  /// A name or address to listen on, an IPv6 address without brackets.
  static func host(_ text: String) throws(SettingFault) -> String {
    let bracketed = text.contains(":") ? "[\(text)]" : text
    do {
      let address = try WebAddress("http://\(bracketed)")
      guard address.port == nil, address.isOrigin else { throw SettingFault("") }
      return text
    } catch {
      throw SettingFault("is no host; write one such as 127.0.0.1 or 0.0.0.0.")
    }
  }

  static func publicURL(_ text: String) throws(SettingFault) -> String {
    try origin(text, example: "https://fairlead.example.com")
  }

  static func webOrigin(_ text: String) throws(SettingFault) -> String {
    try origin(text, example: "https://app.example.com")
  }

  /// Scheme, host and port, `https` unless it stays on this machine.
  private static func origin(_ text: String, example: String) throws(SettingFault) -> String {
    let address = try WebAddress(text)
    guard address.isSecure else {
      throw SettingFault("must be https (http is for this machine only); write \(example).")
    }
    guard address.isOrigin || address.rest == "/" else {
      throw SettingFault("must end after the host; write it like \(example), without a path.")
    }
    return address.origin
  }

  static func corsOrigin(_ text: String) throws(SettingFault) -> String {
    guard !text.contains("*") else {
      throw SettingFault(
        "holds a wildcard, which would let any site call this API; name each origin, such as "
          + "https://app.example.com.")
    }
    return try webOrigin(text)
  }

  static func corsOrigins(_ text: String) throws(SettingFault) -> [String] {
    var origins: [String] = []
    for part in list(text) { origins.append(try corsOrigin(part)) }
    return origins
  }

  /// An integration's replaced origin; a path prefix is allowed.
  static func baseURL(_ text: String) throws(SettingFault) -> String {
    let address = try WebAddress(text)
    guard address.isSecure else {
      throw SettingFault("must be https (http is for this machine only).")
    }
    guard !address.rest.contains("?"), !address.rest.contains("#") else {
      throw SettingFault("must not have a query or a fragment.")
    }
    var path = address.rest
    while path.hasSuffix("/") { path.removeLast() }
    return address.origin + path
  }

  static func destinationURL(_ text: String) throws(SettingFault) -> String {
    let address = try WebAddress(text)
    guard address.isSecure else {
      throw SettingFault("must be https (http is for this machine only).")
    }
    guard !address.rest.contains("#") else { throw SettingFault("must not have a fragment.") }
    return text
  }

  static func database(_ text: String) throws(SettingFault) -> DatabaseLocation {
    if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") {
      return .postgres(url: Secret(text))
    }
    guard text.hasPrefix("sqlite:") else {
      throw SettingFault("is no database; write sqlite:PATH or postgres://….")
    }
    let path = String(text.dropFirst("sqlite:".count))
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw SettingFault("has no path; write one such as sqlite:fairlead.db.")
    }
    return .sqlite(path: path)
  }

  static func flag(_ text: String) throws(SettingFault) -> Bool {
    switch text.lowercased() {
    case "true", "1", "yes": return true
    case "false", "0", "no": return false
    default: throw SettingFault("is neither yes nor no; write true or false.")
    }
  }

  static func logLevel(_ text: String) throws(SettingFault) -> Logger.Level {
    guard let level = Logger.Level(rawValue: text.lowercased()) else {
      let names = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
      throw SettingFault("is no log level; write one of \(names).")
    }
    return level
  }

  /// An address or a network: `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`.
  static func proxy(_ text: String) throws(SettingFault) -> String {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let fault = SettingFault("is no address or network; write one such as 10.0.0.1 or 10.0.0.0/8.")
    let address: SocketAddress
    do {
      guard let first = parts.first, parts.count <= 2 else { throw fault }
      address = try SocketAddress(ipAddress: String(first), port: 0)
    } catch {
      throw fault
    }
    if parts.count == 2 {
      let widest = address.protocol == .inet6 ? 128 : 32
      guard parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let width = Int(parts[1]),
        width <= widest
      else { throw fault }
    }
    return text
  }

  static func filePath(_ text: String) throws(SettingFault) -> String {
    guard !text.utf8.contains(0) else { throw SettingFault("is no path.") }
    return text
  }

  static func secret(_ text: String) throws(SettingFault) -> Secret { Secret(text) }

  static func text(_ text: String) throws(SettingFault) -> String { text }

  /// Comma-separated secrets, newest first.
  static func secrets(_ text: String) throws(SettingFault) -> [Secret] {
    let secrets = list(text).map { Secret($0) }
    guard !secrets.isEmpty else { throw SettingFault("holds no secret.") }
    return secrets
  }

  static func list(_ text: String) -> [String] {
    text.split(separator: ",").map { $0.trimming(while: \.isWhitespace) }.filter { !$0.isEmpty }
  }
}
