import Crypto

/// What is to become of one record.
struct RecordChange: Sendable, Hashable {
  enum Content: Sendable, Hashable {
    /// Canonical JSON.
    case data(String)
    case deleted
    /// It is there, but what it holds cannot be taken: what is stored of it stays.
    case seen
  }

  var id: String
  var content: Content
  /// When this state came about at the provider, as far as it says.
  var sourceAt: Timestamp?

  /// The longest id, in bytes.
  static let maximumIDLength = 512
  /// The largest record, in bytes of JSON.
  static let maximumSize = 512 * 1_024

  static func hash(of text: String) -> String { Array(SHA256.hash(data: Array(text.utf8))).hex }

  /// One change for each id, the last that came.
  static func deduplicated(_ changes: [RecordChange]) -> [RecordChange] {
    var index: [String: Int] = [:]
    var result: [RecordChange] = []
    for change in changes {
      if let place = index[change.id] {
        result[place] = change
      } else {
        index[change.id] = result.count
        result.append(change)
      }
    }
    return result
  }
}

/// Where changes come from, which decides what may overwrite what.
enum RecordOrigin: Sendable, Hashable {
  /// A page that was asked for at `fetchedAt`.
  case page(fetchedAt: Timestamp)
  /// An event, true at `sourceAt` of each change.
  case event
}

/// How many records changed in which way.
struct RecordTally: Sendable, Hashable {
  var added = 0
  var updated = 0
  var deleted = 0

  var total: Int { added + updated + deleted }
  /// By how much the number of records grew.
  var growth: Int { added - deleted }

  static func += (left: inout Self, right: Self) {
    left.added += right.added
    left.updated += right.updated
    left.deleted += right.deleted
  }
}

/// A record as it is stored, as far as a change depends on it.
struct StoredRecord: Sendable, Hashable {
  var hash: String
  var isDeleted: Bool
  var firstVersion: Int64
  var addedVersion: Int64
  var generation: Int64
  var sourceAt: Timestamp
  var byEvent: Bool
  var writtenAt: Timestamp
}

/// Decides what a change does. Pure.
enum RecordDecision: Equatable {
  /// Nothing to write.
  case nothing
  /// Only that it was seen.
  case touch
  case add
  case update
  case delete

  static func decide(
    _ change: RecordChange, hash: String?, over stored: StoredRecord?, from origin: RecordOrigin
  ) -> RecordDecision {
    guard let stored else {
      switch change.content {
      case .data: return .add
      case .deleted:
        // An event may tell of a deletion before the addition that it follows.
        return origin == .event ? .delete : .nothing
      case .seen: return .nothing
      }
    }
    guard isNews(change, over: stored, from: origin) else {
      return stored.isDeleted ? .nothing : .touch
    }
    switch change.content {
    case .seen: return stored.isDeleted ? .nothing : .touch
    case .deleted:
      // A later deletion moves a tombstone's time on, or an update in between would resurrect it.
      return stored.isDeleted ? .touch : .delete
    case .data:
      if stored.isDeleted { return .add }
      return stored.hash == hash ? .touch : .update
    }
  }

  /// How long a provider's lists may lag behind its events. After that the list is right, whatever
  /// time an event gave itself.
  private static let listLag = Duration.seconds(300)

  /// An event never overwrites what is newer. A page is the provider's word, unless an event told
  /// of something newer than it just before.
  private static func isNews(
    _ change: RecordChange, over stored: StoredRecord, from origin: RecordOrigin
  ) -> Bool {
    switch origin {
    case .event:
      guard let sourceAt = change.sourceAt else { return true }
      // A deletion stands against everything of its own time.
      return stored.isDeleted ? sourceAt > stored.sourceAt : sourceAt >= stored.sourceAt
    case .page(let fetchedAt):
      guard stored.byEvent, fetchedAt - stored.writtenAt <= listLag else { return true }
      if fetchedAt <= stored.writtenAt {
        // The page may have been made before the event came.
        guard !stored.isDeleted, let sourceAt = change.sourceAt else { return false }
        return sourceAt >= stored.sourceAt
      }
      if case .data = change.content, !stored.isDeleted, let sourceAt = change.sourceAt {
        return sourceAt >= stored.sourceAt
      }
      return true
    }
  }
}
