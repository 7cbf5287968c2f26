/// Where the records of one model come from: written in Swift, or declared under `syncs:` of a
/// definition.
///
/// A source is asked page by page and keeps nothing itself. Everything else (schedule, retries,
/// checkpoints, deletions, the change feed) is the engine's. It must be safe to use from any task.
///
///     struct CalendarSync: SyncSource {
///       let integration: IntegrationName = "google"
///       let model = "meetings"
///       func page(_ request: SyncPageRequest, _ context: SyncContext) async throws -> SyncPage { … }
///     }
public protocol SyncSource: Sendable {
  var integration: IntegrationName { get }
  /// What the records are called, unique in a deployment: 1 to 40 of `a-z`, `0-9`, `_`, `-`.
  var model: String { get }
  var schedule: SyncSchedule { get }
  /// Whether `page` can answer what changed since a checkpoint; full runs only where it cannot.
  var isIncremental: Bool { get }
  /// The share of the records (0 to 1) that a full run may delete without being told to.
  var deletionGuard: Double { get }
  /// Whether a full run reads the list a second time before it deletes what it did not see: for lists
  /// that may move while they are read without `page` noticing, so that records are skipped. Where
  /// the source notices, it throws `SyncInterruption.shifted` instead.
  var confirmsDeletions: Bool { get }

  /// Fetches one page.
  ///
  /// It may be asked for the same page again. What it throws ends the run or has it tried again
  /// later, never deletes anything.
  /// - Throws: `SyncInterruption`, or an error of a call; `CancellationError`.
  func page(_ request: SyncPageRequest, _ context: SyncContext) async throws -> SyncPage
}

extension SyncSource {
  public var schedule: SyncSchedule { .standard }
  public var isIncremental: Bool { true }
  public var deletionGuard: Double { 0.5 }
  public var confirmsDeletions: Bool { false }
}

/// Which page is wanted.
public struct SyncPageRequest: Sendable, Hashable {
  public var kind: SyncRunKind
  /// `nextCursor` of the page before; `nil` for the first one.
  public var cursor: String?
  /// Where the last run that succeeded left off; `nil` in a full run.
  public var checkpoint: String?
  /// When the run began, taken before anything was fetched: what a later run has to ask from.
  public var startedAt: Timestamp

  public init(
    kind: SyncRunKind, cursor: String? = nil, checkpoint: String? = nil, startedAt: Timestamp
  ) {
    self.kind = kind
    self.cursor = cursor
    self.checkpoint = checkpoint
    self.startedAt = startedAt
  }
}

/// What a page holds.
public struct SyncPage: Sendable {
  /// In the provider's order; the last one of an id counts.
  public var changes: [SyncChange]
  /// How to get the next page; `nil` on the last one.
  public var nextCursor: String?
  /// Where the next incremental run starts; the last page that has one decides.
  public var checkpoint: String?
  /// What was left out, counted by reason, for people.
  public var warnings: [String: Int]

  public init(
    _ changes: [SyncChange] = [], nextCursor: String? = nil, checkpoint: String? = nil,
    warnings: [String: Int] = [:]
  ) {
    self.changes = changes
    self.nextCursor = nextCursor
    self.checkpoint = checkpoint
    self.warnings = warnings
  }
}

public enum SyncChange: Sendable, Hashable {
  /// It is there, new or changed or as before.
  case upsert(SyncRecord)
  case delete(SyncDeletion)
}

/// One record as it is stored.
public struct SyncRecord: Sendable, Hashable {
  public var id: String
  public var data: JSONValue
  /// When the provider says it was last changed.
  public var updatedAt: Timestamp?

  public init(id: String, data: JSONValue, updatedAt: Timestamp? = nil) {
    self.id = id
    self.data = data
    self.updatedAt = updatedAt
  }
}

public struct SyncDeletion: Sendable, Hashable {
  public var id: String
  /// When it happened, as far as the provider says.
  public var deletedAt: Timestamp?

  public init(id: String, deletedAt: Timestamp? = nil) {
    self.id = id
    self.deletedAt = deletedAt
  }
}

/// What a source throws to steer its run.
public enum SyncInterruption: Error, Sendable, Hashable {
  /// The checkpoint, or the cursor, is too old: a full run takes its place.
  case expired
  /// The list moved while it was read, so that something may have been skipped: read it again.
  case shifted
  /// It cannot go on, and trying again is useless. The reason is for people: no secrets.
  case failed(String)
}

/// What a source works with.
public struct SyncContext: Sendable {
  public let connection: Connection
  public let integration: Integration
  /// Values for the source from the deployment's settings.
  public let params: [String: String]
  let send: @Sendable (CallRequest, String?) async throws -> CallReply

  /// Calls the provider as the connection, after interactive calls have had their turn.
  /// - Parameter host: a name from the definition's `hosts`; the base URL when `nil`.
  /// - Throws: `SyncInterruption.expired` where the provider says so; `FairleadError` for every other
  ///   failure; `CancellationError`.
  public func call(_ request: CallRequest, host: String? = nil) async throws -> CallReply {
    try await send(request, host)
  }
}
