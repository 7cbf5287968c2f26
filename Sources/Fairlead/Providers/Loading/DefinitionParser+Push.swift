extension DefinitionParser {
  private static let watchNames: Set<String> = [
    "channel_id", "address", "token", "ttl", "expiration",
  ]

  /// - Parameter params: what the path's placeholders may name.
  func push(
    _ reader: YAMLReader, params: Set<String>
  ) -> ProviderDefinition.Push? {
    guard let mapping = YAMLMapping<PushKey>(reader),
      let watch = mapping.require(.watch, "the call that opens a watch").flatMap({
        pushRequest($0, params: params, names: Self.watchNames)
      })
    else { return nil }
    if !Self.names(in: watch.body).isSuperset(of: ["channel_id", "address", "token"]) {
      mapping[.watch]?.report(
        "must send {channel_id}, {address} and {token}: without them a notification proves nothing."
      )
    }
    var push = ProviderDefinition.Push(watch: watch)
    push.stop = mapping[.stop].flatMap {
      pushRequest($0, params: params, names: ["channel_id", "resource"])
    }
    push.resource = mapping[.resource].flatMap(dottedPath)
    if let expires = mapping.mapping(.expires, ExpiresKey.self) {
      var expiry = ProviderDefinition.Expiry()
      expiry.path =
        expires.require(.path, "where the end stands, such as expiration").flatMap(dottedPath) ?? ""
      expiry.unit = expires[.unit]?.choice(ProviderDefinition.Expiry.Unit.self) ?? .seconds
      push.expires = expiry
    }
    if let lifetime = mapping[.lifetime]?.duration(in: .seconds(60)...(.seconds(366 * 86_400))) {
      push.lifetime = lifetime
    }
    return push
  }

  private func pushRequest(
    _ reader: YAMLReader, params: Set<String>, names: Set<String>
  ) -> ProviderDefinition.Push.Request? {
    guard let mapping = YAMLMapping<PushRequestKey>(reader),
      let path = mapping.require(.path, "the path of the call").flatMap(path),
      let body = mapping.require(.body, "the JSON that is sent").flatMap({ document($0) })
    else { return nil }
    for name in Self.placeholders(in: path) ?? [] where !params.contains(name) {
      mapping.report("its path names {\(name)}, which the sync's `params` does not have.")
    }
    for name in Self.names(in: body).sorted() where !names.contains(name) {
      let known = names.sorted().map { "{\($0)}" }.joined(separator: ", ")
      mapping.report("its body names {\(name)}; known here: \(known).")
    }
    return ProviderDefinition.Push.Request(
      method: mapping[.method].flatMap(method) ?? "POST", path: path, body: body)
  }

  /// A small JSON document written as YAML mappings and scalars.
  private func document(_ reader: YAMLReader, depth: Int = 0) -> JSONValue? {
    switch reader.node.content {
    case .mapping where depth < 8:
      var members: [String: JSONValue] = [:]
      for (key, _, value) in reader.entries(max: 50) ?? [] {
        members[key] = document(value, depth: depth + 1)
      }
      return .object(members)
    case .scalar, .null: return reader.json()
    default:
      reader.report("write mappings and single values, eight levels deep at most.")
      return nil
    }
  }

  /// The placeholders in a document's strings.
  private static func names(in document: JSONValue) -> Set<String> {
    switch document {
    case .string(let text): Set(placeholders(in: text) ?? [])
    case .object(let members): members.values.reduce(into: []) { $0.formUnion(names(in: $1)) }
    case .array(let elements): elements.reduce(into: []) { $0.formUnion(names(in: $1)) }
    default: []
    }
  }
}
