/// A sync as a definition declares it.
struct DeclaredSync: SyncSource {
  let integration: IntegrationName
  let model: String
  let settings: ProviderDefinition.ModelSync

  var schedule: SyncSchedule { settings.schedule }
  var isIncremental: Bool { settings.incremental != nil }
  var deletionGuard: Double { settings.deletionGuard }
  var confirmsDeletions: Bool { DeclaredPaging(settings.pagination).mayShiftUnnoticed }

  /// The largest page that is read, in bytes.
  static let maximumPageSize = 32 << 20

  func page(_ request: SyncPageRequest, _ context: SyncContext) async throws -> SyncPage {
    let paging = DeclaredPaging(settings.pagination)
    let path = try paging.path(
      of: request, base: try path(context.params), query: query(for: request))
    let reply = try await context.call(.get(path), host: settings.host)
    let answer = try reply.json()
    guard let items = answer[path: settings.items]?.array else {
      throw SyncInterruption.failed(
        "The answer has no list at `\(settings.items)`. Check `items` of the sync \(model).")
    }
    var page = SyncPage()
    for item in items { add(item, to: &page) }
    let ids = items.map { $0[path: settings.id]?.recordID }
    page.nextCursor = try paging.next(
      after: request, answer: answer, items: items, ids: ids, headers: reply.headers,
      origin: try context.integration.origin(
        host: settings.host, params: context.connection.params))
    page.checkpoint = checkpoint(request, answer)
    if case .token = settings.incremental, page.nextCursor == nil, page.checkpoint == nil {
      page.warnings[SyncWarning.noToken, default: 0] += 1
    }
    return page
  }

  // MARK: - Asking

  /// The path with its placeholders filled in.
  private func path(_ params: [String: String]) throws -> String {
    var path = settings.path
    for (name, standing) in settings.params {
      path = path.replacing("{\(name)}", with: FormEncoding.escape(params[name] ?? standing))
    }
    guard !path.contains("{") else {
      throw SyncInterruption.failed("The path \(settings.path) of the sync \(model) lacks a value.")
    }
    return path
  }

  private func query(for request: SyncPageRequest) -> [(String, String)] {
    var query = settings.query
    if let checkpoint = request.checkpoint {
      switch settings.incremental {
      case .token(let param, _, let drop):
        for name in drop { query[name] = nil }
        query[param] = checkpoint
      case .since(let param, let format, let overlap):
        if let microseconds = Int64(checkpoint) {
          let time = Timestamp(microseconds: microseconds) - overlap
          query[param] = Self.text(of: time, format)
        }
      case nil: break
      }
    }
    return query.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Where the next run goes on: the token of the last page, or when this run began.
  private func checkpoint(_ request: SyncPageRequest, _ answer: JSONValue) -> String? {
    switch settings.incremental {
    case .token(_, let next, _):
      guard let token = answer[path: next]?.scalarText, !token.isEmpty else { return nil }
      return token
    case .since: return String(request.startedAt.microseconds)
    case nil: return nil
    }
  }

  private static func text(
    of time: Timestamp, _ format: ProviderDefinition.ModelSync.TimeFormat
  ) -> String {
    switch format {
    case .rfc3339: time.rfc3339
    case .epochSeconds: String(time.seconds)
    case .epochMilliseconds: String(time.microseconds / 1_000)
    }
  }

  // MARK: - Reading

  private func add(_ item: JSONValue, to page: inout SyncPage) {
    guard let id = item[path: settings.id]?.recordID else {
      page.warnings[SyncWarning.noID, default: 0] += 1
      return
    }
    let updatedAt = settings.updated.flatMap { item[path: $0] }.flatMap(SyncTime.read)
    if isDeleted(item) {
      page.changes.append(.delete(SyncDeletion(id: id, deletedAt: updatedAt)))
    } else {
      let data = RecordMapping(settings.map).apply(to: item, &page.warnings)
      page.changes.append(.upsert(SyncRecord(id: id, data: data, updatedAt: updatedAt)))
    }
  }

  private func isDeleted(_ item: JSONValue) -> Bool {
    guard let deleted = settings.deleted else { return false }
    let isMatch = deleted.when.allSatisfy { path, values in
      item[path: path].map(values.contains) ?? false
    }
    let isException = deleted.unless.contains { path in
      guard let value = item[path: path] else { return false }
      return value != JSONValue.null
    }
    return isMatch && !isException
  }
}

// MARK: - Events

extension DeclaredSync {
  /// The change an event tells of; `nil` when it names no record.
  /// - Parameter receivedAt: when it came, for an event that does not say when it happened.
  func change(
    of type: String, _ payload: JSONValue, receivedAt: Timestamp
  ) -> RecordChange? {
    guard let events = settings.events, let object = payload[path: events.data],
      let id = object[path: events.id ?? settings.id]?.recordID,
      !id.utf8.contains(0), id.utf8.count <= RecordChange.maximumIDLength
    else { return nil }
    // A time to come would outlive every true one.
    func past(_ time: Timestamp?) -> Timestamp? { time.map { min($0, receivedAt) } }
    let eventTime = past(events.time.flatMap { payload[path: $0] }.flatMap(SyncTime.read))
    if events.delete.contains(type) {
      return RecordChange(id: id, content: .deleted, sourceAt: eventTime ?? receivedAt)
    }
    let updatedAt = past(settings.updated.flatMap { object[path: $0] }.flatMap(SyncTime.read))
    let time = updatedAt ?? eventTime ?? receivedAt
    if isDeleted(object) { return RecordChange(id: id, content: .deleted, sourceAt: time) }
    var warnings: [String: Int] = [:]
    let text = RecordMapping(settings.map).apply(to: object, &warnings).text
    guard text.utf8.count <= RecordChange.maximumSize else {
      return RecordChange(id: id, content: .seen, sourceAt: time)
    }
    return RecordChange(id: id, content: .data(text), sourceAt: time)
  }
}

extension JSONValue {
  /// A text or a whole number. Anything else names nothing: numbers beyond 64 bits have lost their
  /// last digits, and two of them would become one.
  fileprivate var recordID: String? {
    switch self {
    case .string(let text): text.isEmpty ? nil : text
    case .int(let number): String(number)
    default: nil
    }
  }
}
