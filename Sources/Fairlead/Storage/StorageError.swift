/// What storage can fail with, the same words for both engines. No case carries row data.
public enum StorageError: Error, Sendable, Equatable {
  /// A unique index refused a row; the text names the constraint or column as the engine does.
  case uniqueViolation(String)
  /// Another constraint (not null, foreign key, check) refused a row.
  case constraintViolation(String)
  /// The engine cannot take writes now (disk full, locked, server gone). The same call may work
  /// later; nothing of it was stored.
  case unavailable(String)
  /// The server went away while it committed: the transaction may be stored or not. It was not run
  /// again; the caller repeats it only where that does no harm.
  case outcomeUnknown(String)
  /// A bounded queue in front of storage is full. Nothing was stored.
  case overloaded
  /// A row or file is not what was written.
  case corrupt(String)
  /// The engine refused a statement: a defect of ours.
  case statement(String)
}
