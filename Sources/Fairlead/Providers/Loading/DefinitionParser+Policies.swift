extension DefinitionParser {
  func policies(_ top: YAMLMapping<DefinitionKey>, _ definition: inout ProviderDefinition) {
    definition.limits = limits(top[.limits])
    for (key, line, value) in top[.plans]?.entries(max: 50) ?? [] {
      guard Self.isName(key) else {
        value.report(Self.nameRule, line: line)
        continue
      }
      guard let plan = YAMLMapping<PlanKey>(value) else { continue }
      definition.plans[key] = limits(plan.require(.limits, "the limits of this plan"))
    }
    definition.limitHeaders = top[.limitHeaders].flatMap(limitHeaders)
    definition.retry = retry(top[.retry])
    if let idempotency = top.mapping(.idempotency, IdempotencyKeys.self),
      let header = idempotency.require(.header, "the header that carries the key").flatMap(
        headerName)
    {
      let methods = methods(idempotency[.methods])
      definition.idempotency = ProviderDefinition.IdempotencySettings(
        header: header, methods: methods.isEmpty ? ["POST"] : methods)
    }
    definition.errors = top[.errors]?.list(max: 200)?.compactMap(errorRule) ?? []
  }

  private func limits(_ reader: YAMLReader?) -> [ProviderDefinition.Limit] {
    var names: Set<String> = []
    return reader?.list(max: 50)?.compactMap { element in
      guard let limit = limit(element) else { return nil }
      guard names.insert(limit.name).inserted else {
        element.report("there is a limit named \(limit.name) already; give it another name.")
        return nil
      }
      return limit
    } ?? []
  }

  private func limit(_ reader: YAMLReader) -> ProviderDefinition.Limit? {
    guard let mapping = YAMLMapping<LimitKey>(reader) else { return nil }
    let name = mapping.require(.name, "a name for reports, such as default").flatMap(self.name)
    let requests = mapping.require(.requests, "how many requests")?.int(in: 1...10_000_000)
    let period = mapping.require(.per, "the period, such as 1m")?
      .duration(in: .milliseconds(1)...(.seconds(31 * 86_400)))
    let key = mapping.require(.key, "what is counted apart, such as [connection]")?
      .oneOrMore()?.compactMap { $0.choice(ProviderDefinition.Limit.Key.self) }
    let burst = mapping[.burst]?.int(in: 1...10_000_000)
    let paths = mapping[.paths]?.oneOrMore()?.compactMap(path) ?? []
    let methods = methods(mapping[.methods])
    guard let name, let requests, let period, let key else { return nil }
    if let burst, burst > requests {
      mapping[.burst]?.report("is more than `requests` (\(requests)); write at most that.")
    }
    var limit = ProviderDefinition.Limit(name: name, requests: requests, period: period, key: key)
    limit.burst = burst
    limit.paths = paths
    limit.methods = methods
    return limit
  }

  private func limitHeaders(_ reader: YAMLReader) -> ProviderDefinition.LimitHeaders? {
    guard let mapping = YAMLMapping<LimitHeadersKey>(reader),
      let remaining = mapping.require(.remaining, "the header that says how many are left")
        .flatMap(headerName),
      let resetReader = mapping.require(.reset, "{ header: …, format: … }"),
      let reset = YAMLMapping<LimitResetKey>(resetReader),
      let header = reset.require(.header, "the header that says when more come").flatMap(
        headerName),
      let format = reset.require(.format, "s, ms, epoch_s, go_duration or rfc3339")?
        .choice(ProviderDefinition.LimitHeaders.Format.self)
    else { return nil }
    return ProviderDefinition.LimitHeaders(
      remaining: remaining.lowercased(), reset: header.lowercased(), resetFormat: format)
  }

  private func retry(_ reader: YAMLReader?) -> ProviderDefinition.RetrySettings {
    var settings = ProviderDefinition.RetrySettings()
    guard let reader, let retry = YAMLMapping<RetryKey>(reader) else { return settings }
    let delay = Duration.milliseconds(1)...(.seconds(3_600))
    if let attempts = retry[.attempts]?.int(in: 1...10) { settings.attempts = attempts }
    if let base = retry[.base]?.duration(in: delay) { settings.base = base }
    if let cap = retry[.cap]?.duration(in: delay) { settings.cap = cap }
    if let cap = retry[.retryAfterCap]?.duration(in: delay) { settings.retryAfterCap = cap }
    if settings.cap < settings.base {
      retry.report("`cap` is shorter than `base`; write a cap of at least the base.")
    }
    return settings
  }

  private func errorRule(_ reader: YAMLReader) -> ProviderDefinition.ErrorRule? {
    guard let mapping = YAMLMapping<ErrorRuleKey>(reader) else { return nil }
    let when = mapping.require(.when, "what the answer looks like").flatMap(condition)
    let errorClass = mapping.require(.errorClass, "what it means, such as rate_limited")?
      .choice(ErrorClass.self)
    let effect = mapping[.effect]?.choice(ProviderDefinition.Effect.self)
    let message = mapping[.message]?.text(max: 300)
    let wait = mapping[.wait]?.duration(in: .milliseconds(1)...(.seconds(86_400)))
    guard let when, let errorClass else { return nil }
    var rule = ProviderDefinition.ErrorRule(
      when: when, errorClass: errorClass, effect: effect ?? .unknown, message: message)
    rule.wait = wait
    return rule
  }

  func condition(_ reader: YAMLReader) -> ProviderDefinition.Condition? {
    guard let mapping = YAMLMapping<ConditionKey>(reader) else { return nil }
    var condition = ProviderDefinition.Condition()
    condition.status = mapping[.status]?.oneOrMore()?.flatMap(statuses) ?? []
    for (key, line, value) in mapping[.headers]?.entries(max: 20) ?? [] {
      guard !key.isEmpty, key.utf8.allSatisfy(Self.isTokenByte) else {
        value.report("is no header name.", line: line)
        continue
      }
      let values = value.oneOrMore()?.compactMap { $0.text(max: 500) } ?? []
      condition.headers[key.lowercased()] = values
    }
    for (key, line, value) in mapping[.body]?.entries(max: 20) ?? [] {
      guard key.utf8.count <= 200, Self.isDottedPath(key) else {
        value.report("is no dotted path.", line: line)
        continue
      }
      condition.body[key] = value.oneOrMore()?.compactMap { $0.json() } ?? []
    }
    for (key, line, value) in mapping[.bodyContains]?.entries(max: 20) ?? [] {
      guard key.utf8.count <= 200, Self.isDottedPath(key) else {
        value.report("is no dotted path.", line: line)
        continue
      }
      condition.bodyContains[key] = value.oneOrMore()?.compactMap { $0.text(max: 300) } ?? []
    }
    if mapping.keys.isEmpty {
      mapping.report("matches everything; name a status, a header or a part of the body.")
      return nil
    }
    return condition
  }

  /// `503`, or a class such as `5xx`.
  private func statuses(_ reader: YAMLReader) -> [Int] {
    let expected = "a status such as 503, or a class such as 5xx"
    guard let text = reader.text(max: 3, expected) else { return [] }
    if text.utf8.count == 3, text.hasSuffix("xx"), let hundreds = Int(text.prefix(1)),
      (1...5).contains(hundreds)
    {
      return Array(hundreds * 100...hundreds * 100 + 99)
    }
    guard let status = Int(text), (100...599).contains(status) else {
      reader.report("is \(reader.shown); write \(expected).")
      return []
    }
    return [status]
  }

  func pagination(_ reader: YAMLReader) -> ProviderDefinition.Pagination? {
    guard let mapping = YAMLMapping<PaginationKey>(reader) else { return nil }
    let style = mapping.require(.style, "cursor, link, page or last_id")?
      .choice(ProviderDefinition.Pagination.Style.self)
    let items = mapping.require(.items, "where the list is, such as data").flatMap(dottedPath)
    let next = mapping[.next].flatMap(dottedPath)
    let hasMore = mapping[.hasMore].flatMap(dottedPath)
    // A `Link` header is followed as it is: there is no parameter to set.
    let param =
      style == .link
      ? mapping[.param]?.text(max: 100) ?? ""
      : mapping.require(.param, "the query parameter of the cursor")?.text(max: 100)
    guard let style, let items, let param else { return nil }
    if mapping[.next] == nil, style == .cursor || style == .lastID {
      mapping.report("`next` is missing; write where the next cursor or the last id stands.")
    }
    var pagination = ProviderDefinition.Pagination(style: style, param: param, items: items)
    pagination.next = next
    pagination.hasMore = hasMore
    if let size = mapping.mapping(.size, PageSizeKey.self) {
      pagination.sizeParam = size.require(.param, "the query parameter of the page size")?
        .text(max: 100)
      pagination.maximumSize = size[.max]?.int(in: 1...100_000)
    }
    return pagination
  }
}
