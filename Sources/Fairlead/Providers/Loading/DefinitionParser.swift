/// Turns the YAML of one definition into its typed form, collecting every problem on the way.
///
/// Its facets are extensions: authorisation, policies, webhooks.
struct DefinitionParser {
  let log: ProblemLog

  func definition(_ root: YAMLNode) -> ProviderDefinition? {
    let reader = YAMLReader(node: root, key: "", log: log)
    guard let top = YAMLMapping<DefinitionKey>(reader) else { return nil }
    let name = top.require(.name, "the provider's name in lower case").flatMap(self.name)
    let displayName = top.require(.displayName, "the provider's name as people know it")?.text(
      max: 80)
    let params = parameters(top[.params])
    let baseURL = top.require(.baseURL, "the origin of the API, https://api.example.com").flatMap {
      origin($0, params: params)
    }
    let auth = top.require(.auth, "how it authorises, such as { type: api_key }").flatMap {
      authorization($0, params: params)
    }
    var definition = ProviderDefinition(
      name: name ?? "", displayName: displayName ?? "",
      purpose: top.require(.purpose, "what it is used for, in a few words")?.text(max: 300) ?? "",
      baseURL: baseURL ?? "", auth: auth ?? .none)
    definition.params = params
    describe(top, &definition)
    definition.apply = placement(top[.apply], auth: auth)
    definition.defaultHeaders = defaultHeaders(top[.defaultHeaders])
    definition.verify = top[.verify].flatMap(verification)
    policies(top, &definition)
    degradation(top, &definition)
    definition.pagination = top[.pagination].flatMap(pagination)
    definition.rewrite = top[.rewrite].flatMap(rewriting) ?? ProviderDefinition.Rewriting()
    definition.webhook = top[.webhook].flatMap(webhook)
    syncs(top[.syncs], &definition)
    definition.replacesCatalog = top[.replacesCatalog]?.bool() ?? false
    return definition
  }

  private func describe(_ top: YAMLMapping<DefinitionKey>, _ definition: inout ProviderDefinition) {
    definition.docs = top[.docs].flatMap(page)
    definition.dashboard = top[.dashboard].flatMap(page)
    definition.setup = top[.setup]?.texts(max: 20) ?? []
    for (key, line, value) in top[.hosts]?.entries(max: 20) ?? [] {
      guard Self.isName(key) else {
        value.report(Self.nameRule, line: line)
        continue
      }
      definition.hosts[key] = origin(value, params: definition.params)
    }
    if let timeout = top[.timeout]?.duration(in: .milliseconds(100)...(.seconds(600))) {
      definition.timeout = timeout
    }
    if let bulkhead = top[.bulkhead]?.int(in: 1...10_000) { definition.bulkhead = bulkhead }
    definition.endpoints = top[.endpoints]?.list(max: 500)?.compactMap(path) ?? []
  }

  private func parameters(_ reader: YAMLReader?) -> [String: ProviderDefinition.Parameter] {
    var params: [String: ProviderDefinition.Parameter] = [:]
    for (key, line, value) in reader?.entries(max: 20) ?? [] {
      guard Self.isName(key) else {
        value.report(Self.nameRule, line: line)
        continue
      }
      guard let mapping = YAMLMapping<ParameterKey>(value) else { continue }
      let pattern = mapping.require(.pattern, "a regular expression such as [a-z0-9-]{1,40}")
      let text = pattern?.text(max: ParameterPattern.maximumLength)
      if let text, let fault = ParameterPattern.fault(in: text) { pattern?.report(fault) }
      params[key] = ProviderDefinition.Parameter(
        pattern: text ?? "", label: mapping[.label]?.text(max: 80) ?? key)
    }
    return params
  }
}

// MARK: - Names, addresses and paths

extension DefinitionParser {
  static let nameRule =
    "a name is 1 to 40 of a-z, 0-9, _ and -, and begins with a letter; write one such as `acme`."

  static func isName(_ text: String) -> Bool {
    (1...40).contains(text.utf8.count) && text.utf8.first.map { (97...122).contains($0) } == true
      && text.utf8.allSatisfy {
        (97...122).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 45
      }
  }

