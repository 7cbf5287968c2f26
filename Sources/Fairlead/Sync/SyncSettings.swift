/// What a deployment decides about syncs, beside their definitions.
public struct SyncSettings: Sendable, Hashable {
  /// Of one model.
  public struct Model: Sendable, Hashable {
    public var isEnabled = true
    /// `nil`: as declared; `.some(nil)`: never by itself.
    public var full: Cron??
    public var incremental: Cron??
    /// Values for the source, such as the calendar of a calendar's events.
    public var params: [String: String] = [:]
    public var deletionGuard: Double?

    public init() {}

    func schedule(over declared: SyncSchedule) -> SyncSchedule {
      SyncSchedule(
        full: full ?? declared.full, incremental: incremental ?? declared.incremental)
    }
  }

  public var models: [IntegrationName: [String: Model]]
  /// How long consumers of a change feed may lag behind: deletions are kept for this time.
  public var deletionRetention: Duration

  public init(
    models: [IntegrationName: [String: Model]] = [:],
    deletionRetention: Duration = .seconds(90 * 86_400)
  ) {
    self.models = models
    self.deletionRetention = deletionRetention
  }

  subscript(integration: IntegrationName, model: String) -> Model {
    models[integration]?[model] ?? Model()
  }
}
