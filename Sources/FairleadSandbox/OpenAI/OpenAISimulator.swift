import Fairlead
import HTTPTypes
import Synchronization

/// OpenAI: models, chat completions and responses (also streamed), embeddings, signed webhooks.
///
/// Replies are derived from the request, never random. A tool is called only when `tool_choice`
/// insists. Not simulated: files, images, audio, batches, assistants, background responses.
final class OpenAISimulator: Simulator {
  let provider = SandboxProvider.openai
  private let seed: UInt64
  private let state: Mutex<OpenAIState>

  init(seed: UInt64) {
    self.seed = seed
    state = Mutex(OpenAIState(seed: seed))
  }

  func respond(to request: SimulatedRequest) -> SimulatedResponse {
    state.withLock { $0.respond(to: request) }
  }

  func faultAnswer(_ fault: Fault, now: Timestamp) -> SimulatedResponse {
    let limited = fault.kind == .rateLimit
    var error =
      limited
      ? OpenAIState.rateLimited(code: fault.code)
      : OpenAIError(
        status: 500, type: "server_error", code: fault.code, param: nil,
        message: "The server had an error while processing your request.")
    error.status = fault.status ?? error.status
    var response = error.response
    let retryAfter =
      fault.retryAfter ?? (limited && fault.code != "insufficient_quota" ? .seconds(1) : nil)
    if let retryAfter { response.headers[.retryAfter] = retryAfter.text(now: now) }
    state.withLock { state in
      state.model = nil
      state.decorate(&response)
    }
    return response
  }

  func tooLarge(limit: Int) -> SimulatedResponse {
    OpenAIError(
      status: 413, type: "invalid_request_error", code: nil, param: nil,
      message: "The request body is larger than \(limit >> 20) MiB."
    ).response
  }

  /// The API key is refused until it is restored; OpenAI does not tell expired keys from others.
  func expireTokens(now: Timestamp) -> Int {
    state.withLock { $0.key = .expired }
    return 1
  }

  func revokeGrants(now: Timestamp) -> Int {
    state.withLock { $0.key = .revoked }
    return 1
  }

  func restoreKeys() { state.withLock { $0.key = .accepted } }

  func snapshot() -> JSONValue {
    state.withLock { state in
      [
        "requests_by_model": .object(state.counts.mapValues { .int($0) }),
        "responses": .array(state.responses.newestFirst.prefix(1_000).map(\.value)),
        "chat_completions": .array(state.completions.newestFirst.prefix(1_000).map(\.value)),
      ]
    }
  }

  func reset() { state.withLock { $0 = OpenAIState(seed: seed) } }

  func makeEvents(_ order: EventOrder, now: Timestamp) throws(ControlError) -> [OutgoingEvent] {
    try state.withLock { state throws(ControlError) in
      try state.makeEvents(order, now: now)
    }
  }

  func sign(_ delivery: EventDelivery, time: Timestamp) -> [(name: String, value: String)] {
    let secret = Sandbox.credentials.openAIWebhookSecret
    return WebhookSignature.standard(
      delivery.event.body, id: delivery.event.id,
      secret: delivery.forged ? "whsec_Zm9yZ2Vk" : secret, time: time)
  }
}

extension OpenAIState {
  mutating func makeEvents(
    _ order: EventOrder, now: Timestamp
  ) throws(ControlError) -> [OutgoingEvent] {
    if let id = order.id {
      guard let event = sentEvents[id] else {
        throw ControlError(.notFound, "OpenAI sent no event \"\(id)\".")
      }
      return [event]
    }
    var events: [OutgoingEvent] = []
    for (index, type) in order.typesToMake.enumerated() {
      let id = "evt_" + random.hexadecimal(32)
      var data = order.data
      if data["id"] == nil { data["id"] = .string("resp_" + random.hexadecimal(48)) }
      let body: JSONValue = [
        "id": .string(id), "object": "event", "type": .string(type),
        "created_at": .int((now + .seconds(index)).seconds), "data": .object(data),
      ]
      let event = OutgoingEvent(id: id, type: type, body: body.bytes)
      sentEvents[id] = event
      events.append(event)
    }
    return events
  }
}
