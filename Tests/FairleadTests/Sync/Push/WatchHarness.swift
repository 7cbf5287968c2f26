import FairleadTesting
import HTTPTypes
import Logging
import NIOCore
import Synchronization

@testable import Fairlead

/// Watches with an inbox behind them and a provider that answers as it is told.
final class WatchHarness: Sendable {
  static let model = WatchedModel(
    integration: "google", connection: ConnectionID(rawValue: "conn_1"), owner: "user_1",
    model: "events")

  typealias Answer = @Sendable (CallRequest, JSONValue) async throws -> JSONValue

  struct Sent: Sendable {
    var path: String
    var body: JSONValue
  }

  struct State: Sendable {
    var wanted = [WatchHarness.model]
    var sent: [Sent] = []
    var triggered: [String] = []
    var announced: [Bool] = []
    var answer: Answer
  }

  let database: any Database
  let clock: ManualClock
  let queue: JobQueue
  let channels: WatchChannels
  let inbox: Inbox
  let deliveries: Deliveries
  let observer = RecordingObserver()
  private let state: Mutex<State>

  var sent: [Sent] { state.withLock { $0.sent } }
  var announced: [Bool] { state.withLock { $0.announced } }
  var triggered: [String] { state.withLock { $0.triggered } }
  func want(_ models: [WatchedModel]) { state.withLock { $0.wanted = models } }
  func answer(_ answer: @escaping Answer) { state.withLock { $0.answer = answer } }

  static let push: ProviderDefinition.Push = {
    var push = ProviderDefinition.Push(
      watch: .init(
        path: "/calendars/{calendar}/watch",
        body: ["id": "{channel_id}", "address": "{address}", "token": "{token}"]))
    push.stop = .init(path: "/stop", body: ["id": "{channel_id}", "resourceId": "{resource}"])
    push.resource = "resourceId"
    var expires = ProviderDefinition.Expiry()
    expires.path = "expiration"
    expires.unit = .milliseconds
    push.expires = expires
    return push
  }()

  static var integration: Integration {
    var settings = ProviderDefinition.WebhookSettings(scheme: .channel, header: "X-Channel-Token")
    settings.channel = .init(id: "X-Channel-ID", resource: "X-Resource-ID", number: "X-Number")
    settings.eventType = .header("x-state")
    settings.connection = .header("x-channel-id")
    settings.connectionMatches = ChannelVerifier.connectionField
    return .webhook("google", settings, secrets: [])
  }

  private init(_ database: any Database, clock: ManualClock, publicURL: String) throws {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let random = RandomSource(seed: 7)
    let registry = IntegrationRegistry([Self.integration])
    let state = Mutex(State(answer: Self.opens(clock)))
    let key = (0..<32).map { UInt8($0) }.base64
    self.database = database
    self.clock = clock
    queue = JobQueue(database: database, clock: clock, random: random)
    // The harness is reached through a box: closures are made before it is.
    let box = Box()
    let channels = WatchChannels(
      database: database, vault: Vault(keyRing: try KeyRing(parsing: Secret("k1:\(key)"))),
      queue: queue, integrations: registry, publicURL: publicURL,
      wanted: { connection, model in
        (box.harness?.state.withLock { $0.wanted } ?? []).filter {
          (connection == nil || $0.connection == connection) && (model == nil || $0.model == model)
        }
      },
      definition: { _, _ in (Self.push, ["calendar": "primary"]) },
      call: { _, _, request in
        guard let harness = box.harness else { throw FairleadError(.notFound, "No.") }
        return try await harness.reply(to: request)
      },
      announced: { _, _, isAnnounced in
        box.harness?.state.withLock { $0.announced.append(isAnnounced) }
      },
      trigger: { connection, model in
        box.harness?.state.withLock { $0.triggered.append("\(connection)/\(model)") }
      },
      clock: clock, random: random, logger: logger)
    self.channels = channels
    let verifier = ChannelVerifier(database: database, vault: channels.vault)
    inbox = Inbox(
      database: database, integrations: registry, queue: queue, clock: clock, random: random,
      observer: observer, channelCheck: { try await verifier.accepts($0, of: $1) },
      logger: logger)
    deliveries = Deliveries(
      inbox: inbox,
      destinations: Destinations(
        database: database, vault: channels.vault, clock: clock, random: random, logger: logger),
      transport: RecordingTransport(),
      connectionLookup: { integration, _, value in
        try await verifier.matches(integration, channel: value)
      })
    inbox.on("*", from: "google") { event, _ in try await channels.handle(event) }
    self.state = state
    box.set(self)
  }

