import CLibPQ
import Fairlead

/// How a statement failed, as far as it decides what becomes of its transaction.
enum StatementFailure: Error {
  /// Another transaction got in the way; run again, this one may succeed.
  case lostRace
  /// A plan that was prepared before a migration no longer fits; a fresh connection plans anew.
  case stalePlan
  /// The connection is gone. The transaction certainly did not commit.
  case broken
  case refused(StorageError)

  /// - Parameter result: a result that is no success.
  init(_ result: OpaquePointer?, on link: OpaquePointer) {
    let state = Self.field(result, "C")
    let message = Self.field(result, "M") ?? "no message"
    switch state {
    case "40001", "40P01": self = .lostRace
    case "0A000" where message.contains("cached plan"): self = .stalePlan
    case _ where PQstatus(link) != CONNECTION_OK: self = .broken
    case let state?: self = .refused(StorageError(state: state, message: message))
    case nil: self = .refused(.unavailable("PostgreSQL could not be asked: out of memory."))
    }
  }

  /// - Parameter code: the protocol's letter for a field; `PG_DIAG_…` in libpq's header, which Swift
  ///   does not see.
  private static func field(_ result: OpaquePointer?, _ code: Unicode.Scalar) -> String? {
    PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
  }

  /// In the seam's words, when nothing is tried again.
  var storageError: StorageError {
    switch self {
    case .lostRace, .stalePlan:
      .unavailable("Other transactions got in the way again and again. Try again in a moment.")
    case .broken: .unavailable("The connection to PostgreSQL broke. Nothing was stored.")
    case .refused(let error): error
    }
  }
}

extension StorageError {
  /// PostgreSQL's SQLSTATE in the seam's words. The primary message names tables, columns and
  /// constraints; where it would quote a value it is left out.
  init(state: String, message: String) {
    switch (state, state.prefix(2)) {
    case ("23505", _): self = .uniqueViolation(message)
    case ("22021", _): self = .constraintViolation("text with a character that cannot be stored")
    case (_, "23"): self = .constraintViolation(message)
    case (_, "22"): self = .statement("a value does not fit its place (SQLSTATE \(state))")
    case ("25006", _): self = .statement("a read transaction cannot write")
    case ("53100", _):
      self = .unavailable("The disk that holds the database is full. Free some space on it.")
    case ("55P03", _):
      self = .unavailable("Another transaction holds a lock for too long.")
    case ("42501", _):
      self = .unavailable(
        "The database user may not do this (\(message)). Grant it, for example with: GRANT CREATE, "
          + "USAGE ON SCHEMA public TO the user")
    case (_, "53"), (_, "57"), (_, "58"), (_, "08"):
      self = .unavailable("PostgreSQL gave up a transaction (\(message)).")
    case ("XX001", _), ("XX002", _):
      self = .corrupt(
        "The database is damaged (\(message)). Stop Fairlead and restore a backup.")
    default: self = .statement("\(message) (SQLSTATE \(state))")
    }
  }
}
