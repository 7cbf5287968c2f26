import HTTPTypes

/// Which headers pass from the caller to the provider and back.
enum Headers {
  /// Those of one connection only (RFC 9110 section 7.6.1), in lower case.
  private static let hopByHop: Set<String> = [
    "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization",
    "te", "trailer", "transfer-encoding", "upgrade",
  ]

  /// What the caller's own infrastructure added, or what the transport sets by itself.
  private static let notForwarded: Set<String> = [
    "host", "content-length", "expect", "forwarded", "via", "x-real-ip", "x-client-ip",
    "true-client-ip", "cf-connecting-ip", "x-original-url", "x-rewrite-url",
  ]

  /// The caller's headers as the provider may see them.
  static func outgoing(_ headers: HTTPFields, source: Call.Source) -> HTTPFields {
    let named = namedInConnection(headers)
    var fields = HTTPFields()
    fields.reserveCapacity(headers.count + 3)
    for field in headers {
      let name = field.name.canonicalName
      if hopByHop.contains(name) || notForwarded.contains(name) || named.contains(name)
        || name.hasPrefix("fairlead-") || name.hasPrefix("x-forwarded-")
      {
        continue
      }
      // A browser's cookies are for us, never for a provider.
      if name == "cookie", source == .proxy { continue }
      fields.append(field)
    }
    if fields[.userAgent] == nil { fields[.userAgent] = "fairlead" }
    return fields
  }

  /// Adds a definition's own headers where the caller has none of that name. `*/*` is what clients
  /// say that do not mean anything by it.
  static func add(_ defaults: [String: String], to headers: inout HTTPFields) {
    for (name, value) in defaults {
      guard let name = HTTPField.Name(name) else { continue }
      if headers[name] == nil || (name == .accept && headers[name]?.trimmed == "*/*") {
        headers[name] = value
      }
    }
  }

  /// The provider's headers as the caller may see them. `fairlead-*` is ours alone to say.
  static func incoming(_ headers: HTTPFields) -> HTTPFields {
    let named = namedInConnection(headers)
    var fields = HTTPFields()
    fields.reserveCapacity(headers.count)
    for field in headers {
      let name = field.name.canonicalName
      if hopByHop.contains(name) || named.contains(name) || name.hasPrefix("fairlead-") { continue }
      // A provider's cookies would become this origin's.
      if name == "set-cookie" { continue }
      fields.append(field)
    }
    return fields
  }

  private static func namedInConnection(_ headers: HTTPFields) -> Set<String> {
    guard let value = headers[.connection] else { return [] }
    return Set(value.split(separator: ",").map { $0.trimmed.lowercased() })
  }
}
