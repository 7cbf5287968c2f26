extension Sync: Encodable {
  private enum CodingKeys: String, CodingKey {
    case id, integration, model, connection, owner, state, running, run, records, error
    case lastRun = "last_run"
    case lastSyncedAt = "last_synced_at"
    case nextRunAt = "next_run_at"
    case nextFullAt = "next_full_at"
    case realTime = "real_time"
  }

  /// The shape of one item of `GET /v1/syncs`; what is unknown is `null`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode(integration, forKey: .integration)
    try container.encode(model, forKey: .model)
    try container.encode(connection, forKey: .connection)
    try container.encode(owner, forKey: .owner)
    try container.encode(state, forKey: .state)
    try container.encode(run != nil, forKey: .running)
    try container.encode(run, forKey: .run)
    try container.encode(lastRun.map(Shape.init), forKey: .lastRun)
    try container.encode(records, forKey: .records)
    try container.encode(lastSyncedAt, forKey: .lastSyncedAt)
    try container.encode(nextRunAt, forKey: .nextRunAt)
    try container.encode(nextFullAt, forKey: .nextFullAt)
    try container.encode(isRealTime, forKey: .realTime)
    try container.encodeIfPresent(error, forKey: .error)
  }

  /// A report as callers see it; storage keeps `SyncReport` itself.
  private struct Shape: Encodable {
    let report: SyncReport

    enum CodingKeys: String, CodingKey {
      case kind, trigger, status, pages, records, added, updated, deleted, error, warnings
      case startedAt = "started_at"
      case finishedAt = "finished_at"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(report.kind, forKey: .kind)
      try container.encode(report.trigger, forKey: .trigger)
      try container.encode(report.status, forKey: .status)
      try container.encode(report.startedAt, forKey: .startedAt)
      try container.encode(report.finishedAt, forKey: .finishedAt)
      try container.encode(report.counts.pages, forKey: .pages)
      try container.encode(report.counts.records, forKey: .records)
      try container.encode(report.counts.added, forKey: .added)
      try container.encode(report.counts.updated, forKey: .updated)
      try container.encode(report.counts.deleted, forKey: .deleted)
      try container.encodeIfPresent(report.error, forKey: .error)
      if !report.warnings.isEmpty { try container.encode(report.warnings, forKey: .warnings) }
    }
  }
}

extension SyncProgress: Encodable {
  private enum CodingKeys: String, CodingKey {
    case kind, trigger, pages, records, added, updated, deleted
    case startedAt = "started_at"
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind, forKey: .kind)
    try container.encode(trigger, forKey: .trigger)
    try container.encode(startedAt, forKey: .startedAt)
    try container.encode(counts.pages, forKey: .pages)
    try container.encode(counts.records, forKey: .records)
    try container.encode(counts.added, forKey: .added)
    try container.encode(counts.updated, forKey: .updated)
    try container.encode(counts.deleted, forKey: .deleted)
  }
}
