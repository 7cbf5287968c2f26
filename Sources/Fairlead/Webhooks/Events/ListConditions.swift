/// The `WHERE` of a list that is read from the newest id backwards, page by page.
struct ListConditions {
  private var terms: [String] = []
  private(set) var arguments: [SQLValue] = []

  /// - Parameter cursor: the last id of the page before.
  init(cursor: String?, idColumn: String) {
    if let cursor { add("\(idColumn) <", .text(cursor)) }
  }

  /// Adds `column = value`; nothing for `NULL`.
  mutating func equal(_ column: String, _ value: SQLValue) {
    if value != .null { add("\(column) =", value) }
  }

  /// Adds a term of fixed text.
  mutating func literal(_ term: String) { terms.append(term) }

  var clause: String { terms.isEmpty ? "" : "WHERE " + terms.joined(separator: " AND ") }

  /// Makes a page of up to `limit` of the items read, of which one more than that was asked for.
  func page<Item>(_ items: [Item], limit: Int, cursor: (Item) -> String) -> Page<Item> {
    let kept = Array(items.prefix(limit))
    return Page(items: kept, nextCursor: items.count > limit ? kept.last.map(cursor) : nil)
  }

  private mutating func add(_ comparison: String, _ value: SQLValue) {
    arguments.append(value)
    terms.append("\(comparison) $\(arguments.count)")
  }
}
