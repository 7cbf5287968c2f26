extension DefinitionParser {
  func rewriting(_ reader: YAMLReader) -> ProviderDefinition.Rewriting? {
    guard let mapping = YAMLMapping<RewriteKey>(reader) else { return nil }
    var rewriting = ProviderDefinition.Rewriting()
    rewriting.links = mapping[.links]?.bool() ?? true
    for name in mapping[.bodyURLs]?.list(max: 100) ?? [] {
      guard let text = name.text(max: 100, "a member's name such as url or \"*_url\"") else {
        continue
      }
      // One star at the beginning, and something behind it: `*` alone would take any text.
      guard text != "*", !text.dropFirst().contains("*") else {
        name.report("is \(name.shown); write a name, or * and the end of one: \"*_url\".")
        continue
      }
      rewriting.bodyURLs.append(text)
    }
    return rewriting
  }

  /// Headers that are added to calls; never those that carry the credential or frame the message.
  func defaultHeaders(_ reader: YAMLReader?) -> [String: String] {
    let headers = headers(reader)
    for name in headers.keys.sorted() {
      let lower = name.lowercased()
      if Self.forbiddenHeaders.contains(lower) || Self.credentialHeaders.contains(lower) {
        reader?.report("must not set \(name); the credential goes into `apply`.")
      }
    }
    return headers
  }

  private static let credentialHeaders: Set<String> = [
    "authorization", "proxy-authorization", "cookie",
  ]
}
