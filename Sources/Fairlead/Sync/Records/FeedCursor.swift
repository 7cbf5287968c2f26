import Crypto

/// Where a consumer stands in a change feed. Opaque outside; it fits the feed it came from only.
struct FeedCursor: Sendable, Hashable {
  /// Everything up to here was seen.
  var version: Int64
  /// Tombstones up to here were gone already when it was made, and are no loss to its holder.
  var pruned: Int64

  static let start = FeedCursor(version: 0, pruned: 0)

  var isStart: Bool { self == .start }

  func text(for feed: RecordFeed) -> String {
    "f1.\(version).\(pruned).\(Self.mark(of: feed))"
  }

  init(version: Int64, pruned: Int64) {
    self.version = version
    self.pruned = pruned
  }

  /// - Throws: `FairleadError` (`invalidRequest`) for what is no cursor of this feed.
  init(_ text: String?, for feed: RecordFeed) throws {
    guard let text, !text.isEmpty else {
      self = .start
      return
    }
    let parts = text.utf8.count <= 100 ? text.split(separator: ".") : []
    guard parts.count == 4, parts[0] == "f1", let version = Int64(parts[1]), version >= 0,
      let pruned = Int64(parts[2]), pruned >= 0
    else {
      throw FairleadError(
        .invalidRequest, "cursor must be a next_cursor of this feed, or absent to start.")
    }
    guard parts[3] == Self.mark(of: feed) else {
      throw FairleadError(
        .invalidRequest,
        "This cursor belongs to another feed: the model and the connection must stay the same.")
    }
    self.init(version: version, pruned: pruned)
  }

  /// Tells the feeds apart, so that a cursor of one is not taken for another's.
  private static func mark(of feed: RecordFeed) -> String {
    let name = "\(feed.model)\n\(feed.connection?.rawValue ?? "")"
    return Array(SHA256.hash(data: Array(name.utf8))).prefix(6).hex
  }
}
