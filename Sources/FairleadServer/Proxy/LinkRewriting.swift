import Fairlead
import HTTPTypes
import HummingbirdCore
import NIOCore

/// Makes the provider's own addresses in an answer lead through the proxy, so that a client that
/// follows them stays on it: `Link` and `Location`, and in JSON the members that the definition
/// names. Everything else of the answer passes as it is, and streams.
struct LinkRewriting: Sendable {
  let fairlead: Fairlead
  let exchange: Exchange
  let resolved: ResolvedTarget

  func applied(to result: CallResult) async throws -> CallResult {
    guard let integration = fairlead.integrations[resolved.integration] else { return result }
    let rewrite = integration.definition.rewrite
    let hasLinks = rewrite.links && Self.holdsLinks(result)
    let rewritesBody = !rewrite.bodyURLs.isEmpty && holdsAddresses(result)
    var result = result
    if rewritesBody || (result.status == 304 && !rewrite.bodyURLs.isEmpty) {
      Self.weakenTag(&result.headers)
    }
    guard hasLinks || rewritesBody, let origins = try await origins(integration) else {
      return result
    }
    if hasLinks { Self.rewriteLinks(&result.headers, origins) }
    if rewritesBody { try await rewriteBody(&result, names: rewrite.bodyURLs, origins) }
    return result
  }

  /// The provider as this connection calls it, and as it calls itself where that differs.
  private func origins(_ integration: Integration) async throws -> ProviderOrigins? {
    guard let path = exchange.request.head.path,
      let address = ProxyAddress(
        rawPath: path, target: try ProxyRoute.split(path).target,
        host: exchange.request.head.authority, isLocal: exchange.isLocal,
        publicURL: fairlead.settings.publicURL)
    else { return nil }
    var params: [String: String] = [:]
    if !integration.definition.params.isEmpty {
      params = try await fairlead.connections.connection(resolved.connection).params
    }
    var itself = integration
    itself.baseURL = nil
    return ProviderOrigins(
      [
        try integration.origin(host: resolved.host, params: params),
        try itself.origin(host: resolved.host, params: params),
      ], proxy: address.base)
  }

  // MARK: - Headers

  private static func holdsLinks(_ result: CallResult) -> Bool {
    result.headers[.link] != nil || result.headers[.location] != nil
  }

  private static func rewriteLinks(_ headers: inout HTTPFields, _ origins: ProviderOrigins) {
    let links = headers[values: .link]
    if !links.isEmpty {
      headers[values: .link] = links.map { value in
        LinkHeader(value)?.rewritten { origins.rewritten($0) } ?? value
      }
    }
    if let location = headers[.location], let moved = origins.rewritten(location) {
      headers[.location] = moved
    }
  }

  /// What the caller gets is no longer byte for byte what the provider's strong tag names. Weak tags
  /// work for `If-None-Match` all the same (RFC 9110 section 13.1.2).
  private static func weakenTag(_ headers: inout HTTPFields) {
    if let tag = headers[.eTag], !tag.hasPrefix("W/") { headers[.eTag] = "W/\(tag)" }
  }

  // MARK: - Body

  /// Whether the answer has a JSON body that can be read here.
  private func holdsAddresses(_ result: CallResult) -> Bool {
    let headers = result.headers
    let type = (headers[.contentType] ?? "").prefix { $0 != ";" }.lowercased()
      .filter { $0 != " " }
    guard exchange.request.method != .head, ![204, 206, 304].contains(result.status),
      type == "application/json" || (type.hasPrefix("application/") && type.hasSuffix("+json")),
      ["", "identity"].contains(headers[.contentEncoding]?.lowercased() ?? "")
    else { return false }
    return headers[.contentLength].flatMap { Int($0) }.map { $0 <= BodyRewriting.limit } ?? true
  }

  private func rewriteBody(
    _ result: inout CallResult, names: [String], _ origins: ProviderOrigins
  ) async throws {
    let peeked = try await PeekedBody.read(result.body, upTo: BodyRewriting.limit + 1)
    result.body = peeked.stream
    guard peeked.isComplete else { return }
    var whole = peeked.prefix
    if let rewritten = BodyRewriting(names: names).rewritten(whole, { origins.rewritten($0) }) {
      whole = rewritten
      for digest in Self.digests { result.headers[digest] = nil }
    }
    result.headers[.contentLength] = String(whole.readableBytes)
    result.body = .single(whole)
  }

  /// What is said about the very bytes is no longer true of them.
  private static let digests = ["content-md5", "digest", "content-digest", "repr-digest"]
    .compactMap { HTTPField.Name($0) }
}

extension HTTPField.Name {
  static let link = HTTPField.Name("link")!
}