  func name(_ reader: YAMLReader) -> String? {
    guard let text = reader.text(max: 40) else { return nil }
    // `conn_…` in the place of an integration is a connection's id.
    guard Self.isName(text), !text.hasPrefix("conn_") else {
      reader.report("is \(reader.shown); \(Self.nameRule)")
      return nil
    }
    return text
  }

  /// Scheme, host and port, and nothing behind them.
  func origin(_ reader: YAMLReader, params: [String: ProviderDefinition.Parameter]) -> String? {
    guard let (address, _) = address(reader, params: params) else { return nil }
    guard address.isOrigin else {
      reader.report(
        "is an origin and has no path; write \(address.origin) and begin the paths of calls with "
          + "\(address.rest.prefix(40)).")
      return nil
    }
    return address.origin
  }

  /// A full URL of an OAuth endpoint.
  func endpoint(_ reader: YAMLReader, params: [String: ProviderDefinition.Parameter]) -> String? {
    guard let (address, text) = address(reader, params: params) else { return nil }
    guard !address.rest.contains("#") else {
      reader.report("has a fragment; remove the part from the #.")
      return nil
    }
    return text
  }

  private func address(
    _ reader: YAMLReader, params: [String: ProviderDefinition.Parameter]
  ) -> (WebAddress, String)? {
    guard let text = reader.text(max: 2_000, "a URL") else { return nil }
    let address: WebAddress
    do throws(SettingFault) {
      address = try WebAddress(text, placeholders: true)
    } catch {
      reader.report(error.message)
      return nil
    }
    guard address.isSecure else {
      reader.report("is http, which sends credentials in the clear; write https://…")
      return nil
    }
    for placeholder in address.placeholders where params[placeholder] == nil {
      reader.report(
        "names {\(placeholder)}, which `params` does not describe; add it there with a pattern.")
      return nil
    }
    return (address, text)
  }

  /// A page for people.
  private func page(_ reader: YAMLReader) -> String? {
    guard let text = reader.text(max: 2_000, "a URL") else { return nil }
    do throws(SettingFault) {
      _ = try WebAddress(text)
      return text
    } catch {
      reader.report(error.message)
      return nil
    }
  }

  /// A path from the provider's root; `{name}` stands for a segment.
  func path(_ reader: YAMLReader) -> String? {
    guard let text = reader.text(max: 500, "a path such as /v1/orders") else { return nil }
    guard text.hasPrefix("/"), !text.hasPrefix("//"),
      text.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 92 && $0 != 35 }),
      !text.split(separator: "/").contains("..")
    else {
      reader.report("is \(reader.shown); write a path from the root, such as /v1/orders.")
      return nil
    }
    return text
  }

  func method(_ reader: YAMLReader) -> String? {
    reader.choice(HTTPMethodName.self)?.rawValue
  }

  func methods(_ reader: YAMLReader?) -> [String] {
    reader?.oneOrMore()?.compactMap(method) ?? []
  }

  /// A header's name as it is written; HTTP does not care about its case.
  func headerName(_ reader: YAMLReader) -> String? {
    guard let text = reader.text(max: 100, "a header's name") else { return nil }
    guard text.utf8.allSatisfy(Self.isTokenByte) else {
      reader.report("is \(reader.shown), which is no header name; write one such as X-Acme-Key.")
      return nil
    }
    return text
  }

  static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122: true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  /// A dotted path into JSON, `data.object.id`; `.` is the whole document.
  func dottedPath(_ reader: YAMLReader) -> String? {
    guard let text = reader.text(max: 200, "a dotted path such as data.id") else { return nil }
    guard Self.isDottedPath(text) else {
      reader.report("is \(reader.shown); write a dotted path such as data.object.id.")
      return nil
    }
    return text
  }

  static func isDottedPath(_ text: String) -> Bool {
    if text == "." { return true }
    return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
      !$0.isEmpty && $0.utf8.allSatisfy { $0 > 32 && $0 != 127 }
    }
  }
}

enum HTTPMethodName: String, CaseIterable {
  case get = "GET"
  case head = "HEAD"
  case post = "POST"
  case put = "PUT"
  case patch = "PATCH"
  case delete = "DELETE"
  case options = "OPTIONS"
}
