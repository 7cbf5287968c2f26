import HTTPTypes

/// Walks through a list page by page, as its definition says. Pure.
struct DeclaredPaging: Sendable {
  private let pagination: ProviderDefinition.Pagination?

  init(_ pagination: ProviderDefinition.Pagination?) { self.pagination = pagination }

  /// Whether records may be skipped, because others before them went away, without a sign of it.
  var mayShiftUnnoticed: Bool { pagination?.style == .page || pagination?.style == .link }

  /// Path and query of a page.
  func path(
    of request: SyncPageRequest, base: String, query: [(String, String)]
  ) throws -> String {
    guard let pagination else { return Self.joined(base, query) }
    if pagination.style == .link, let cursor = request.cursor { return cursor }
    var query = query
    func set(_ name: String, _ value: String) {
      query.removeAll { $0.0 == name }
      query.append((name, value))
    }
    if let name = pagination.sizeParam, let size = pagination.maximumSize,
      !query.contains(where: { $0.0 == name })
    {
      set(name, String(size))
    }
    switch (pagination.style, request.cursor) {
    case (.link, _), (_, nil): break
    case (.offset, let cursor?): set(pagination.param, String(try Place(cursor).overlapping))
    case (_, let cursor?): set(pagination.param, cursor)
    }
    return Self.joined(base, query)
  }

  /// The cursor of the next page; `nil` after the last one.
  /// - Throws: `SyncInterruption`: `shifted` when the list moved under our feet, `failed` when there
  ///   is more and no way to get at it.
  func next(
    after request: SyncPageRequest, answer: JSONValue, items: [JSONValue], ids: [String?],
    headers: HTTPFields, origin: String
  ) throws -> String? {
    guard let pagination else { return nil }
    if let path = pagination.hasMore, answer[path: path]?.bool == false { return nil }
    let saysMore = pagination.hasMore.map { answer[path: $0]?.bool == true } ?? false
    let next = try nextCursor(
      pagination, request, answer: answer, items: items, ids: ids, headers: headers,
      origin: origin, saysMore: saysMore)
    if next == nil, saysMore { throw Self.noWayOn }
    return next
  }

  /// Never the end of the list: what is on the unread pages would be taken for deleted.
  private static let noWayOn = SyncInterruption.failed(
    "The provider says that its list goes on, but its answer does not tell how. Nothing was "
      + "deleted. Check `pagination` of the definition.")

  private func nextCursor(
    _ pagination: ProviderDefinition.Pagination, _ request: SyncPageRequest, answer: JSONValue,
    items: [JSONValue], ids: [String?], headers: HTTPFields, origin: String,
    saysMore: Bool
  ) throws -> String? {
    switch pagination.style {
    case .cursor:
      guard let path = pagination.next, let next = answer[path: path]?.scalarText, !next.isEmpty
      else { return nil }
      return next
    case .link:
      guard let url = LinkHeader.next(headers) else { return nil }
      guard let path = LinkHeader.path(url, origin: origin) else {
        throw SyncInterruption.failed("The next page is said to be at another address.")
      }
      return path
    case .lastID:
      guard let last = items.last else { return nil }
      guard let id = last[path: pagination.next ?? "id"]?.scalarText, !id.isEmpty else {
        throw Self.noWayOn
      }
      return id
    case .page:
      guard !items.isEmpty || saysMore else { return nil }
      let page = request.cursor.flatMap { Int($0) } ?? 1
      return String(page &+ 1)
    case .offset: return try nextOffset(request, ids)
    }
  }

  /// Each page begins with the last item of the one before. Where that is not there, items before it
  /// went away and as many were skipped.
  private func nextOffset(_ request: SyncPageRequest, _ ids: [String?]) throws -> String? {
    guard let cursor = request.cursor else {
      guard let last = ids.last else { return nil }
      return Place(count: ids.count, lastID: last ?? "").text
    }
    let place = try Place(cursor)
    guard let index = ids.lastIndex(where: { ($0 ?? "") == place.lastID }) else {
      throw SyncInterruption.shifted
    }
    guard index < ids.count - 1, let last = ids.last else { return nil }
    return Place(count: place.overlapping + ids.count, lastID: last ?? "").text
  }

  /// How many items were read, and the last of them.
  private struct Place {
    var count: Int
    var lastID: String

    var overlapping: Int { max(0, count - 1) }
    var text: String { "\(count) \(lastID)" }

    init(count: Int, lastID: String) {
      self.count = count
      self.lastID = lastID
    }

    init(_ cursor: String) throws {
      let parts = cursor.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, let count = Int(parts[0]), (0...1_000_000_000).contains(count) else {
        throw SyncInterruption.expired
      }
      self.init(count: count, lastID: String(parts[1]))
    }
  }

  private static func joined(_ base: String, _ query: [(String, String)]) -> String {
    guard !query.isEmpty else { return base }
    return base + (base.contains("?") ? "&" : "?") + FormEncoding.encode(query)
  }
}

/// The `Link` header of a page. Source: https://www.rfc-editor.org/rfc/rfc8288
enum LinkHeader {
  /// The URL of the next page.
  static func next(_ headers: HTTPFields) -> String? {
    guard let name = HTTPField.Name("link") else { return nil }
    var rest = (headers[name] ?? "")[...]
    while let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") {
      let url = rest[rest.index(after: open)..<close]
      rest = rest[rest.index(after: close)...]
      let params = rest.prefix(while: { $0 != "<" }).lowercased()
      if params.contains("rel=\"next\"") || params.contains("rel=next") { return String(url) }
    }
    return nil
  }

  /// Path and query below the origin; `nil` for another origin's URL: no call may go there.
  static func path(_ url: String, origin: String) -> String? {
    if url.hasPrefix("/"), !url.hasPrefix("//") { return url }
    let origin = origin.hasSuffix("/") ? String(origin.dropLast()) : origin
    guard url.hasPrefix(origin + "/") else { return nil }
    return String(url.dropFirst(origin.count))
  }
}
