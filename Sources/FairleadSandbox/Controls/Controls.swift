import Fairlead
import HTTPTypes
import Synchronization

/// The routes under `/_sandbox`.
final class Controls: Sendable {
  private let simulators: [SandboxProvider: any Simulator]
  private let slack: SlackSimulator
  let google: GoogleSimulator
  let github: GitHubSimulator
  private let clerk: ClerkSimulator
  private let faults: FaultBoard
  private let journals: [SandboxProvider: RequestJournal]
  let clock: SandboxClock
  let sender: EventSender
  /// Where each provider's events went last.
  private let destinations = Mutex<[SandboxProvider: String]>([:])

  init(world: SandboxWorld, sender: EventSender) {
    simulators = world.simulators
    slack = world.slack
    google = world.google
    github = world.github
    clerk = world.clerk
    faults = world.faults
    journals = world.journals
    clock = world.clock
    self.sender = sender
  }

  func respond(to request: SimulatedRequest) async -> SimulatedResponse {
    do throws(ControlError) {
      return try await route(request)
    } catch {
      return error.response
    }
  }

  private func route(_ request: SimulatedRequest) async throws(ControlError) -> SimulatedResponse {
    let segments = request.segments.dropFirst()
    let (first, second) = (segments.first ?? "", segments.dropFirst().first)
    if first == "google", let answer = try await googleControl(request) { return answer }
    if first == "clerk",
      let answer = try clerk.control(
        request, path: Array(segments.dropFirst()), now: clock.machineNow)
    {
      return answer
    }
    guard segments.count <= 2 else { throw unknown(request) }
    switch (request.method, first, second) {
    case ("GET", "", nil): return overview()
    case ("GET", "faults", nil): return .json(["data": .array(faults.all.map(\.json))])
    case ("POST", "faults", nil): return try setFault(request.body)
    case ("DELETE", "faults", nil): return try deleteFaults(request)
    case ("POST", "clock", nil): return try advance(request.body)
    case ("POST", "reset", nil): return reset()
    case ("POST", "slack", "consent"): return try consent(request.body)
    case ("POST", "github", "consent"): return try githubConsent(request.body)
    case ("POST", "github", "settings"): return try githubSettings(request.body)
    case ("GET", let name, "requests"): return try requests(.named(name), request)
    case ("GET", let name, "state"): return .json(try simulator(name).snapshot())
    case ("POST", let name, "events"): return try await sendEvents(.named(name), request.body)
    default: throw unknown(request)
    }
  }

  private func unknown(_ request: SimulatedRequest) -> ControlError {
    ControlError(
      .notFound,
      "There is no control \(request.method) \(request.path). Known: faults, clock, reset, "
        + "slack/consent, \(Self.googleControls), github/consent, github/settings, "
        + "clerk/tokens, clerk/keys/rotate, and {provider}/requests, /state, /events.")
  }

  private func simulator(_ name: String) throws(ControlError) -> any Simulator {
    let provider = try SandboxProvider.named(name)
    guard let simulator = simulators[provider] else {
      throw ControlError(.notFound, "There is no simulator of \"\(name)\".")
    }
    return simulator
  }

  private func overview() -> SimulatedResponse {
    .json([
      "providers": .array(SandboxProvider.allCases.map { .string($0.rawValue) }),
      "time": .string(clock.now.rfc3339), "faults": .int(Int64(faults.all.count)),
    ])
  }

  private func setFault(_ body: [UInt8]) throws(ControlError) -> SimulatedResponse {
    let fault = try Fault(parsing: body, id: faults.newID())
    guard fault.kind.isImmediate else {
      try faults.add(fault)
      return .json(fault.json, status: 201)
    }
    guard let simulator = simulators[fault.provider] else { return .json(fault.json) }
    let affected =
      fault.kind == .revoke
      ? simulator.revokeGrants(now: clock.now) : simulator.expireTokens(now: clock.now)
    return .json(
      [
        "id": .string(fault.id), "provider": .string(fault.provider.rawValue),
        "kind": .string(fault.kind.rawValue), "affected": .int(Int64(affected)),
      ], status: 201)
  }

