import Fairlead
import Foundation
import GRDB

/// One connection for the length of a transaction.
final class SQLiteConnection: SQLConnection {
  private let database: GRDB.Database
  private let statements: StatementCache
  private let isReadOnly: Bool
  private(set) var announcements: [DatabaseNotification] = []

  init(_ database: GRDB.Database, _ statements: StatementCache, isReadOnly: Bool) {
    self.database = database
    self.statements = statements
    self.isReadOnly = isReadOnly
  }

  func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
    try translating {
      let statement = try prepare(sql, arguments)
      // `changesCount` keeps the number of the last statement that changed rows; the total tells
      // whether this one did.
      let before = database.totalChangesCount
      try statement.execute()
      return database.totalChangesCount == before ? 0 : database.changesCount
    }
  }

  func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] {
    try translating {
      let cursor = try Row.fetchCursor(try prepare(sql, arguments))
      var rows: [SQLRow] = []
      while let row = try cursor.next() {
        rows.append(SQLRow(values: row.databaseValues.map(SQLValue.init)))
      }
      return rows
    }
  }

  func savepoint<Output>(_ body: () throws -> Output) throws -> Output {
    let announced = announcements.count
    var output: Output?
    do {
      try translating {
        try database.inSavepoint {
          output = try body()
          return .commit
        }
      }
    } catch {
      announcements.removeLast(announcements.count - announced)
      throw error
    }
    guard let output else { throw StorageError.statement("a savepoint ended without a result") }
    return output
  }

  func notify(_ channel: Channel, _ payload: String) throws {
    announcements.append(DatabaseNotification(channel: channel, payload: payload))
  }

  private func prepare(_ sql: String, _ arguments: [SQLValue]) throws -> Statement {
    let (text, isCached) = statements.rewritten(sql)
    let statement =
      try isCached ? database.cachedStatement(sql: text) : database.makeStatement(sql: text)
    let values = try arguments.map { try DatabaseValue($0) }
    try statement.setArguments(StatementArguments(values))
    return statement
  }

  private func translating<Output>(_ work: () throws -> Output) throws -> Output {
    do {
      return try work()
    } catch let error as DatabaseError {
      if isReadOnly, error.resultCode.primaryResultCode == .SQLITE_READONLY {
        throw StorageError.statement("a read transaction cannot write")
      }
      throw StorageError(error)
    }
  }
}

extension SQLValue {
  init(_ value: DatabaseValue) {
    switch value.storage {
    case .null: self = .null
    case .int64(let number): self = .integer(number)
    case .double(let number): self = .double(number)
    case .string(let text): self = .text(text)
    case .blob(let data): self = .blob(Array(data))
    }
  }
}

extension DatabaseValue {
  /// - Throws: `StorageError.constraintViolation` for text with a NUL character, which SQLite would
  ///   cut short in silence and PostgreSQL refuses.
  init(_ value: SQLValue) throws {
    switch value {
    case .null: self = .null
    case .integer(let number): self = number.databaseValue
    case .double(let number): self = number.databaseValue
    case .text(let text):
      guard !text.utf8.contains(0) else {
        throw StorageError.constraintViolation("text with a NUL character cannot be stored")
      }
      self = text.databaseValue
    case .blob(let bytes): self = Data(bytes).databaseValue
    }
  }
}
