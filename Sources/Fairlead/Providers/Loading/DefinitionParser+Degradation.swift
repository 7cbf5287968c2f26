extension DefinitionParser {
  func degradation(
    _ top: YAMLMapping<DefinitionKey>, _ definition: inout ProviderDefinition
  ) {
    if let reader = top[.breaker] { definition.breaker = breaker(reader) }
    definition.fallback = top[.fallback].flatMap(fallback)
  }

  /// `off`, or what differs from the usual.
  private func breaker(_ reader: YAMLReader) -> ProviderDefinition.BreakerSettings? {
    if Self.isOff(reader) { return nil }
    var settings = ProviderDefinition.BreakerSettings()
    guard let breaker = YAMLMapping<BreakerKey>(reader) else { return settings }
    let time = Duration.milliseconds(100)...(.seconds(3_600))
    if let ratio = breaker[.failureRatio].flatMap(share) { settings.failureRatio = ratio }
    if let calls = breaker[.minimumCalls]?.int(in: 1...100_000) { settings.minimumCalls = calls }
    if let window = breaker[.window]?.duration(in: .seconds(1)...(.seconds(3_600))) {
      settings.window = window
    }
    if let run = breaker[.consecutive]?.int(in: 1...100_000) { settings.consecutive = run }
    if let probes = breaker[.probes]?.int(in: 1...100) { settings.probes = probes }
    if let open = breaker[.open]?.duration(in: time) {
      settings.open = open
      settings.openCap = max(settings.openCap, open)
    }
    if let cap = breaker[.openCap]?.duration(in: time) {
      settings.openCap = cap
      if cap < settings.open {
        breaker.report("`open_cap` is shorter than `open`; write a cap of at least that.")
      }
    }
    return settings
  }

  private func share(_ reader: YAMLReader) -> Double? {
    guard let value = reader.json() else { return nil }
    guard let number = value.double, number > 0, number <= 1 else {
      reader.report("is \(reader.shown); write a share above 0 and up to 1, such as 0.5.")
      return nil
    }
    return number
  }

  /// A text that YAML's older readers would take for `false`.
  static func isOff(_ reader: YAMLReader) -> Bool {
    if case .scalar("off", _) = reader.node.content { true } else { false }
  }
}

// MARK: - Fallback

extension DefinitionParser {
  /// What `fairlead.yaml` says about an integration's fallback.
  func fallbackOverride(_ reader: YAMLReader) -> FallbackOverride? {
    if Self.isOff(reader) { return .off }
    return fallback(reader).map { .settings($0) }
  }

  private func fallback(_ reader: YAMLReader) -> ProviderDefinition.FallbackSettings? {
    guard let fallback = YAMLMapping<FallbackKey>(reader) else { return nil }
    var settings = ProviderDefinition.FallbackSettings()
    settings.message = fallback[.message]?.text(max: 2_000, "what people are told")
    settings.staleIfError = fallback[.staleIfError]?
      .duration(in: .seconds(1)...(.seconds(30 * 86_400)))
    if let triggers = fallback[.on]?.oneOrMore() {
      settings.triggers = Set(
        triggers.compactMap { $0.choice(ProviderDefinition.FallbackSettings.Trigger.self) })
    }
    settings.responses = fallback[.responses]?.list(max: 100)?.compactMap(response) ?? []
    return settings
  }

  private func response(_ reader: YAMLReader) -> ProviderDefinition.FallbackResponse? {
    guard let mapping = YAMLMapping<FallbackResponseKey>(reader) else { return nil }
    let methods = methods(mapping[.method])
    let path = mapping.require(.path, "the path it answers, such as /v1/orders").flatMap(path)
    let content: ProviderDefinition.FallbackResponse.Content?
    switch (mapping[.json], mapping[.events]) {
    case (let json?, nil): content = .json(template(json))
    case (nil, let events?):
      content = .events(events.list(max: 200)?.compactMap(event) ?? [])
    case (nil, nil):
      mapping.report("answers nothing; write `json` or `events`.")
      content = nil
    case (.some, .some):
      mapping.report("has both `json` and `events`; write one response for each.")
      content = nil
    }
    guard let path, let content else { return nil }
    var response = ProviderDefinition.FallbackResponse(
      methods: methods.isEmpty ? ["GET"] : methods, path: path, content: content)
    response.when = mapping[.when].flatMap(requestCondition)
    response.unless = mapping[.unless]?.oneOrMore()?.compactMap(requestCondition) ?? []
    response.effect = mapping[.effect]?.choice(ProviderDefinition.Effect.self) ?? .unknown
    response.status = mapping[.status]?.int(in: 200...599) ?? 200
    for (key, line, value) in mapping[.headers]?.entries(max: 20) ?? [] {
      guard !key.isEmpty, key.utf8.allSatisfy(Self.isTokenByte) else {
        value.report("is no header name.", line: line)
        continue
      }
      response.headers[key.lowercased()] = value.text(max: 500)
    }
    return response
  }

  private func event(_ reader: YAMLReader) -> ProviderDefinition.FallbackEvent? {
    guard let mapping = YAMLMapping<FallbackEventKey>(reader),
      let data = mapping.require(.data, "what the event carries")
    else { return nil }
    return ProviderDefinition.FallbackEvent(
      name: mapping[.event]?.text(max: 100, "the event's name"), data: template(data),
      when: mapping[.when].flatMap(requestCondition))
  }

  /// A condition about a request, which has no status.
  private func requestCondition(_ reader: YAMLReader) -> ProviderDefinition.Condition? {
    guard let condition = condition(reader) else { return nil }
    guard condition.status.isEmpty else {
      reader.report("has a status, but it is about the request; write `body` or `headers`.")
      return nil
    }
    return condition
  }

  /// A JSON document whose placeholders are known.
  private func template(_ reader: YAMLReader) -> JSONValue {
    let document = document(reader)
    for name in FallbackTemplate.placeholders(in: document).sorted()
    where !FallbackTemplate.isKnown(name) {
      reader.report(
        "holds {\(name)}, which nothing fills in; known: "
          + FallbackTemplate.names.map { "{\($0)}" }.joined(separator: ", ") + ", {request.PATH}.")
    }
    return document
  }

  private func document(_ reader: YAMLReader) -> JSONValue {
    switch reader.node.content {
    case .null, .scalar: return reader.json() ?? .null
    case .sequence(let elements):
      return .array(
        elements.map { document(YAMLReader(node: $0, key: reader.key, log: reader.log)) })
    case .mapping(let entries):
      let members = entries.map { entry in
        (
          entry.key,
          document(YAMLReader(node: entry.value, key: "\(reader.key).\(entry.key)", log: log))
        )
      }
      return .object(Dictionary(members, uniquingKeysWith: { _, last in last }))
    }
  }
}
