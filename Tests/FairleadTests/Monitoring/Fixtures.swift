import Fairlead
import FairleadTesting
import Logging
import Synchronization

let silentLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A call log on `database`, with health over the integrations `slack` and `stripe`.
struct Monitored {
  let clock: ManualClock
  let log: CallLog
  let live = LiveUpdates()
  let health: Health

  init(
    _ database: any Database, clock: ManualClock = ManualClock(), capacity: Int = 10_000,
    retention: Duration = .seconds(14 * 86_400), logger: Logger = silentLogger,
    breaker: IntegrationHealth.Breaker = .closed
  ) {
    self.clock = clock
    log = CallLog(
      database: database, clock: clock, live: live, capacity: capacity, retention: retention,
      logger: logger)
    let integrations = ["slack": "Slack", "stripe": "Stripe"].map { name, displayName in
      Integration(
        name: IntegrationName(name),
        definition: ProviderDefinition(
          name: name, displayName: displayName, purpose: "Tests",
          baseURL: "https://\(name).example", auth: .apiKey))
    }
    health = Health(
      callLog: log, integrations: IntegrationRegistry(integrations), breaker: { _ in breaker })
  }

  /// Records `count` calls that end now.
  func record(
    _ count: Int, _ outcome: HealthOutcome = .success, of integration: IntegrationName = "stripe",
    latency: Duration = .milliseconds(100)
  ) {
    for _ in 0..<count {
      log.record(.fixture(integration, outcome, endingAt: clock.now, duration: latency))
    }
  }

  func stripe() async throws -> IntegrationHealth { try await health.health(of: "stripe") }
}

private let random = RandomSource(seed: 4)

extension CallLogEntry {
  static func fixture(
    _ integration: IntegrationName = "stripe", _ outcome: HealthOutcome = .success,
    endingAt end: Timestamp, duration: Duration = .milliseconds(100)
  ) -> CallLogEntry {
    let start = end - duration
    return CallLogEntry(
      requestID: RequestID(at: start, random: random), integration: integration,
      connection: Connection.defaultID(for: integration), source: "proxy", method: "GET",
      path: "/v1/things/{id}", status: outcome == .failure ? 503 : 200,
      errorCode: outcome == .failure ? .serviceUnavailable : nil,
      errorClass: outcome == .failure ? .transient : nil, startedAt: start, duration: duration,
      outcome: outcome)
  }
}

/// Commits, then says that it could not, as long as `isForgetful`.
final class ForgetfulDatabase: Database {
  private let base: any Database
  private let forgetful = Mutex(true)

  init(_ base: any Database) { self.base = base }

  var dialect: Dialect { base.dialect }
  func remember() { forgetful.withLock { $0 = false } }

  func read<Result: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result { try await base.read(body) }

  func write<Result: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result {
    let result = try await base.write(body)
    if forgetful.withLock({ $0 }) { throw StorageError.unavailable("the answer was lost") }
    return result
  }

  func notifications(on channel: Channel) -> AsyncStream<DatabaseNotification> {
    base.notifications(on: channel)
  }

  func close() async throws { try await base.close() }
}
