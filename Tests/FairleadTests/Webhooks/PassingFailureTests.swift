import Testing

@testable import Fairlead

/// Which failures use up no attempt of an event's job.
@Suite struct PassingFailureTests {
  @Test(arguments: [
    StorageError.unavailable("down"), .overloaded, .outcomeUnknown("broke during a commit"),
  ])
  func storageThatCannotBeUsedPasses(error: StorageError) {
    #expect(Deliveries.isPassing(error))
    #expect(Deliveries.isPassing(FairleadError(storage: error)))
  }

  @Test(arguments: [StorageError.corrupt("a row"), .statement("wrong")])
  func whatStorageSaysOfTheJobItselfDoesNot(error: StorageError) {
    #expect(!Deliveries.isPassing(error))
  }
}
