/// Shares free slots between the kinds of jobs that are due: whoever has the fewest running is asked
/// first, and what a kind leaves goes to the others. Pure.
struct ClaimRound {
  private struct Share {
    let kind: String
    var load: Int
    /// How many it may stand at.
    let limit: Int
  }

  private var shares: [Share]
  private var slots: Int

  /// - Parameters:
  ///   - limits: how many of a kind may run, those that do included.
  ///   - turn: moves the order of kinds that are equal, so that none is always first.
  init(
    kinds: [String], running: [String: Int], limits: [String: Int] = [:], slots: Int, turn: Int
  ) {
    let sorted = kinds.sorted()
    let offset = sorted.isEmpty ? 0 : Int(turn.magnitude % UInt(sorted.count))
    shares = (sorted[offset...] + sorted[..<offset])
      .map { Share(kind: $0, load: running[$0] ?? 0, limit: limits[$0] ?? .max) }
      .filter { $0.load < $0.limit }
    self.slots = max(0, slots)
  }

  /// Which kind to take from next and how many at most; `nil` when the round is over.
  func next() -> (kind: String, limit: Int)? {
    guard slots > 0, let first = shares.min(by: { $0.load < $1.load }) else { return nil }
    // Up to the level at which all would stand if every kind had enough.
    let level = (shares.reduce(slots) { $0 + $1.load } + shares.count - 1) / shares.count
    return (first.kind, min(slots, max(1, level - first.load), first.limit - first.load))
  }

  /// Reports what a kind gave.
  mutating func took(_ count: Int, of kind: String, isExhausted: Bool) {
    slots -= count
    guard let index = shares.firstIndex(where: { $0.kind == kind }) else { return }
    shares[index].load += count
    if isExhausted || shares[index].load >= shares[index].limit { shares.remove(at: index) }
  }
}
