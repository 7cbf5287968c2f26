/// One model of one connection, kept up to date.
public struct Sync: Sendable, Hashable {
  public enum State: String, Sendable, Hashable, Codable, CaseIterable {
    case active
    /// By hand; nothing runs, and events change nothing.
    case paused
    /// The connection needs its owner; goes on by itself once it is connected again.
    case blocked
  }

  public var id: SyncID
  public var integration: IntegrationName
  public var model: String
  public var connection: ConnectionID
  /// `nil` for a deployment-wide connection.
  public var owner: Owner?
  public var state: State
  /// The run under way, one that waits for its next attempt included.
  public var run: SyncProgress?
  public var lastRun: SyncReport?
  /// How many records there are now.
  public var records: Int
  /// When the last run that succeeded ended.
  public var lastSyncedAt: Timestamp?
  public var nextRunAt: Timestamp?
  public var nextFullAt: Timestamp?
  /// Changes are announced by the provider as they happen.
  public var isRealTime: Bool
  /// What keeps it from running, or what went wrong last; for people.
  public var error: String?
}

/// What a run fetches.
public enum SyncRunKind: String, Sendable, Hashable, Codable, CaseIterable {
  /// Everything; what is not there any more is deleted.
  case full
  /// What changed since the checkpoint.
  case incremental
}

/// Why there is a run.
public enum SyncTrigger: String, Sendable, Hashable, Codable, CaseIterable {
  case schedule, manual
  /// The provider said that something changed.
  case push
  /// There was none before, or it was reset.
  case first
  /// The checkpoint had expired.
  case fallback
}

/// What a run did to the records.
public struct SyncCounts: Sendable, Hashable, Codable {
  public var pages = 0
  /// Records that were read.
  public var records = 0
  public var added = 0
  public var updated = 0
  public var deleted = 0

  public init() {}
}

/// A run under way.
public struct SyncProgress: Sendable, Hashable {
  public var kind: SyncRunKind
  public var trigger: SyncTrigger
  public var startedAt: Timestamp
  public var counts: SyncCounts
}

/// A run that has ended.
public struct SyncReport: Sendable, Hashable, Codable {
  public enum Status: String, Sendable, Hashable, Codable { case succeeded, failed }

  public var kind: SyncRunKind
  public var trigger: SyncTrigger
  public var status: Status
  public var startedAt: Timestamp
  public var finishedAt: Timestamp
  public var counts: SyncCounts
  /// Why it failed, for people.
  public var error: String?
  /// What was left out, for people: records without an id, values that do not fit.
  public var warnings: [String]
}

/// Which syncs are wanted; what is `nil` does not narrow.
public struct SyncFilter: Sendable, Hashable {
  public var integration: IntegrationName?
  public var connection: ConnectionID?
  public var owner: Owner?
  public var model: String?
  public var state: Sync.State?

  public init(
    integration: IntegrationName? = nil, connection: ConnectionID? = nil, owner: Owner? = nil,
    model: String? = nil, state: Sync.State? = nil
  ) {
    self.integration = integration
    self.connection = connection
    self.owner = owner
    self.model = model
    self.state = state
  }
}
