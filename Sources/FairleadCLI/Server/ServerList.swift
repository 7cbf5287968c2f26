import Fairlead

/// The pages of a list route that were asked for.
struct ServerList {
  /// What `--json` prints: the page as it was answered, or all pages in the same shape.
  var bytes: [UInt8]
  var items: [JSONValue]
  var nextCursor: String?
}

extension ServerClient {
  /// A server that never ends its list is told so.
  private static var mostPages: Int { 10_000 }

  /// - Parameter filters: pairs without a value are left out.
  func list(
    _ path: String, _ filters: [(String, String?)] = [], _ options: ListOptions
  ) async throws -> ServerList {
    func page(_ cursor: String?) async throws -> ServerList {
      let limit = options.limit ?? (options.all ? 200 : nil)
      let answer = try await get(
        path, filters + [("cursor", cursor), ("limit", limit.map { String($0) })])
      guard let items = answer.json["data"]?.array else {
        throw CommandFailure("\(url) answered without a list. Check --url.")
      }
      return ServerList(
        bytes: answer.bytes, items: items, nextCursor: answer.json["next_cursor"]?.string)
    }
    var list = try await page(options.cursor)
    guard options.all else { return list }
    for _ in 1..<Self.mostPages {
      guard let cursor = list.nextCursor else { break }
      let next = try await page(cursor)
      list.items += next.items
      list.nextCursor = next.nextCursor == cursor ? nil : next.nextCursor
    }
    let whole: JSONValue = [
      "data": .array(list.items), "next_cursor": list.nextCursor.map { .string($0) } ?? .null,
    ]
    list.bytes = whole.bytes
    return list
  }
}

extension ServerList {
  /// Prints it: JSON for scripts, else a table, else what to do where there is nothing.
  func show(
    _ options: ListOptions, empty: String, columns: [TextTable.Column],
    row: (JSONValue) -> [TextTable.Cell]
  ) {
    if options.json {
      Console.answer(bytes)
    } else if items.isEmpty {
      Console.line(empty)
    } else {
      Console.table(TextTable(columns: columns, rows: items.map(row)))
      if let nextCursor {
        Console.error("More follow: add --all, or --cursor \(PrintableText.line(nextCursor))")
      }
    }
  }
}
