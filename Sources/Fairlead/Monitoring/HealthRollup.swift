/// Counts on their way to storage, or read from it: per integration counters by the minute and
/// latencies by the quarter of an hour, and when a call last succeeded and failed.
struct HealthRollup: Sendable {
  static let minute: Int64 = 60_000_000
  static let hour: Int64 = 60 * minute
  static let latencySpan: Int64 = 15 * minute

  struct Span: Sendable {
    var integration: IntegrationName
    /// Microseconds since the epoch: a whole minute, or a whole hour where minutes were summed.
    var start: Int64
    var counters: HealthCounters
  }

  struct Latencies: Sendable {
    var integration: IntegrationName
    /// Microseconds since the epoch, a whole quarter of an hour.
    var start: Int64
    var histogram: LatencyHistogram
  }

  struct Marks: Sendable {
    var integration: IntegrationName
    var lastSuccess: Timestamp?
    var lastFailure: Timestamp?
  }

  var minutes: [Span] = []
  var latencies: [Latencies] = []
  var marks: [Marks] = []

  var isEmpty: Bool { minutes.isEmpty && latencies.isEmpty && marks.isEmpty }

  /// The start of the span of `width` microseconds that `time` lies in.
  static func start(of width: Int64, at time: Timestamp) -> Int64 {
    let remainder = time.microseconds % width
    return time.microseconds - (remainder < 0 ? remainder + width : remainder)
  }
}
