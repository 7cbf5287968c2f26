/// The generic cell rate algorithm: one theoretical arrival time says how much of a limit is left
/// and how long to wait for more. Times are uptimes of the injected clock.
struct GCRA: Sendable, Equatable {
  struct Rate: Sendable, Equatable {
    /// The time one call uses up.
    let emission: Duration
    let burst: Int

    init(requests: Int, period: Duration, burst: Int? = nil) {
      let requests = max(1, requests)
      emission = max(period, .microseconds(1)) / requests
      self.burst = max(1, burst ?? requests)
    }

    init(_ limit: ProviderDefinition.Limit) {
      self.init(requests: limit.requests, period: limit.period, burst: limit.burst)
    }

    /// How far the arrival time may lie ahead of now and still conform.
    var tolerance: Duration { emission * (burst - 1) }
  }

  private(set) var arrival: Duration = .zero

  /// How long until a call conforms, when `ahead` others go first. Zero: now.
  func wait(_ rate: Rate, at now: Duration, ahead: Int = 0) -> Duration {
    max(.zero, max(arrival, now) + rate.emission * ahead - rate.tolerance - now)
  }

  /// Counts one call, whether it conforms or not.
  mutating func take(_ rate: Rate, at now: Duration) {
    arrival = max(arrival, now) + rate.emission
  }

  /// Undoes one `take` of a call that was not made after all.
  mutating func giveBack(_ rate: Rate) {
    arrival -= rate.emission
  }

  /// Believes a provider that says less is left than we thought; never the other way.
  mutating func correct(remaining: Int, _ rate: Rate, at now: Duration) {
    guard remaining < rate.burst else { return }
    arrival = max(arrival, now + rate.emission * (rate.burst - max(0, remaining)))
  }
}
