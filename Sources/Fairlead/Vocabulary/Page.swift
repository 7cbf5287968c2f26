/// One page of a list: `{data: […], next_cursor}` over HTTP.
public struct Page<Item: Sendable>: Sendable {
  public var items: [Item]
  /// Pass it back to get the next page; `nil` at the end.
  public var nextCursor: String?

  public init(items: [Item], nextCursor: String?) {
    self.items = items
    self.nextCursor = nextCursor
  }
}

/// Which page of a list is wanted.
public struct PageRequest: Sendable {
  public var cursor: String?
  /// 1 to 200.
  public var limit: Int

  public init(cursor: String? = nil, limit: Int = 50) {
    self.cursor = cursor
    self.limit = min(max(limit, 1), 200)
  }
}
