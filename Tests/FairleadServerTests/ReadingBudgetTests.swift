import Fairlead
import Testing

@testable import FairleadServer

@Suite struct ReadingBudgetTests {
  @Test func bodiesBeyondTheBudgetAreAskedToComeBackAndNothingLeaks() async throws {
    let budget = ReadingBudget(limit: 100)
    for _ in 0..<3 {
      let inner = try await budget.reserving(60) { () async throws -> ErrorCode? in
        // What fits beside it passes, what does not is refused.
        try await budget.reserving(40) {}
        do {
          try await budget.reserving(41) {}
          return nil
        } catch let error as FairleadError {
          #expect(error.retryAfter == .seconds(5))
          return error.code
        }
      }
      #expect(inner == .serviceUnavailable)
      // What a reader throws gives its share back too.
      await #expect(throws: CancellationError.self) {
        try await budget.reserving(100) { throw CancellationError() }
      }
    }
    try await budget.reserving(100) {}
  }
}
