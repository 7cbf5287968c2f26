import CLibPQ
import Dispatch
import Fairlead
import Foundation

/// One connection to the server.
///
/// libpq blocks, so all work runs on the session's own queue, never on the cooperative pool.
/// `@unchecked Sendable`: libpq's connection and the statements prepared on it are touched on that
/// queue only, by whoever holds the session.
final class PostgresSession: @unchecked Sendable {
  /// The server process at the other end; names the sender of a notification.
  let processID: Int32
  /// The schema that our tables are in.
  let schema: String
  let link: OpaquePointer
  var statements: [String: PreparedStatement] = [:]
  /// Numbers the names of statements; a name stays taken also when its statement was of no use.
  var lastStatement = 0
  private let queue: DispatchQueue

  private init(_ link: OpaquePointer, schema: String, queue: DispatchQueue) {
    self.link = link
    self.schema = schema
    self.queue = queue
    processID = PQbackendPID(link)
  }

  deinit { PQfinish(link) }

  /// - Throws: `ConnectFailure`.
  static func open(_ address: PostgresAddress) async throws -> PostgresSession {
    let queue = DispatchQueue(label: "fairlead.postgres")
    return try await withCheckedThrowingContinuation { continuation in
      queue.async {
        continuation.resume(with: Result { try connect(address, queue: queue) })
      }
    }
  }

  /// Connects on the calling thread, for a caller with a thread of its own.
  /// - Throws: `ConnectFailure`.
  static func connect(
    _ address: PostgresAddress, queue: DispatchQueue = DispatchQueue(label: "fairlead.postgres")
  ) throws -> PostgresSession {
    let link = try dial(address)
    do {
      return PostgresSession(link, schema: try prepare(link), queue: queue)
    } catch {
      PQfinish(link)
      throw error
    }
  }

  /// Runs blocking work on the session's queue.
  func perform<Output: Sendable>(
    _ work: @escaping @Sendable (PostgresSession) throws -> Output
  ) async throws -> Output {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try work(self) }) }
    }
  }

  var isBroken: Bool { PQstatus(link) != CONNECTION_OK }

  // MARK: - Connecting

  private static func dial(_ address: PostgresAddress) throws -> OpaquePointer {
    let texts = address.parameters.map { (strdup($0.keyword), strdup($0.value.expose())) }
    defer {
      for (keyword, value) in texts {
        free(keyword)
        free(value)
      }
    }
    let keywords = texts.map { UnsafePointer($0.0) } + [nil]
    let values = texts.map { UnsafePointer($0.1) } + [nil]
    guard let link = PQconnectStartParams(keywords, values, 0) else {
      throw ConnectFailure.other("out of memory")
    }
    // Puts the SQLSTATE into the message, which is else in the server's own language.
    PQsetErrorVerbosity(link, PQERRORS_VERBOSE)
    // Notices would be printed to standard error.
    PQsetNoticeProcessor(link, { _, _ in }, nil)
    do {
      try follow(link, timeout: address.connectTimeout)
      return link
    } catch {
      PQfinish(link)
      throw error
    }
  }

  private static func follow(_ link: OpaquePointer, timeout: Int) throws {
    let failure = { ConnectFailure(message: String(cString: PQerrorMessage(link))) }
    guard PQstatus(link) != CONNECTION_BAD else { throw failure() }
    // Around a real socket only real time counts.
    let deadline = ContinuousClock.now + .milliseconds(timeout)
    var next = PGRES_POLLING_WRITING
    while next != PGRES_POLLING_OK {
      guard next != PGRES_POLLING_FAILED else { throw failure() }
      let left = (deadline - .now) / .milliseconds(1)
      guard left > 0 else { throw ConnectFailure.timeout }
      var socket = pollfd(
        fd: PQsocket(link), events: Int16(next == PGRES_POLLING_READING ? POLLIN : POLLOUT),
        revents: 0)
      if poll(&socket, 1, Int32(min(left, 1_000).rounded(.up))) > 0 { next = PQconnectPoll(link) }
    }
  }

  /// What every transaction here relies on.
  private static let settings = """
    SET standard_conforming_strings = on; SET TimeZone = 'UTC'; SET extra_float_digits = 1;
    SET bytea_output = 'hex'; SET lock_timeout = '30s';
    SELECT current_setting('synchronous_commit'), current_setting('server_encoding'),
      current_schema(), pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'
    """

  /// - Returns: the schema for our tables.
  private static func prepare(_ link: OpaquePointer) throws -> String {
    guard PQserverVersion(link) >= 140_000 else {
      throw ConnectFailure.tooOld(PQserverVersion(link) / 10_000)
    }
    let result = PQexec(link, settings)
    defer { PQclear(result) }
    guard PQresultStatus(result) == PGRES_TUPLES_OK, PQntuples(result) == 1 else {
      throw ConnectFailure(message: String(cString: PQerrorMessage(link)))
    }
    func value(_ column: Int32) -> String? {
      PQgetisnull(result, 0, column) == 1 ? nil : String(cString: PQgetvalue(result, 0, column))
    }
    guard value(0) != "off" else { throw ConnectFailure.notDurable }
    guard value(1) == "UTF8" else { throw ConnectFailure.encoding(value(1) ?? "unknown") }
    guard value(3) == "f" else { throw ConnectFailure.readOnly }
    guard let schema = value(2) else { throw ConnectFailure.noSchema }
    return schema
  }
}

extension PostgresSession {
  var isOutsideTransaction: Bool { PQtransactionStatus(link) == PQTRANS_IDLE }
}
