extension Database {
  /// `read`, with a failing store told in the words users meet.
  /// - Throws: `FairleadError`, or what `body` throws beside `StorageError`.
  func guardedRead<Result: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result {
    do { return try await read(body) } catch let error as StorageError {
      throw FairleadError(storage: error)
    }
  }

  /// `write`, likewise.
  func guardedWrite<Result: Sendable>(
    _ isolation: WriteIsolation = .serializable,
    _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result {
    do { return try await write(isolation, body) } catch let error as StorageError {
      throw FairleadError(storage: error)
    }
  }
}

extension FairleadError {
  init(storage error: StorageError) {
    switch error {
    case .unavailable(let detail), .outcomeUnknown(let detail):
      self.init(
        .serviceUnavailable, "Storage cannot be used right now. Try again in a moment.",
        detail: detail)
    case .overloaded:
      self.init(.serviceUnavailable, "Too much to store at once. Try again in a moment.")
    case .corrupt(let detail), .statement(let detail), .uniqueViolation(let detail),
      .constraintViolation(let detail):
      self.init(
        .configurationError,
        "Something stored here cannot be used. The operator finds the reason in the log.",
        detail: detail)
    }
  }
}
