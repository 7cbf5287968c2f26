/// One entry of the change feed: how a record is now, and what that is to the reader.
public struct FeedRecord: Sendable, Hashable {
  public enum Change: String, Sendable, Hashable, Codable, CaseIterable {
    case added, updated, deleted
  }

  public var id: String
  public var connection: ConnectionID
  /// Against what a reader at the given cursor has.
  public var change: Change
  /// Grows with every change of any record of the model.
  public var version: Int64
  /// `nil` for a deleted one.
  public var data: JSONValue?
}

/// A stretch of the change feed.
public struct FeedPage: Sendable {
  public var records: [FeedRecord]
  /// Keep it and go on from it, also after `hasMore` was `false`.
  public var nextCursor: String
  public var hasMore: Bool
}

/// The change feed of a model: the latest state of every record that changed after a cursor, in the
/// order of the commits. Whoever keeps `nextCursor` misses nothing, however many write meanwhile.
struct RecordFeed: Sendable {
  /// How much data one page holds at most, in bytes; a single record may be larger.
  static let maximumSize: Int64 = 4 * 1_024 * 1_024

  let model: String
  /// Only of this connection.
  let connection: ConnectionID?

  /// - Throws: `FairleadError` (`conflict`) for a cursor that lies before deletions whose tombstones
  ///   are no longer kept.
  func read(after cursor: FeedCursor, limit: Int, in sql: any SQLConnection) throws -> FeedPage {
    let counter = try sql.first(
      "SELECT version, pruned FROM record_versions WHERE model = $1", [.text(model)])
    let head = try counter?.int(0) ?? 0
    let pruned = try counter?.int(1) ?? 0
    guard cursor.isStart || cursor.version >= pruned || cursor.pruned >= pruned else {
      throw FairleadError(
        .conflict,
        "This cursor is too old: deletions after it are no longer kept. Start over without a cursor "
          + "and drop what you hold of \(model) that does not come again.")
    }
    let found = try outline(after: cursor, limit: limit, in: sql)
    var taken = 0
    var size: Int64 = 0
    for (_, length) in found.prefix(limit) {
      if taken > 0, size + length > Self.maximumSize { break }
      size += length
      taken += 1
    }
    guard taken > 0 else {
      return FeedPage(
        records: [], nextCursor: next(max(head, cursor.version), pruned), hasMore: false)
    }
    let hasMore = found.count > taken
    let last = found[taken - 1].version
    return FeedPage(
      records: try records(after: cursor, to: last, in: sql),
      nextCursor: next(hasMore ? last : max(head, last), pruned), hasMore: hasMore)
  }

  private func next(_ version: Int64, _ pruned: Int64) -> String {
    FeedCursor(version: version, pruned: pruned).text(for: self)
  }

  /// What a reader at the cursor has never had does not need its tombstone.
  private var condition: String {
    "model = $1 AND version > $2 AND NOT (data IS NULL AND first_version > $2)"
      + (connection == nil ? "" : " AND connection = $3")
  }

  private func arguments(_ cursor: FeedCursor) -> [SQLValue] {
    [.text(model), .integer(cursor.version)] + (connection.map { [SQLValue($0)] } ?? [])
  }

  private func outline(
    after cursor: FeedCursor, limit: Int, in sql: any SQLConnection
  ) throws -> [(version: Int64, length: Int64)] {
    try sql.query(
      """
      SELECT version, COALESCE(LENGTH(data), 0) FROM records WHERE \(condition)
      ORDER BY version LIMIT \(limit + 1)
      """, arguments(cursor)
    ).map { (try $0.int(0), try $0.int(1)) }
  }

  private func records(
    after cursor: FeedCursor, to last: Int64, in sql: any SQLConnection
  ) throws -> [FeedRecord] {
    let arguments = arguments(cursor) + [.integer(last)]
    return try sql.query(
      """
      SELECT record_id, connection, version, added_version, data FROM records
      WHERE \(condition) AND version <= $\(arguments.count) ORDER BY version
      """, arguments
    ).map { row in
      let data = try row.optionalText(4).map { text in
        do { return try JSONValue(parsing: text.utf8) } catch is DecodingError {
          throw StorageError.corrupt("a record holds no JSON")
        }
      }
      let change: FeedRecord.Change =
        data == nil ? .deleted : try row.int(3) > cursor.version ? .added : .updated
      return FeedRecord(
        id: try row.text(0), connection: try row.id(1), change: change, version: try row.int(2),
        data: data)
    }
  }
}
