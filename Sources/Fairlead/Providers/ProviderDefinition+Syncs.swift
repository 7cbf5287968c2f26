extension ProviderDefinition {
  /// How the records of one model are read.
  public struct ModelSync: Sendable, Hashable {
    public enum Cast: String, Sendable, Hashable, CaseIterable {
      case int, float, string, bool, time
    }

    /// Where a field of a record stands in the provider's object.
    public struct Field: Sendable, Hashable {
      /// Dotted; `.` is the whole object.
      public var path: String
      public var cast: Cast?

      public init(path: String, cast: Cast? = nil) {
        self.path = path
        self.cast = cast
      }
    }

    /// How changes since the last run are asked for.
    public enum Incremental: Sendable, Hashable {
      /// A token from the last page of the run before, sent back as it is.
      /// `drop`: parameters that do not go together with it.
      case token(param: String, next: String, drop: [String])
      /// The time at which the run before began, and a little more.
      case since(param: String, format: TimeFormat, overlap: Duration)
    }

    public enum TimeFormat: String, Sendable, Hashable, CaseIterable {
      case rfc3339
      case epochSeconds = "epoch_s"
      case epochMilliseconds = "epoch_ms"
    }

    /// Which objects of a list are deletions.
    public struct Deletion: Sendable, Hashable {
      /// All of these match; any of the listed values will do.
      public var when: [String: [JSONValue]]
      /// Unless one of these dotted paths leads to something.
      public var unless: [String]

      public init(when: [String: [JSONValue]], unless: [String] = []) {
        self.when = when
        self.unless = unless
      }
    }

    /// Webhook events that carry records.
    public struct Events: Sendable, Hashable {
      public var upsert: [String]
      public var delete: [String]
      /// Where the object stands in the event; dotted.
      public var data: String
      /// The record's id in the object, where an event has it elsewhere than a list.
      public var id: String?
      /// When the event happened, in the event; where the object does not say when it changed.
      public var time: String?

      public init(upsert: [String] = [], delete: [String] = [], data: String = ".") {
        self.upsert = upsert
        self.delete = delete
        self.data = data
      }
    }

    /// From the root; `{name}` stands for a value of `params`.
    public var path: String
    /// A name from `hosts`; the base URL when `nil`.
    public var host: String?
    /// Values for the path, unless the deployment has others.
    public var params: [String: String] = [:]
    /// Sent with every page.
    public var query: [String: String] = [:]
    /// `nil`: one page is all.
    public var pagination: Pagination?
    /// Where the list is; dotted, `.` for an answer that is the list.
    public var items: String
    public var id: String
    public var updated: String?
    public var incremental: Incremental?
    public var deleted: Deletion?
    /// Empty: the object as it is.
    public var map: [String: Field] = [:]
    public var events: Events?
    /// How the provider is asked to announce changes.
    public var push: Push?
    public var schedule: SyncSchedule = .standard
    public var deletionGuard = 0.5

    public init(path: String, items: String, id: String) {
      self.path = path
      self.items = items
      self.id = id
    }
  }
}
