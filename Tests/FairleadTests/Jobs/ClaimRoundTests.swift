import Testing

@testable import Fairlead

@Suite struct ClaimRoundTests {
  /// Plays a round against kinds that have so many due jobs; gives what each got.
  private func play(
    due: [String: Int], running: [String: Int] = [:], limits: [String: Int] = [:], slots: Int,
    turn: Int = 0
  ) -> [String: Int] {
    var left = due
    var got: [String: Int] = [:]
    var round = ClaimRound(
      kinds: Array(due.keys), running: running, limits: limits, slots: slots, turn: turn)
    var steps = 0
    while let (kind, limit) = round.next() {
      steps += 1
      #expect(steps < 100, "the round does not end")
      let count = min(limit, left[kind] ?? 0)
      left[kind, default: 0] -= count
      got[kind, default: 0] += count
      round.took(count, of: kind, isExhausted: count < limit)
    }
    return got
  }

  @Test func equalKindsGetEqualShares() {
    #expect(play(due: ["a": 100, "b": 100], slots: 10) == ["a": 5, "b": 5])
  }

  @Test func whatAKindLeavesGoesToTheOthers() {
    #expect(play(due: ["a": 100, "b": 1, "c": 2], slots: 12) == ["a": 9, "b": 1, "c": 2])
  }

  @Test func aKindThatFillsTheWorkerYieldsToTheOthers() {
    let got = play(due: ["a": 100, "b": 100], running: ["a": 8], slots: 4)
    #expect(got["b"] == 4)
    #expect(got["a"] ?? 0 == 0)
  }

  @Test func aKindStaysBelowItsLimitAndLeavesTheRest() {
    #expect(play(due: ["a": 100, "b": 100], limits: ["a": 2], slots: 10) == ["a": 2, "b": 8])
    #expect(play(due: ["a": 100], running: ["a": 1], limits: ["a": 3], slots: 10) == ["a": 2])
    #expect(play(due: ["a": 100], running: ["a": 3], limits: ["a": 3], slots: 10) == [:])
    #expect(play(due: ["a": 1, "b": 9], limits: ["a": 8], slots: 6) == ["a": 1, "b": 5])
  }

  @Test func noKindIsAlwaysFirst() {
    let winners = (0..<3).map { play(due: ["a": 9, "b": 9, "c": 9], slots: 1, turn: $0) }
    #expect(Set(winners.compactMap { $0.first { $0.value == 1 }?.key }) == ["a", "b", "c"])
  }

  @Test(arguments: [0, 1, 7]) func neverGivesMoreThanThereIsRoomFor(slots: Int) {
    let got = play(due: ["a": 3, "b": 100, "c": 1], running: ["b": 3], slots: slots, turn: -3)
    #expect(got.values.reduce(0, +) == slots)
  }

  @Test func nothingDueEndsTheRound() {
    #expect(play(due: [:], slots: 5).isEmpty)
    #expect(play(due: ["a": 0], slots: 5) == ["a": 0])
  }
}
