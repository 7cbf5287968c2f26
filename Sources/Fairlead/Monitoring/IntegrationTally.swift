/// What one integration did since the last flush, and since the process started.
struct IntegrationTally: Sendable {
  let integration: IntegrationName
  private(set) var totals = CallTotals()
  private var minutes: [HealthRollup.Span] = []
  private var latencies: [HealthRollup.Latencies] = []
  private var lastSuccess: Timestamp?
  private var lastFailure: Timestamp?
  /// How many spans may wait for storage; beyond it the newest takes what comes. Two days.
  private static let longestStall = 2_880

  init(integration: IntegrationName) { self.integration = integration }

  mutating func add(_ entry: CallLogEntry) {
    let end = entry.endedAt
    let latency = entry.latency.microseconds
    minutes[minuteIndex(at: end)].counters.add(entry)
    if entry.outcome != .neutral {
      latencies[latencyIndex(at: end)].histogram.record(microseconds: latency)
    }
    switch entry.outcome {
    case .success: lastSuccess = max(lastSuccess ?? end, end)
    case .failure: lastFailure = max(lastFailure ?? end, end)
    case .neutral: break
    }
    totals.add(entry, latency: latency)
  }

  mutating func count(
    _ field: WritableKeyPath<HealthCounters, Int64>, at now: Timestamp
  ) {
    minutes[minuteIndex(at: now)].counters[keyPath: field] &+= 1
    totals.counters[keyPath: field] &+= 1
  }

  /// Appends what was not flushed yet to `rollup`.
  func collect(into rollup: inout HealthRollup) {
    rollup.minutes += minutes
    rollup.latencies += latencies
    if lastSuccess != nil || lastFailure != nil {
      rollup.marks.append(
        .init(integration: integration, lastSuccess: lastSuccess, lastFailure: lastFailure))
    }
  }

  mutating func clear() {
    minutes.removeAll(keepingCapacity: true)
    latencies.removeAll(keepingCapacity: true)
    lastSuccess = nil
    lastFailure = nil
  }

  private mutating func minuteIndex(at time: Timestamp) -> Int {
    let start = HealthRollup.start(of: HealthRollup.minute, at: time)
    if let index = minutes.lastIndex(where: { $0.start == start }) { return index }
    if minutes.count < Self.longestStall {
      minutes.append(.init(integration: integration, start: start, counters: HealthCounters()))
    }
    return minutes.count - 1
  }

  private mutating func latencyIndex(at time: Timestamp) -> Int {
    let start = HealthRollup.start(of: HealthRollup.latencySpan, at: time)
    if let index = latencies.lastIndex(where: { $0.start == start }) { return index }
    if latencies.count < Self.longestStall / 15 {
      latencies.append(.init(integration: integration, start: start, histogram: .init()))
    }
    return latencies.count - 1
  }
}

/// Totals of one integration since the process started, for the metrics.
struct CallTotals: Sendable {
  /// Upper bounds of the duration histogram's buckets, in seconds and in microseconds.
  static let bounds = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
  ]
  private static let boundsMicroseconds = bounds.map { Int64($0 * 1_000_000) }
  /// Sources are ours and few; more than this many are counted as `other`.
  private static let sourceLimit = 8

  struct Line: Sendable {
    var source: String
    var outcome: HealthOutcome
    var count: Int64
  }

  var counters = HealthCounters()
  /// Sum of all latencies in microseconds, those of neutral calls included like their buckets.
  private(set) var latency: Int64 = 0
  private(set) var lines: [Line] = []
  /// Per bucket, not cumulative; the last is beyond every bound.
  private(set) var durations = [Int64](repeating: 0, count: bounds.count + 1)

  mutating func add(_ entry: CallLogEntry, latency: Int64) {
    counters.add(entry)
    self.latency &+= latency
    lines[lineIndex(entry.source, entry.outcome)].count &+= 1
    var bucket = 0
    while bucket < Self.boundsMicroseconds.count, latency > Self.boundsMicroseconds[bucket] {
      bucket += 1
    }
    durations[bucket] &+= 1
  }

  private mutating func lineIndex(_ source: String, _ outcome: HealthOutcome) -> Int {
    func find(_ source: String) -> Int? {
      lines.firstIndex { $0.outcome == outcome && $0.source == source }
    }
    if let index = find(source) { return index }
    let isFull = lines.count >= Self.sourceLimit * HealthOutcome.allCases.count
    if isFull, let index = find("other") { return index }
    lines.append(Line(source: isFull ? "other" : source, outcome: outcome, count: 0))
    return lines.count - 1
  }
}
