import FairleadTesting
import Logging
import NIOCore
import Synchronization

@testable import Fairlead

/// Alerts on a clock that stands still; evaluations and jobs run when a test says so.
struct AlertsHarness: Sendable {
  static let key = (0..<32).map { UInt8($0) }
  static let secret = Secret("whsec_\(key.base64)")
  static let migrations = Migration.monitoring + Migration.jobs + Migration.alerts

  let database: any Database
  let clock: ManualClock
  let monitored: Monitored
  let queue: JobQueue
  let transport: StubTransport
  let alerts: Alerts

  /// - Parameter shared: another node's harness on the same storage, whose clock and receiver this
  ///   one shares.
  init(
    _ database: any Database, sharing shared: AlertsHarness? = nil, seed: UInt64 = 7,
    _ change: (inout AlertSettings) -> Void = { _ in }
  ) {
    self.database = database
    clock = shared?.clock ?? ManualClock()
    transport = shared?.transport ?? StubTransport(clock: clock)
    monitored = Monitored(database, clock: clock)
    let random = RandomSource(seed: seed)
    queue = JobQueue(database: database, clock: clock, random: random)
    var settings = AlertSettings()
    settings.webhook = AlertWebhook(url: "https://hooks.example/alerts", secret: Self.secret)
    change(&settings)
    let integrations = ["slack": "Slack", "stripe": "Stripe"].map { name, displayName in
      Integration(
        name: IntegrationName(name),
        definition: ProviderDefinition(
          name: name, displayName: displayName, purpose: "Tests",
          baseURL: "https://\(name).example", auth: .apiKey))
    }
    alerts = Alerts(
      settings, callLog: monitored.log, integrations: IntegrationRegistry(integrations),
      queue: queue, transport: transport, live: monitored.live, clock: clock, random: random,
      logger: silentLogger)
  }

  /// Enough failed calls to Stripe to break the success rate, and nothing else.
  func breakStripe() { monitored.record(20, .failure) }

  /// Time passes until the window is empty again; then the rule has been fine for long enough.
  func recover() async throws {
    clock.advance(by: .seconds(1_000))
    try await alerts.evaluate()
    clock.advance(by: .seconds(120))
    try await alerts.evaluate()
  }

  func all() async throws -> [Alert] { try await alerts.list().items }

  func claim() async throws -> [ClaimedJob] {
    try await queue.claim(
      JobQueue.ClaimOrder(
        kinds: [AlertAnnouncer.kind], handled: [AlertAnnouncer.kind], slots: 100,
        lease: .seconds(30), maximumCrashes: 20))
  }

  /// Runs one job as a worker does.
  func run(_ job: ClaimedJob) async throws {
    guard let handler = alerts.jobHandlers[job.kind] else { return }
    let outcome = try await handler(job)
    let queue = queue
    _ = try await database.write { try queue.settle(job, outcome, in: $0) }
  }

  /// Runs what is due until nothing is.
  func drain() async throws {
    while true {
      let jobs = try await claim()
      guard !jobs.isEmpty else { return }
      for job in jobs { try await run(job) }
    }
  }

  /// The types of the messages that were sent, in order.
  func told() throws -> [String] {
    try transport.requests.map {
      try JSONValue(parsing: $0.body.readableBytesView)["type"]?.string ?? "?"
    }
  }
}
