/// Everything that one integration's health is made of, summed from rows in any order.
struct HealthReading: Sendable {
  static let window = Duration.seconds(86_400)
  static let recentWindow = Duration.seconds(300)

  /// Which spans count: those that begin after these times, in microseconds since the epoch.
  struct Windows: Sendable {
    let day: Int64
    let recent: Int64

    init(endingAt now: Timestamp) {
      day = (now - HealthReading.window).microseconds
      recent = (now - HealthReading.recentWindow).microseconds
    }
  }

  var day = HealthCounters()
  var recent = HealthCounters()
  var latencies = LatencyHistogram()
  var lastSuccess: Timestamp?
  var lastFailure: Timestamp?

  mutating func add(_ marks: HealthRollup.Marks) {
    if let time = marks.lastSuccess { lastSuccess = max(lastSuccess ?? time, time) }
    if let time = marks.lastFailure { lastFailure = max(lastFailure ?? time, time) }
  }
}

extension HealthReading {
  /// What storage holds, read in one snapshot.
  struct Stored: Sendable {
    var sequence: Int64
    var hours: [HealthRollup.Span]
    var recent: [HealthRollup.Span]
    var latencies: [HealthRollup.Latencies]
    var marks: [HealthRollup.Marks]

    /// - Parameter withLatencies: the histograms are the costly part, and not always wanted.
    init(
      _ windows: Windows, of integration: IntegrationName?, node: String, withLatencies: Bool,
      in connection: any SQLConnection
    ) throws {
      sequence = try HealthStore.sequence(of: node, in: connection)
      hours = try HealthStore.hours(after: windows.day, of: integration, in: connection)
      recent = try HealthStore.hours(after: windows.recent, of: integration, in: connection)
      latencies =
        withLatencies
        ? try HealthStore.latencies(after: windows.day, of: integration, in: connection) : []
      marks = try HealthStore.marks(in: connection)
    }
  }

  /// Adds up what storage holds (nothing when it is `nil`) and those parts of `unsettled` that it
  /// does not hold yet.
  /// - Parameter unsettled: must have been taken before `stored` was read; a part that was stored in
  ///   between is then recognised by its number.
  static func sum(
    _ stored: Stored?, _ unsettled: [(sequence: Int64, rollup: HealthRollup)], _ windows: Windows
  ) -> [IntegrationName: HealthReading] {
    var readings: [IntegrationName: HealthReading] = [:]
    for span in stored?.hours ?? [] {
      readings[span.integration, default: .init()].day += span.counters
    }
    for span in stored?.recent ?? [] {
      readings[span.integration, default: .init()].recent += span.counters
    }
    var latencies = stored?.latencies ?? []
    var marks = stored?.marks ?? []
    for (sequence, rollup) in unsettled where sequence > stored?.sequence ?? 0 {
      for span in rollup.minutes {
        if span.start > windows.day {
          readings[span.integration, default: .init()].day += span.counters
        }
        if span.start > windows.recent {
          readings[span.integration, default: .init()].recent += span.counters
        }
      }
      latencies += rollup.latencies.filter { $0.start > windows.day }
      marks += rollup.marks
    }
    for part in latencies {
      readings[part.integration, default: .init()].latencies.add(part.histogram)
    }
    for mark in marks { readings[mark.integration, default: .init()].add(mark) }
    return readings
  }
}
