/// What is counted per integration and minute. Two readings add up field by field, whatever their
/// order: rows of several nodes, minutes of a window, a stored row and what came since.
struct HealthCounters: Sendable, Equatable {
  var calls: Int64 = 0
  var failures: Int64 = 0
  var neutral: Int64 = 0
  var attempts: Int64 = 0
  var serverErrors: Int64 = 0
  var fallbacks: Int64 = 0
  /// Sum of latencies in microseconds, neutral calls left out.
  var latency: Int64 = 0
  var rateLimitHits: Int64 = 0
  /// Sum of deliberate waits in microseconds.
  var waited: Int64 = 0
  var webhooksReceived: Int64 = 0
  var webhooksRejected: Int64 = 0
  /// Rejected for a signature that no secret of ours made; part of `webhooksRejected`.
  var webhooksForged: Int64 = 0
  var webhooksProcessed: Int64 = 0
  var webhooksFailed: Int64 = 0
  var webhooksDead: Int64 = 0
  var webhooksRecovered: Int64 = 0
  var webhooksDuplicate: Int64 = 0

  /// The calls that say something about health.
  var rated: Int64 { calls &- neutral }

  /// In milliseconds; `nil` without calls that count.
  var meanLatency: Double? { rated > 0 ? Double(latency) / Double(rated) / 1_000 : nil }

  static func += (left: inout Self, right: Self) {
    for column in columns { left[keyPath: column.field] &+= right[keyPath: column.field] }
  }

  mutating func add(_ entry: CallLogEntry) {
    calls &+= 1
    switch entry.outcome {
    case .success: break
    case .failure: failures &+= 1
    case .neutral: neutral &+= 1
    }
    attempts &+= Int64(clamping: max(0, entry.attempts))
    serverErrors &+= Int64(clamping: max(0, entry.serverErrors))
    if entry.fallback { fallbacks &+= 1 }
    rateLimitHits &+= Int64(clamping: max(0, entry.rateLimitHits))
    waited &+= max(0, entry.waited.microseconds)
    if entry.outcome != .neutral { latency &+= entry.latency.microseconds }
  }
}

// MARK: - Columns

extension HealthCounters {
  struct Column: Sendable {
    let name: String
    let field: any WritableKeyPath<HealthCounters, Int64> & Sendable
  }

  /// The one list that statements, sums and rows are made from.
  static let columns: [Column] = [
    Column(name: "calls", field: \.calls),
    Column(name: "failures", field: \.failures),
    Column(name: "neutral", field: \.neutral),
    Column(name: "attempts", field: \.attempts),
    Column(name: "server_errors", field: \.serverErrors),
    Column(name: "fallbacks", field: \.fallbacks),
    Column(name: "latency", field: \.latency),
    Column(name: "rate_limit_hits", field: \.rateLimitHits),
    Column(name: "waited", field: \.waited),
    Column(name: "webhooks_received", field: \.webhooksReceived),
    Column(name: "webhooks_rejected", field: \.webhooksRejected),
    Column(name: "webhooks_forged", field: \.webhooksForged),
    Column(name: "webhooks_processed", field: \.webhooksProcessed),
    Column(name: "webhooks_failed", field: \.webhooksFailed),
    Column(name: "webhooks_dead", field: \.webhooksDead),
    Column(name: "webhooks_recovered", field: \.webhooksRecovered),
    Column(name: "webhooks_duplicate", field: \.webhooksDuplicate),
  ]

  /// Reads `columns` from `row`, beginning at `first`.
  init(row: SQLRow, from first: Int) throws {
    for (offset, column) in Self.columns.enumerated() {
      self[keyPath: column.field] = try row.int(first + offset)
    }
  }

  var values: [SQLValue] { Self.columns.map { .integer(self[keyPath: $0.field]) } }
}
