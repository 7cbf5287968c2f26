extension DefinitionParser {
  func syncs(_ reader: YAMLReader?, _ definition: inout ProviderDefinition) {
    for (key, line, value) in reader?.entries(max: 100) ?? [] {
      guard Self.isName(key) else {
        value.report(Self.nameRule, line: line)
        continue
      }
      definition.syncs[key] = sync(value, definition)
    }
  }

  private func sync(
    _ reader: YAMLReader, _ definition: ProviderDefinition
  ) -> ProviderDefinition.ModelSync? {
    guard let mapping = YAMLMapping<SyncKey>(reader) else { return nil }
    let path = mapping.require(.path, "the path of the list, such as /v1/orders").flatMap(self.path)
    let id = mapping.require(.id, "where an object's id stands, such as id").flatMap(dottedPath)
    let pagination = mapping[.pagination].map { self.pagination($0) } ?? definition.pagination
    let items = mapping[.items].map { self.dottedPath($0) } ?? pagination?.items ?? "."
    guard let path, let id, let items else { return nil }
    var sync = ProviderDefinition.ModelSync(path: path, items: items, id: id)
    sync.pagination = pagination
    if let host = mapping[.host] {
      sync.host = host.text(max: 40)
      if let name = sync.host, definition.hosts[name] == nil {
        host.report("is \(host.shown), which `hosts` does not have.")
      }
    }
    sync.params = texts(mapping[.params])
    sync.query = texts(mapping[.query])
    for name in Self.placeholders(in: path) ?? [] where sync.params[name] == nil {
      mapping.report(
        "its path names {\(name)}, which `params` does not have; give it a default there.")
    }
    sync.updated = mapping[.updated].flatMap(dottedPath)
    sync.incremental = mapping[.incremental].flatMap(incremental)
    sync.deleted = mapping[.deleted].flatMap(deletion)
    sync.map = fields(mapping[.map])
    sync.events = mapping[.events].flatMap(syncEvents)
    if sync.events != nil, definition.webhook?.eventType == nil {
      mapping[.events]?.report(
        "needs `webhook.event_type`, which says what an event is; add it there.")
    }
    sync.push = mapping[.push].flatMap { push($0, params: Set(sync.params.keys)) }
    if sync.push != nil, definition.webhook?.scheme != .channel {
      mapping[.push]?.report("needs `webhook` with the scheme channel, which takes the messages.")
    }
    sync.schedule = schedule(mapping[.schedule])
    if sync.incremental == nil { sync.schedule.incremental = nil }
    if let share = mapping[.deletionGuard].flatMap(share) { sync.deletionGuard = share }
    return sync
  }

  private func incremental(
    _ reader: YAMLReader
  ) -> ProviderDefinition.ModelSync.Incremental? {
    guard let mapping = YAMLMapping<SyncIncrementalKey>(reader),
      let param = mapping.require(.param, "the query parameter, such as updated_since")?
        .text(max: 100)
    else { return nil }
    let style =
      mapping[.style]?.choice(SyncIncrementalStyle.self)
      ?? (mapping[.next] == nil ? .since : .token)
    let others: [SyncIncrementalKey] = style == .token ? [.format, .overlap] : [.next, .drop]
    for key in others {
      mapping[key]?.report("does not belong to the style \(style.rawValue); remove it.")
    }
    switch style {
    case .token:
      guard
        let next = mapping.require(.next, "where the next token stands, such as nextSyncToken")
          .flatMap(dottedPath)
      else { return nil }
      return .token(
        param: param, next: next, drop: mapping[.drop]?.texts(max: 50, each: 100) ?? [])
    case .since:
      let format =
        mapping[.format]?.choice(ProviderDefinition.ModelSync.TimeFormat.self) ?? .rfc3339
      let overlap = mapping[.overlap]?.duration(in: .zero...(.seconds(7 * 86_400)))
      return .since(param: param, format: format, overlap: overlap ?? .seconds(300))
    }
  }

  private func deletion(_ reader: YAMLReader) -> ProviderDefinition.ModelSync.Deletion? {
    guard let mapping = YAMLMapping<SyncDeletedKey>(reader),
      let when = mapping.require(.when, "what a deleted object looks like, { status: cancelled }")
    else { return nil }
    var conditions: [String: [JSONValue]] = [:]
    for (key, line, value) in when.entries(max: 20) ?? [] {
      guard key.utf8.count <= 200, Self.isDottedPath(key) else {
        value.report("is no dotted path.", line: line)
        continue
      }
      conditions[key] = value.oneOrMore()?.compactMap { $0.json() } ?? []
    }
    guard !conditions.isEmpty else {
      when.report("matches everything; name a part of the object.")
      return nil
    }
    let unless = mapping[.unless]?.oneOrMore()?.compactMap(dottedPath) ?? []
    return ProviderDefinition.ModelSync.Deletion(when: conditions, unless: unless)
  }

  private func fields(
    _ reader: YAMLReader?
  ) -> [String: ProviderDefinition.ModelSync.Field] {
    var fields: [String: ProviderDefinition.ModelSync.Field] = [:]
    for (key, line, value) in reader?.entries(max: 200) ?? [] {
      guard !key.isEmpty, key.utf8.count <= 100 else {
        value.report("a field's name has 1 to 100 characters.", line: line)
        continue
      }
      if case .scalar = value.node.content {
        fields[key] = dottedPath(value).map { .init(path: $0) }
      } else if let mapping = YAMLMapping<SyncFieldKey>(value),
        let path = mapping.require(.path, "where the value stands").flatMap(dottedPath)
      {
        fields[key] = .init(
          path: path, cast: mapping[.cast]?.choice(ProviderDefinition.ModelSync.Cast.self))
      }
    }
    return fields
  }

  private func syncEvents(_ reader: YAMLReader) -> ProviderDefinition.ModelSync.Events? {
    guard let mapping = YAMLMapping<SyncEventsKey>(reader) else { return nil }
    var events = ProviderDefinition.ModelSync.Events()
    events.upsert = mapping[.upsert]?.oneOrMore()?.compactMap { $0.text(max: 200) } ?? []
    events.delete = mapping[.delete]?.oneOrMore()?.compactMap { $0.text(max: 200) } ?? []
    events.data = mapping[.data].flatMap(dottedPath) ?? "."
    events.id = mapping[.id].flatMap(dottedPath)
    events.time = mapping[.time].flatMap(dottedPath)
    if events.upsert.isEmpty, events.delete.isEmpty {
      mapping.report("names no event; write `upsert` or `delete`.")
    }
    return events
  }

  private func schedule(_ reader: YAMLReader?) -> SyncSchedule {
    var schedule = SyncSchedule.standard
    guard let reader, let mapping = YAMLMapping<SyncScheduleKey>(reader) else { return schedule }
    if let full = mapping[.full] { schedule.full = full.cron() ?? nil }
    if let incremental = mapping[.incremental] { schedule.incremental = incremental.cron() ?? nil }
    return schedule
  }

  private func share(_ reader: YAMLReader) -> Double? { reader.share() }

  private func texts(_ reader: YAMLReader?) -> [String: String] {
    var texts: [String: String] = [:]
    for (key, _, value) in reader?.entries(max: 50) ?? [] { texts[key] = value.text(max: 500) }
    return texts
  }
}

extension YAMLReader {
  /// A schedule: `.some(nil)` for `off`, `nil` for what is none, which is reported.
  func cron() -> Cron?? {
    guard let text = text(max: 200, "a schedule such as */15 * * * *, or off") else { return nil }
    if text == "off" { return .some(nil) }
    do {
      return try Cron(text)
    } catch {
      report("is \(shown). \(error.message)")
      return nil
    }
  }

  /// A share from 0 to 1.
  func share() -> Double? {
    let expected = "a share from 0 to 1, such as 0.5"
    guard let text = text(max: 20, expected) else { return nil }
    guard let share = Double(text), (0...1).contains(share) else {
      report("is \(shown); write \(expected).")
      return nil
    }
    return share
  }
}
