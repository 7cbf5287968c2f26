import Fairlead
import Foundation

/// Where the running server is. Pure.
enum ServerAddress {
  /// The server's URL without a slash at its end.
  /// - Parameter given: what `--url` says.
  /// - Throws: `CommandFailure` for what is no address, and for an `http` one off this machine unless
  ///   private networks are allowed: the key travels with every request.
  static func url(given: String?, configuration: FairleadConfiguration?) throws -> String {
    guard let given else {
      guard let configuration else { throw CommandFailure("name the server with --url.") }
      return try url(of: configuration)
    }
    guard let parsed = URL(string: given), let scheme = parsed.scheme?.lowercased(),
      ["http", "https"].contains(scheme), let host = parsed.host(), !host.isEmpty,
      parsed.user() == nil, parsed.query() == nil, parsed.fragment() == nil
    else {
      throw CommandFailure(
        "--url takes the server's address, such as http://127.0.0.1:8080 or "
          + "https://fairlead.example.com.")
    }
    guard scheme == "https" || isLoopback(host) || configuration?.allowPrivateNetworks == true
    else {
      throw CommandFailure(
        "--url must be https: the key would cross the network in the clear. On a private network, "
          + "set FAIRLEAD_ALLOW_PRIVATE_NETWORKS=true.")
    }
    return given.hasSuffix("/") ? String(given.dropLast()) : given
  }

  /// The public URL where that is on this machine, else where the server listens.
  static func url(of configuration: FairleadConfiguration) throws -> String {
    if let publicURL = configuration.publicURL, let host = URL(string: publicURL)?.host(),
      isLoopback(host)
    {
      return publicURL
    }
    guard configuration.port != 0 else {
      throw CommandFailure(
        "the configured port is 0, so the system chose it. Name the server with --url.")
    }
    return "http://\(reachable(configuration.host)):\(configuration.port)"
  }

  /// A server that listens on every address is reached at this machine's own.
  static func reachable(_ host: String) -> String {
    switch host {
    case "0.0.0.0": "127.0.0.1"
    case "::": "[::1]"
    default: host.contains(":") ? "[\(host)]" : host
    }
  }

  static func isLoopback(_ host: String) -> Bool {
    let host = host.lowercased()
    return host == "localhost" || host.hasSuffix(".localhost") || host == "::1" || host == "[::1]"
      || (host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." })
  }
}
