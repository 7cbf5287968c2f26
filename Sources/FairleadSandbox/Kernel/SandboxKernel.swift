import Fairlead
import ServiceLifecycle

/// Takes each request to its simulator or control, and applies the faults around the effect.
struct SandboxKernel: Sendable {
  let world: SandboxWorld
  let controls: Controls

  /// What happens on the wire.
  struct Answer: Sendable {
    enum Delivery: Sendable {
      case whole(SimulatedResponse)
      /// The head promises everything, half of the body comes, then the connection closes.
      case cut(SimulatedResponse)
      /// The connection closes without an answer.
      case drop
      case reset
      case garbage
    }

    var delivery: Delivery
    var chunkDelay: Duration = .zero
  }

  /// The provider and its own path, from a decoded path such as `/stripe/v1/customers`.
  static func target(_ path: String) -> (provider: SandboxProvider, path: String)? {
    let parts = path.dropFirst().split(
      separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard path.hasPrefix("/"), let first = parts.first,
      let provider = SandboxProvider(rawValue: String(first))
    else { return nil }
    return (provider, "/" + (parts.count > 1 ? parts[1] : ""))
  }

  func answer(_ request: SimulatedRequest) async -> Answer {
    if request.segments.first == "_sandbox" {
      return Answer(delivery: .whole(await controls.respond(to: request)))
    }
    guard let (provider, path) = Self.target(request.path),
      let simulator = world.simulators[provider], let journal = world.journals[provider]
    else {
      let error = ControlError(
        .notFound,
        "Nothing is simulated at \(request.path). Paths start with "
          + SandboxProvider.allCases.map { "/\($0.rawValue)" }.joined(separator: ", ") + ".")
      return Answer(delivery: .whole(error.response))
    }
    var request = request
    request.path = path
    let number = journal.arrived(request)
    let hit = world.faults.take(provider, method: request.method, path: path)
    let answer = await perform(request, hit: hit, simulator: simulator)
    var status: Int?
    switch answer.delivery {
    case .whole(let response), .cut(let response): status = response.status
    case .drop, .reset, .garbage: break
    }
    journal.answered(number, status: status, fault: hit.fault ?? hit.slow)
    return answer
  }

  private func perform(
    _ request: SimulatedRequest, hit: FaultBoard.Hit, simulator: any Simulator
  ) async -> Answer {
    let chunkDelay = hit.slow?.chunkDelay ?? .zero
    if let fault = hit.fault, let early = early(fault, simulator) {
      await wait(hit.slow)
      return Answer(delivery: early)
    }
    if let refusal = simulator.admit(request) { return Answer(delivery: .whole(refusal)) }
    defer { simulator.finish(request) }
    await wait(hit.slow)
    var request = request
    request.now = world.clock.now
    let response = simulator.respond(to: request)
    let delivery: Answer.Delivery =
      switch hit.fault?.kind {
      case .dropAfterCommit: .drop
      case .truncate: .cut(response)
      default: .whole(response)
      }
    return Answer(delivery: delivery, chunkDelay: chunkDelay)
  }

  /// The faults that strike before any effect.
  private func early(_ fault: Fault, _ simulator: any Simulator) -> Answer.Delivery? {
    switch fault.kind {
    case .rateLimit, .serverError: .whole(simulator.faultAnswer(fault, now: world.clock.machineNow))
    case .reset: .reset
    case .garbage: .garbage
    case .slow, .dropAfterCommit, .truncate, .expireTokens, .revoke: nil
    }
  }

  private func wait(_ slow: Fault?) async {
    guard let delay = slow?.delay, delay > .zero else { return }
    let clock = world.clock
    // A shutdown ends the wait early; the request is then answered at once.
    try? await cancelWhenGracefulShutdown { try await clock.sleep(for: delay) }
  }
}
