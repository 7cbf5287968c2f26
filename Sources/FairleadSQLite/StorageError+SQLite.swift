import Fairlead
import GRDB

extension StorageError {
  /// SQLite's result codes in the seam's words. Only SQLite's own message is kept: it names tables
  /// and columns, never values.
  init(_ error: DatabaseError) {
    let message = error.message ?? "result code \(error.extendedResultCode.rawValue)"
    switch error.extendedResultCode {
    case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID:
      self = .uniqueViolation(message)
      return
    case .SQLITE_IOERR_CORRUPTFS:
      self = .corrupt(Self.damaged(message))
      return
    default: break
    }
    switch error.resultCode.primaryResultCode {
    case .SQLITE_CONSTRAINT: self = .constraintViolation(message)
    case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL:
      self = .unavailable(
        "Another process holds the database's write lock. Stop it, or wait until it is done.")
    case .SQLITE_FULL:
      self = .unavailable("The disk that holds the database is full. Free some space on it.")
    case .SQLITE_READONLY:
      self = .unavailable(
        "The database file cannot be written. Give this user write access to it and its folder.")
    case .SQLITE_IOERR:
      self = .unavailable("The disk that holds the database reports an error (\(message)).")
    case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
      self = .unavailable("The database file cannot be opened. Check that it and its folder exist.")
    case .SQLITE_NOMEM, .SQLITE_INTERRUPT, .SQLITE_ABORT:
      self = .unavailable("SQLite gave up a transaction (\(message)).")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .corrupt(Self.damaged(message))
    default: self = .statement(message)
    }
  }

  private static func damaged(_ message: String) -> String {
    "The database file is damaged (\(message)). Stop Fairlead, keep a copy of the file, then "
      + "restore a backup or rebuild it with `sqlite3 FILE .recover`."
  }
}
