import CLibPQ
import Fairlead

/// A statement that the server has parsed for this connection.
struct PreparedStatement {
  var name: String
  var parameterTypes: [Oid]
  /// Whether every column of its rows can be read in binary.
  var isBinary: Bool
}

extension PostgresSession {
  /// Statements of the code itself are few; lists of varying length could make any number, so there
  /// is a bound, past which a statement is prepared each time.
  private static let statementLimit = 400

  /// Runs one statement with arguments.
  /// - Throws: `StatementFailure`, `StorageError`.
  func run(_ sql: String, _ values: [SQLValue]) throws -> PostgresResult {
    let statement = try prepared(sql)
    let arguments = try PostgresArguments(values, types: statement.parameterTypes)
    let result = arguments.withPointers { count, pointers, lengths, formats in
      PQexecPrepared(
        link, statement.name, count, pointers, lengths, formats, statement.isBinary ? 1 : 0)
    }
    return try PostgresResult(result, on: link)
  }

  /// Runs a command without arguments: the bounds of transactions and savepoints.
  /// - Returns: what the server says it did.
  @discardableResult
  func command(_ sql: String) throws -> String {
    let result = try PostgresResult(PQexec(link, sql), on: link)
    return result.command
  }

  private func prepared(_ sql: String) throws -> PreparedStatement {
    if let known = statements[sql] { return known }
    guard !sql.utf8.contains(0) else { throw StorageError.statement("a statement has a NUL in it") }
    let isKept = statements.count < Self.statementLimit && Self.isWorthKeeping(sql)
    if isKept { lastStatement += 1 }
    let name = isKept ? "s\(lastStatement)" : ""
    var statement = try prepare(sql, as: name, types: [])
    // Beside a literal number the server takes a placeholder for a 32-bit one; ours have 64.
    let widened = statement.parameterTypes.map {
      $0 == PostgresType.int4 || $0 == PostgresType.int2 ? PostgresType.int8 : $0
    }
    if widened != statement.parameterTypes {
      statement = try prepare(sql, as: isKept ? name + "w" : "", types: widened)
    }
    if isKept { statements[sql] = statement }
    return statement
  }

  private func prepare(_ sql: String, as name: String, types: [Oid]) throws -> PreparedStatement {
    _ = try PostgresResult(PQprepare(link, name, sql, Int32(types.count), types), on: link)
    let description = try PostgresResult(PQdescribePrepared(link, name), on: link)
    return PreparedStatement(
      name: name, parameterTypes: description.parameterTypes,
      isBinary: description.columnTypes.allSatisfy(PostgresType.binary.contains))
  }

  private static func isWorthKeeping(_ sql: String) -> Bool {
    let verb = sql.drop(while: \.isWhitespace).prefix(while: \.isLetter)
    return ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(verb)
  }
}
