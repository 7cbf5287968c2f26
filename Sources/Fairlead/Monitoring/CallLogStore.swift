/// The statements of the `call_log` table. Each runs inside the caller's transaction.
enum CallLogStore {
  private static let columns = [
    "id", "integration", "connection", "owner", "source", "method", "path", "status", "error_code",
    "error_class", "attempts", "server_errors", "rate_limit_hits", "waited", "wait_reason",
    "started_at", "duration", "outcome", "fallback",
  ]
  private static let columnList = columns.joined(separator: ", ")
  /// Longer texts are cut: a row has no business with them.
  private static let textLimit = 500

  static func insert(
    _ entries: ArraySlice<CallLogEntry>, in connection: any SQLConnection
  ) throws {
    var rest = entries
    // Few different statements, so that the driver finds them prepared.
    for size in [100, 10, 1] {
      let sql = insertStatement(rows: size)
      while rest.count >= size {
        try connection.execute(sql, rest.prefix(size).flatMap(values))
        rest = rest.dropFirst(size)
      }
    }
  }

  private static func insertStatement(rows: Int) -> String {
    let rows = (0..<rows).map { row in
      let placeholders = columns.indices.map { "$\(row * columns.count + $0 + 1)" }
      return "(\(placeholders.joined(separator: ", ")))"
    }
    return """
      INSERT INTO call_log (\(columnList)) VALUES \(rows.joined(separator: ", "))
      ON CONFLICT (id) DO NOTHING
      """
  }

  private static func values(_ entry: CallLogEntry) -> [SQLValue] {
    [
      SQLValue(entry.requestID), SQLValue(entry.integration), SQLValue(entry.connection),
      SQLValue(entry.owner), .text(entry.source), .text(entry.method), .text(path(entry.path)),
      entry.status.map { SQLValue($0) } ?? .null, SQLValue(entry.errorCode?.rawValue),
      SQLValue(entry.errorClass?.rawValue), SQLValue(entry.attempts), SQLValue(entry.serverErrors),
      SQLValue(entry.rateLimitHits), .integer(entry.waited.microseconds),
      SQLValue(entry.waitReason.map(clean)), SQLValue(entry.startedAt),
      .integer(entry.duration.microseconds), .text(entry.outcome.rawValue),
      SQLValue(entry.fallback),
    ]
  }

  /// A path from which a query was not removed would carry it into storage.
  private static func path(_ path: String) -> String {
    clean(String(path.prefix { $0 != "?" && $0 != "#" }))
  }

  /// PostgreSQL refuses a NUL in text; what looks like a credential is masked.
  private static func clean(_ text: String) -> String {
    let short = text.utf8.count > textLimit ? String(text.prefix(textLimit)) : text
    return Redaction.text(short).replacing("\0", with: "")
  }
}

// MARK: - Reading

extension CallLogStore {
  static func page(
    _ filter: CallLogFilter, after cursor: Cursor?, limit: Int, in connection: any SQLConnection
  ) throws -> [CallLogEntry] {
    var conditions: [String] = []
    var arguments: [SQLValue] = []
    func require(_ condition: String, _ values: SQLValue...) {
      var condition = condition
      for value in values {
        arguments.append(value)
        condition = condition.replacing("?", with: "$\(arguments.count)", maxReplacements: 1)
      }
      conditions.append(condition)
    }
    if let integration = filter.integration { require("integration = ?", SQLValue(integration)) }
    if let connection = filter.connection { require("connection = ?", SQLValue(connection)) }
    if let owner = filter.owner { require("owner = ?", SQLValue(owner)) }
    if let code = filter.errorCode { require("error_code = ?", .text(code.rawValue)) }
    if let outcome = filter.outcome { require("outcome = ?", .text(outcome.rawValue)) }
    if let since = filter.since { require("started_at >= ?", SQLValue(since)) }
    if let digit = filter.statusClass {
      // An out-of-range digit matches nothing; clamped, so that no input can overflow.
      let first = Int64(min(max(digit, 0), 9)) * 100
      require("status >= ? AND status < ?", .integer(first), .integer(first + 100))
    }
    if let cursor {
      require(
        "(started_at < ? OR (started_at = ? AND id < ?))", SQLValue(cursor.startedAt),
        SQLValue(cursor.startedAt), SQLValue(cursor.id))
    }
    let rows = try connection.query(
      """
      SELECT \(columnList) FROM call_log
      \(conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND "))
      ORDER BY started_at DESC, id DESC LIMIT \(limit)
      """, arguments)
    return try rows.map(entry)
  }

  private static func entry(_ row: SQLRow) throws -> CallLogEntry {
    guard let outcome = HealthOutcome(rawValue: try row.text(17)) else {
      throw StorageError.corrupt("a call has an unknown outcome")
    }
    return CallLogEntry(
      requestID: try row.id(0), integration: IntegrationName(try row.text(1)),
      connection: try row.id(2), owner: try row.optionalText(3).map { Owner($0) },
      source: try row.text(4), method: try row.text(5), path: try row.text(6),
      status: try row.optionalInt(7).map { Int($0) },
      errorCode: try row.optionalText(8).flatMap(ErrorCode.init),
      errorClass: try row.optionalText(9).flatMap(ErrorClass.init),
      attempts: Int(try row.int(10)), serverErrors: Int(try row.int(11)),
      rateLimitHits: Int(try row.int(12)), waited: .microseconds(try row.int(13)),
      waitReason: try row.optionalText(14), startedAt: try row.timestamp(15),
      duration: .microseconds(try row.int(16)), outcome: outcome, fallback: try row.bool(18))
  }

  /// Deletes up to `limit` entries that started before `cutoff`.
  /// - Returns: how many it deleted.
  static func prune(
    before cutoff: Timestamp, limit: Int, in connection: any SQLConnection
  ) throws -> Int {
    try connection.execute(
      """
      DELETE FROM call_log WHERE id IN (
        SELECT id FROM call_log WHERE started_at < $1 ORDER BY started_at LIMIT \(limit))
      """, [SQLValue(cutoff)])
  }
}

extension CallLogStore {
  /// Where a page of the log ended.
  struct Cursor: Sendable, Equatable {
    var startedAt: Timestamp
    var id: RequestID

    init(startedAt: Timestamp, id: RequestID) {
      self.startedAt = startedAt
      self.id = id
    }

    var text: String { Array("\(startedAt.microseconds):\(id.rawValue)".utf8).base64URL }

    /// - Throws: `FairleadError` (`invalidRequest`) when it is not a cursor of this list.
    init(text: String) throws {
      guard text.utf8.count <= 400, let bytes = [UInt8](anyBase64: text),
        let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
        let time = Int64(String(decoding: bytes[..<colon], as: UTF8.self))
      else {
        throw FairleadError(
          .invalidRequest, "The cursor is not one this list gave. Start again without a cursor.")
      }
      startedAt = Timestamp(microseconds: time)
      id = RequestID(rawValue: String(decoding: bytes[(colon + 1)...], as: UTF8.self))
    }
  }
}