  private func deleteFaults(_ request: SimulatedRequest) throws(ControlError) -> SimulatedResponse {
    var provider: SandboxProvider?
    if let name = request.queryPairs?["provider"] { provider = try .named(name) }
    let deleted = faults.clear(provider)
    for (name, simulator) in simulators where provider == nil || provider == name {
      simulator.restoreKeys()
    }
    return .json(["deleted": .int(Int64(deleted))])
  }

  private func advance(_ bytes: [UInt8]) throws(ControlError) -> SimulatedResponse {
    let body = try ControlBody(bytes, allowed: ["advance"])
    guard let duration = try body.duration("advance") else {
      throw ControlError(.invalidRequest, "\"advance\" is missing; for example \"1h\".")
    }
    guard clock.advance(by: duration) else {
      throw ControlError(.invalidRequest, "The clock cannot go further ahead. Reset the sandbox.")
    }
    return .json(["now": .string(clock.now.rfc3339)])
  }

  private func reset() -> SimulatedResponse {
    faults.reset()
    clock.reset()
    for journal in journals.values { journal.reset() }
    for simulator in simulators.values { simulator.reset() }
    destinations.withLock { $0 = [:] }
    return .json(["reset": true])
  }

  private func consent(_ bytes: [UInt8]) throws(ControlError) -> SimulatedResponse {
    let body = try ControlBody(bytes, allowed: ["decision"])
    guard let name = try body.text("decision"), let decision = ConsentDecision(rawValue: name)
    else {
      throw body.wrong("decision", "\"approve\", \"deny\" or \"ask\"")
    }
    slack.setConsent(decision)
    return .json(["decision": .string(decision.rawValue)])
  }

  private func requests(
    _ provider: SandboxProvider, _ request: SimulatedRequest
  ) throws(ControlError) -> SimulatedResponse {
    let query = request.queryPairs ?? []
    var limit = 1_000
    if let text = query["limit"] {
      guard let number = Int(text), (1...RequestJournal.capacity).contains(number) else {
        throw ControlError(
          .invalidRequest, "\"limit\" must be from 1 to \(RequestJournal.capacity).")
      }
      limit = number
    }
    guard let journal = journals[provider] else { return .json(["data": []]) }
    let found = journal.entries(
      method: query["method"]?.uppercased(), path: query["path"], limit: limit)
    return .json([
      "data": .array(found.entries.map(\.json)), "total": .int(Int64(found.matching)),
      "dropped": .int(Int64(found.dropped)),
    ])
  }

  private func sendEvents(
    _ provider: SandboxProvider, _ bytes: [UInt8]
  ) async throws(ControlError) -> SimulatedResponse {
    let order = try EventOrder(parsing: bytes)
    let simulator = try simulator(provider.rawValue)
    var to = order.to
    if to == nil { to = try simulator.destination(of: order, now: clock.now) }
    guard let to = to ?? destinations.withLock({ $0[provider] }) else {
      throw ControlError(
        .invalidRequest, "\"to\" is missing: no event of \(provider.rawValue) was sent before.")
    }
    var events = try simulator.makeEvents(order, now: clock.now)
    destinations.withLock { $0[provider] = to }
    if order.outOfOrder { events.reverse() }
    let deliveries = events.flatMap { event in
      (0..<order.deliveriesEach).map {
        EventDelivery(event: event, attempt: $0, forged: order.forge)
      }
    }
    let outcomes = await sender.send(
      deliveries, to: to, from: simulator, age: order.age, concurrently: order.concurrent)
    return .json([
      "to": .string(to),
      "events": .array(events.map { ["id": .string($0.id), "type": .string($0.type)] }),
      "deliveries": .array(outcomes.map(\.json)),
    ])
  }
}
