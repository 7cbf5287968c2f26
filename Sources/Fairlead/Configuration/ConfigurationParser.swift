/// Reads `fairlead.yaml` into a configuration, collecting every problem.
struct ConfigurationParser {
  let log: ProblemLog

  func read(_ root: YAMLNode, into configuration: inout FairleadConfiguration) {
    if case .null = root.content { return }
    guard
      let top = YAMLMapping<ConfigurationKey>(YAMLReader(node: root, key: "", log: log))
    else { return }
    server(top, &configuration)
    if let database = top[.database]?.setting(SettingRules.database) {
      configuration.database = database
    }
    configuration.definitionsFolder = top[.definitions]?.setting(SettingRules.filePath)
    configuration.integrations = top[.integrations]?.entries()?.compactMap(integration) ?? []
    configuration.destinations = top[.destinations]?.list(max: 100)?.compactMap(destination) ?? []
    if let connect = top.mapping(.connect, ConnectKey.self) {
      configuration.connectRedirectOrigins =
        connect[.redirectOrigins]?.list()?.compactMap {
          $0.setting(SettingRules.webOrigin)
        }
        ?? []
    }
    if let cors = top.mapping(.cors, CORSKey.self) {
      configuration.corsOrigins =
        cors[.origins]?.list()?.compactMap { $0.setting(SettingRules.corsOrigin) } ?? []
    }
    retention(top, &configuration)
    syncs(top[.syncs], &configuration)
    alerts(top, &configuration)
    configuration.tokenIssuers = tokenIssuers(top)
  }

  private func server(
    _ top: YAMLMapping<ConfigurationKey>, _ configuration: inout FairleadConfiguration
  ) {
    guard let server = top.mapping(.server, ServerKey.self) else { return }
    if let host = server[.host]?.setting(SettingRules.host) { configuration.host = host }
    if let port = server[.port]?.setting(SettingRules.port) { configuration.port = port }
    configuration.publicURL = server[.publicURL]?.setting(SettingRules.publicURL)
    configuration.trustedProxies =
      server[.trustedProxies]?.list()?.compactMap { $0.setting(SettingRules.proxy) } ?? []
  }

  private func integration(
    _ entry: (key: String, line: Int, value: YAMLReader)
  ) -> IntegrationSettings? {
    guard DefinitionParser.isName(entry.key), !entry.key.hasPrefix("conn_") else {
      entry.value.report(DefinitionParser.nameRule, line: entry.line)
      return nil
    }
    guard let mapping = YAMLMapping<IntegrationKey>(entry.value) else { return nil }
    var settings = IntegrationSettings(
      name: IntegrationName(entry.key),
      provider: mapping[.provider]?.setting(SettingRules.text) ?? entry.key)
    settings.place = "\(log.file):\(entry.line): integrations.\(entry.key)"
    settings.clientID = mapping[.clientID]?.setting(SettingRules.text)
    settings.clientSecret = mapping[.clientSecret]?.setting(SettingRules.secret)
    settings.scopes = mapping[.scopes]?.texts(max: 200, each: 300)
    settings.plan = mapping[.plan]?.setting(SettingRules.text)
    settings.shownProvider = mapping[.provider]?.shown
    settings.shownPlan = mapping[.plan]?.shown
    settings.webhookSecrets = secrets(mapping[.webhookSecrets])
    settings.baseURL = mapping[.baseURL]?.setting(SettingRules.baseURL)
    settings.apiKey = mapping[.apiKey]?.setting(SettingRules.secret)
    settings.fallback = mapping[.fallback].flatMap(DefinitionParser(log: log).fallbackOverride)
    return settings
  }

  /// A variable may hold several secrets, as it may in the environment.
  private func secrets(_ reader: YAMLReader?) -> [Secret] {
    reader?.oneOrMore()?.flatMap { element -> [Secret] in
      element.node.isExpanded
        ? element.setting(SettingRules.secrets) ?? []
        : element.setting(SettingRules.secret).map { [$0] } ?? []
    } ?? []
  }

  private func destination(_ reader: YAMLReader) -> DestinationSettings? {
    guard let mapping = YAMLMapping<DestinationKey>(reader) else { return nil }
    let url = mapping.require(.url, "where the events go, https://…")?
      .setting(SettingRules.destinationURL)
    let secret = mapping.require(.secret, "the secret that signs the deliveries")?
      .setting(SettingRules.secret)
    let types = mapping[.types]?.list()?.compactMap { $0.text(max: 200) } ?? []
    let integrations = mapping[.integrations]?.list()?.compactMap {
      $0.text(max: 40).map { IntegrationName($0) }
    }
    guard let url, let secret else { return nil }
    return DestinationSettings(url: url, secret: secret, types: types, integrations: integrations)
  }

  private func retention(
    _ top: YAMLMapping<ConfigurationKey>, _ configuration: inout FairleadConfiguration
  ) {
    guard let retention = top.mapping(.retention, RetentionKey.self) else { return }
    let longest = Duration.seconds(3_650 * 86_400)
    let range = Duration.seconds(3_600)...longest
    if let kept = retention[.eventPayloads]?.duration(in: range) {
      configuration.retention.eventPayloads = kept
    }
    if let kept = retention[.eventIDs]?.duration(in: .seconds(3 * 86_400)...longest) {
      configuration.retention.eventIDs = kept
    }
    if let kept = retention[.requests]?.duration(in: range) {
      configuration.retention.requests = kept
    }
    if let kept = retention[.deletedRecords]?.duration(in: .seconds(86_400)...longest) {
      configuration.syncs.deletionRetention = kept
    }
    if let kept = retention[.alerts]?.duration(in: range) { configuration.retention.alerts = kept }
  }
}

extension YAMLReader {
  /// The value as `rule` reads it. Messages do not quote it: it may be a secret.
  func setting<Value>(_ rule: (String) throws(SettingFault) -> Value) -> Value? {
    guard case .scalar(let text, _) = node.content else {
      report("is \(node.kind); write a single value.")
      return nil
    }
    guard !text.isEmpty else {
      report("is empty; give it a value or remove the key.")
      return nil
    }
    guard text.utf8.count <= 10_000 else {
      report("is longer than 10,000 characters.")
      return nil
    }
    do throws(SettingFault) {
      return try rule(text)
    } catch {
      report(error.message)
      return nil
    }
  }
}
