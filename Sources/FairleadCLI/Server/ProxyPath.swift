import Fairlead

/// The path of a proxied call from what people type. Pure.
enum ProxyPath {
  /// - Parameters:
  ///   - target: a connection's id, `integration`, `integration:owner` with the owner as it is, or
  ///     with `@host` after the integration.
  ///   - path: the provider's own path and query; a slash in front may be missing.
  /// - Throws: `CommandFailure` for what cannot stand in a request line.
  static func path(target: String, path: String) throws -> String {
    guard !target.isEmpty, path.unicodeScalars.allSatisfy({ $0.value > 32 && $0.value != 127 })
    else {
      throw CommandFailure("the path must not hold blanks; write %20 for one.")
    }
    let parts = target.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let head = parts[0].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
      .map { FormEncoding.escape(String($0)) }.joined(separator: "@")
    let owner = parts.count > 1 ? ":" + FormEncoding.escape(String(parts[1])) : ""
    // Letters beyond ASCII are escaped as browsers do; what is escaped already stays.
    let rest = path.unicodeScalars.map {
      $0.isASCII ? String($0) : FormEncoding.escape(String($0))
    }.joined()
    return "/v1/proxy/\(head)\(owner)" + (rest.hasPrefix("/") ? rest : "/" + rest)
  }
}
