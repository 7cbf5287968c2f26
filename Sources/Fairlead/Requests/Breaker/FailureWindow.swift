/// How many attempts there were lately and how many of them failed, in ten spans of time that the
/// window slides over.
struct FailureWindow: Sendable {
  struct Totals: Sendable, Equatable {
    var calls = 0
    var failures = 0
  }

  private struct Span {
    var index: Int64 = .min
    var totals = Totals()
  }

  private static let count = 10

  /// Of one span, in microseconds.
  private let width: Int64
  private var spans = [Span](repeating: Span(), count: count)

  init(length: Duration) {
    width = max(1, length.microseconds / Int64(Self.count))
  }

  mutating func record(failure: Bool, at now: Duration) {
    let index = index(now)
    let place = Int(index % Int64(Self.count))
    // Readings of the clock may overtake each other by a little: what is late counts with the rest.
    if spans[place].index < index { spans[place] = Span(index: index) }
    spans[place].totals.calls += 1
    if failure { spans[place].totals.failures += 1 }
  }

  func totals(at now: Duration) -> Totals {
    let oldest = index(now) - Int64(Self.count)
    return spans.reduce(into: Totals()) { sum, span in
      guard span.index > oldest else { return }
      sum.calls += span.totals.calls
      sum.failures += span.totals.failures
    }
  }

  mutating func clear() {
    spans = [Span](repeating: Span(), count: Self.count)
  }

  private func index(_ now: Duration) -> Int64 { max(0, now.microseconds) / width }
}
