import FairleadTesting
import HTTPTypes
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

@testable import Fairlead

/// An inbox with everything behind it, on a clock that stands still; jobs run when a test says so.
final class InboxHarness: Sendable {
  static let now = Timestamp(seconds: 1_800_000_000)

  let database: any Database
  let clock: ManualClock
  let queue: JobQueue
  let inbox: Inbox
  let destinations: Destinations
  let deliveries: Deliveries
  let transport: RecordingTransport
  let observer: RecordingObserver

  static let integrations: [Integration] = [
    .webhook("stripe", .stripe, secrets: [WebhookSecrets.stripe]),
    .webhook("slack", .slack, secrets: [WebhookSecrets.slack]),
    .webhook("github", .github, secrets: [WebhookSecrets.github]),
    .webhook("clerk", .clerk, secrets: [WebhookSecrets.clerk]),
    .webhook("keyless", .stripe, secrets: []),
    .webhook("silent", nil, secrets: []),
  ]

  private init(
    _ database: any Database, clock: ManualClock, lookup: ConnectionLookup?, perDestination: Int,
    waitingBytes: Int
  ) throws {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let random = RandomSource(seed: 42)
    self.database = database
    self.clock = clock
    transport = RecordingTransport()
    observer = RecordingObserver()
    queue = JobQueue(database: database, clock: clock, random: random)
    inbox = Inbox(
      database: database, integrations: IntegrationRegistry(Self.integrations), queue: queue,
      clock: clock, random: random, observer: observer, logger: logger, waitingBytes: waitingBytes)
    let key = (0..<32).map { UInt8($0) }.base64
    destinations = Destinations(
      database: database, vault: Vault(keyRing: try KeyRing(parsing: Secret("k1:\(key)"))),
      clock: clock, random: random, logger: logger)
    deliveries = Deliveries(
      inbox: inbox, destinations: destinations, transport: transport, connectionLookup: lookup,
      perDestination: perDestination)
  }

  /// Runs `body` with a harness whose inbox runs.
  static func with<Output: Sendable>(
    _ engine: TestEngine, lookup: ConnectionLookup? = nil, perDestination: Int = 8,
    waitingBytes: Int = 1 << 28,
    wrap: (any Database) -> any Database = { $0 },
    _ body: @escaping @Sendable (InboxHarness) async throws -> Output
  ) async throws {
    let clock = ManualClock(start: now)
    try await engine.withDatabase(
      migrations: Migration.webhooks + Migration.jobs, clock: clock
    ) { database in
      let harness = try InboxHarness(
        wrap(database), clock: clock, lookup: lookup, perDestination: perDestination,
        waitingBytes: waitingBytes)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await harness.inbox.run() }
        _ = try await body(harness)
        group.cancelAll()
      }
    }
  }

  // MARK: - Receiving

  func receiveStripe(_ body: String, secret: String = WebhookSecrets.stripe) async throws -> Receipt
  {
    let bytes = Array(body.utf8)
    var headers = WebhookSigner.stripe(body: bytes, secret: secret, at: clock.now)
    headers[.contentType] = "application/json; charset=utf-8"
    return try await inbox.receive(
      InboundWebhook(integration: "stripe", headers: headers, body: bytes))
  }

  func receiveGitHub(
    _ body: String, event: String = "push", delivery: String
  ) async throws -> Receipt {
    let bytes = Array(body.utf8)
    return try await inbox.receive(
      InboundWebhook(
        integration: "github",
        headers: WebhookSigner.github(
          body: bytes, secret: WebhookSecrets.github, event: event, delivery: delivery),
        body: bytes))
  }

  /// Receives an event of `type` and returns its id.
  func event(_ type: String, id: String = "evt_1") async throws -> EventID {
    try await receiveStripe(#"{"id":"\#(id)","type":"\#(type)"}"#).acceptedID
  }

  // MARK: - Jobs

  func claim(_ count: Int = 100) async throws -> [ClaimedJob] {
    try await queue.claim(
      JobQueue.ClaimOrder(
        kinds: [FanOut.kind, DeliveryJob.kind], handled: [FanOut.kind, DeliveryJob.kind],
        slots: count, lease: .seconds(30), maximumCrashes: 20, onDeath: deliveries.jobDeath))
  }

  /// Runs one job as a worker does.
  func run(_ job: ClaimedJob) async throws {
    guard let handler = deliveries.jobHandlers[job.kind] else { return }
    let outcome = try await handler(job)
    if case .settled = outcome { return }
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

  func openJobs() async throws -> Int {
    let counts = try await queue.counts()
    return counts.pending + counts.running
  }
}

extension Receipt {
  var acceptedID: EventID {
    get throws {
      guard case .accepted(let id, _) = self else { throw NotAccepted(receipt: self) }
      return id
    }
  }

  struct NotAccepted: Error { let receipt: Receipt }
}

/// Remembers what was observed, in order.
final class RecordingObserver: WebhookObserver {
  private let seen = Mutex<[WebhookOccurrence]>([])
  var occurrences: [WebhookOccurrence] { seen.withLock { $0 } }

  func observe(_ occurrence: WebhookOccurrence, integration: IntegrationName) {
    seen.withLock { $0.append(occurrence) }
  }
}

/// A transport that remembers what it was given and answers as it is told.
final class RecordingTransport: Transport {
  struct Sent: Sendable {
    var url: String
    var headers: HTTPFields
    var body: [UInt8]

    subscript(name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
  }

  typealias Answer = @Sendable (Sent, Int) async throws -> TransportResponse

  private let state = Mutex((sent: [Sent](), answer: RecordingTransport.status(200)))

  var sent: [Sent] { state.withLock { $0.sent } }

  /// - Parameter answer: given the request and its number from 1.
  func answer(_ answer: @escaping Answer) { state.withLock { $0.answer = answer } }

  static func status(
    _ status: Int, headers: HTTPFields = [:], body: String = ""
  ) -> Answer {
    { _, _ in
      TransportResponse(
        status: status, headers: headers,
        body: BodyStream {
          var rest: ByteBuffer? = ByteBuffer(string: body)
          return {
            defer { rest = nil }
            return rest
          }
        })
    }
  }

  func send(_ request: TransportRequest, timeout: Duration) async throws -> TransportResponse {
    var body: [UInt8] = []
    if case .bytes(let buffer) = request.body { body = Array(buffer.readableBytesView) }
    let sent = Sent(url: request.url, headers: request.headers, body: body)
    let (answer, number) = state.withLock { state in
      state.sent.append(sent)
      return (state.answer, state.sent.count)
    }
    return try await answer(sent, number)
  }
}
