/// What waits for the database: a bounded list of entries, and tallies that count every call
/// whether or not its entry found room. A value; `CallLog` guards it with a lock.
///
/// Batches are numbered. One that failed is given out again unchanged under its number, and storage
/// keeps the highest number it holds, so that each is counted once even when a commit's answer was
/// lost, and so that a reader can tell which batches its snapshot has.
struct CallLogBuffer: Sendable {
  struct Batch: Sendable {
    let sequence: Int64
    let rollup: HealthRollup
    let entries: ArraySlice<CallLogEntry>
  }

  static let batchSize = 500
  /// Integrations are configured and few; more names than this are not counted.
  private static let integrationLimit = 1_000

  private let capacity: Int
  private var entries: [CallLogEntry] = []
  /// Entries taken for writing, and how many of them are in batches that were written.
  private var draining: ArraySlice<CallLogEntry> = []
  private var inFlight: Batch?
  private var sequence: Int64 = 0
  private var indexes: [IntegrationName: Int] = [:]
  private(set) var tallies: [IntegrationTally] = []
  /// Entries that found no room since the process started.
  private(set) var dropped: Int64 = 0

  init(capacity: Int) {
    self.capacity = max(1, capacity)
    entries.reserveCapacity(min(self.capacity, Self.batchSize))
  }

  var queued: Int { entries.count + draining.count }

  /// - Returns: whether enough came together for a batch, so that the writer need not wait for its
  ///   tick.
  mutating func add(_ entry: CallLogEntry) -> Bool {
    if let index = index(of: entry.integration) { tallies[index].add(entry) }
    guard queued < capacity else {
      dropped &+= 1
      return false
    }
    entries.append(entry)
    return entries.count % Self.batchSize == 0
  }

  mutating func count(
    _ field: WritableKeyPath<HealthCounters, Int64>, for integration: IntegrationName,
    at now: Timestamp
  ) {
    if let index = index(of: integration) { tallies[index].count(field, at: now) }
  }

  /// The batch to write next: the one that is not settled yet, else what came since.
  mutating func nextBatch() -> (batch: Batch, isNew: Bool)? {
    if let inFlight { return (inFlight, false) }
    if draining.isEmpty {
      draining = entries[...]
      entries = []
    }
    let rollup = pendingRollup()
    for index in tallies.indices { tallies[index].clear() }
    guard !draining.isEmpty || !rollup.isEmpty else { return nil }
    sequence += 1
    let batch = Batch(
      sequence: sequence, rollup: rollup, entries: draining.prefix(Self.batchSize))
    inFlight = batch
    return (batch, true)
  }

  /// The batch numbered `sequence` is durable.
  mutating func settle(_ sequence: Int64) {
    guard let batch = inFlight, batch.sequence == sequence else { return }
    inFlight = nil
    draining = draining.dropFirst(batch.entries.count)
    if draining.isEmpty { draining = [] }
  }

  /// What may not be in storage yet, each part with the number of the batch it is in or will be in.
  var unsettled: [(sequence: Int64, rollup: HealthRollup)] {
    var parts: [(Int64, HealthRollup)] = []
    if let inFlight { parts.append((inFlight.sequence, inFlight.rollup)) }
    parts.append((sequence + 1, pendingRollup()))
    return parts
  }

  private func pendingRollup() -> HealthRollup {
    var rollup = HealthRollup()
    for tally in tallies { tally.collect(into: &rollup) }
    return rollup
  }

  private mutating func index(of integration: IntegrationName) -> Int? {
    if let index = indexes[integration] { return index }
    guard tallies.count < Self.integrationLimit else { return nil }
    tallies.append(IntegrationTally(integration: integration))
    indexes[integration] = tallies.count - 1
    return tallies.count - 1
  }
}
