/// Where a browser may be sent after connecting: the listed origins and our own. Pure.
///
/// Origins are compared as text at the start of the URL, so that no two parsers can disagree about
/// what the host is.
struct RedirectPolicy: Sendable {
  /// Lower case, without a trailing slash.
  let origins: [String]

  init(publicURL: String, allowed: [String]) {
    origins = ([publicURL] + allowed).compactMap(Self.origin)
  }

  /// - Throws: `FairleadError` (`invalidRequest`).
  func check(_ redirect: String) throws {
    let bytes = redirect.utf8
    let isPlain = bytes.count <= 2_048 && bytes.allSatisfy { (33...126).contains($0) && $0 != 92 }
    guard isPlain, let origin = Self.origin(redirect), origins.contains(origin) else {
      throw FairleadError(
        .invalidRequest,
        "redirect must be a URL of an origin listed under connect.redirect_origins.")
    }
  }

  /// `scheme://authority`; `nil` for what is no web address or carries user information.
  private static func origin(_ url: String) -> String? {
    let lowered = url.lowercased()
    guard let scheme = ["https://", "http://"].first(where: { lowered.hasPrefix($0) }) else {
      return nil
    }
    let authority = lowered.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
    guard !authority.isEmpty, !authority.contains("@"), !authority.contains("\\") else {
      return nil
    }
    let port = scheme == "https://" ? ":443" : ":80"
    return scheme + (authority.hasSuffix(port) ? authority.dropLast(port.count) : authority)
  }

  /// `redirect` with fields added to its query.
  static func url(_ redirect: String, adding fields: [(String, String)]) -> String {
    let parts = redirect.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    let base = String(parts[0])
    let joint = !base.contains("?") ? "?" : base.hasSuffix("?") || base.hasSuffix("&") ? "" : "&"
    let fragment = parts.count > 1 ? "#\(parts[1])" : ""
    return base + joint + FormEncoding.encode(fields) + fragment
  }
}
