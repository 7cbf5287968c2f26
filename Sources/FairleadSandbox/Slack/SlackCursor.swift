import Fairlead

/// Cursors are opaque to callers: the id of the first item of the next page, in base64.
enum SlackCursor {
  static func metadata(next id: String?) -> JSONValue {
    ["next_cursor": .string(id.map { Array("next:\($0)".utf8).base64 } ?? "")]
  }

  /// Where the page starts that the `cursor` argument names.
  static func start<Item>(
    in items: [Item], _ arguments: SlackArguments, id: (Item) -> String
  ) throws(SlackError) -> Int {
    guard let cursor = arguments.text("cursor") else { return 0 }
    guard let bytes = [UInt8](anyBase64: cursor) else { throw SlackError("invalid_cursor") }
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.hasPrefix("next:"),
      let index = items.firstIndex(where: { id($0) == text.dropFirst(5) })
    else { throw SlackError("invalid_cursor") }
    return index
  }
}