  private final class Box: Sendable {
    private let held = Mutex<WatchHarness?>(nil)
    var harness: WatchHarness? { held.withLock { $0 } }
    func set(_ harness: WatchHarness) { held.withLock { $0 = harness } }
    func clear() { held.withLock { $0 = nil } }
  }

  /// Opens what it is asked for, for a week.
  static func opens(_ clock: ManualClock) -> Answer {
    { _, _ in
      let end = clock.now + .seconds(604_800)
      return ["resourceId": "res-1", "expiration": .string(String(end.microseconds / 1_000))]
    }
  }

  private func reply(to request: CallRequest) async throws -> CallReply {
    var body = JSONValue.null
    if case .bytes(let buffer) = request.body {
      body = try JSONValue(parsing: Array(buffer.readableBytesView))
    }
    let sent = Sent(path: request.path, body: body)
    let answer = state.withLock { state in
      state.sent.append(sent)
      return state.answer
    }
    let json = try await answer(request, body)
    return CallReply(
      status: 200, headers: [:], body: json.bytes,
      report: CallReport(requestID: RequestID(at: clock.now, random: .system)))
  }

  static func with(
    _ engine: TestEngine, publicURL: String = "https://app.example",
    _ body: @escaping @Sendable (WatchHarness) async throws -> Void
  ) async throws {
    let clock = ManualClock()
    try await engine.withDatabase(
      migrations: Migration.jobs + Migration.webhooks + Migration.channels, clock: clock
    ) { database in
      let harness = try WatchHarness(database, clock: clock, publicURL: publicURL)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await harness.inbox.run() }
        try await body(harness)
        group.cancelAll()
      }
    }
  }

  // MARK: - Jobs

  /// Runs what is due until nothing is.
  func drain() async throws {
    let handlers = channels.jobHandlers.merging(deliveries.jobHandlers) { first, _ in first }
    while true {
      let jobs = try await queue.claim(
        JobQueue.ClaimOrder(
          kinds: Array(handlers.keys), handled: Set(handlers.keys), slots: 100,
          lease: .seconds(30), maximumCrashes: 20, onDeath: deliveries.jobDeath))
      guard !jobs.isEmpty else { return }
      for job in jobs {
        guard let outcome = try await handlers[job.kind]?(job) else { continue }
        if case .settled = outcome { continue }
        let queue = queue
        _ = try await database.write { try queue.settle(job, outcome, in: $0) }
      }
    }
  }

  /// Looks what is due and does it.
  func look() async throws {
    try await channels.reconcile()
    try await drain()
  }

  func all() async throws -> [PushChannel] {
    try await database.read { try PushChannelStore.all(of: Self.model.place, in: $0) }
  }

  // MARK: - Messages

  /// A message by the watch that was opened as number `watch`, counted from 0.
  func receive(
    watch: Int = 0, number: Int = 2, state: String = "exists", resource: String = "res-1",
    token: String? = nil, without missing: String? = nil
  ) async throws -> Receipt {
    let asked = sent.filter { $0.path.hasSuffix("/watch") }[watch].body
    var headers = [
      ("x-channel-id", asked["id"]?.string ?? ""),
      ("x-channel-token", token ?? asked["token"]?.string ?? ""), ("x-resource-id", resource),
      ("x-number", String(number)), ("x-state", state),
    ]
    headers.removeAll { $0.0 == missing }
    return try await inbox.receive(
      InboundWebhook(integration: "google", headers: HTTPFields(headers), body: []))
  }
}
