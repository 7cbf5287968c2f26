extension CallLog {
  /// What each integration did in windows that end now, over all nodes; an integration that did
  /// nothing is left out. Each call counts once, those that are not stored yet included.
  ///
  /// Counts are kept by the minute: the minute in which a window begins counts as a whole, so a
  /// window is up to a minute longer than asked for, and never shorter.
  /// - Throws: `StorageError`.
  func counters(
    over windows: Set<Duration>
  ) async throws -> [Duration: [IntegrationName: HealthCounters]] {
    let now = clock.now
    let starts = windows.sorted().map { window in
      (window: window, after: (now - window).microseconds - HealthRollup.minute)
    }
    // Taken before storage is read: a part that is stored in between is recognised by its number.
    let unsettled = unsettled
    let node = node
    let (sequence, stored) = try await database.read { connection in
      (
        try HealthStore.sequence(of: node, in: connection),
        try starts.map { try HealthStore.hours(after: $0.after, in: connection) }
      )
    }
    var sums: [Duration: [IntegrationName: HealthCounters]] = [:]
    for (start, spans) in zip(starts, stored) {
      var sum: [IntegrationName: HealthCounters] = [:]
      for span in spans { sum[span.integration, default: .init()] += span.counters }
      for part in unsettled where part.sequence > sequence {
        for span in part.rollup.minutes where span.start > start.after {
          sum[span.integration, default: .init()] += span.counters
        }
      }
      sums[start.window] = sum
    }
    return sums
  }
}
