import Fairlead
import HTTPTypes

/// Everything the simulated OpenAI knows. Endpoints are in the extensions beside this file.
struct OpenAIState: Sendable {
  enum KeyState: Sendable { case accepted, expired, revoked }

  let random: RandomSource
  var key = KeyState.accepted
  /// Chat completions that were made with `store`.
  var completions = BoundedStore<JSONValue>(
    capacity: 10_000, weightLimit: 64 << 20, weigh: \.weight)
  var responses = BoundedStore<JSONValue>(
    capacity: 10_000, weightLimit: 64 << 20, weigh: \.weight)
  var limits: [String: OpenAIRateLimit] = [:]
  var sentEvents = BoundedStore<OutgoingEvent>(
    capacity: 10_000, weightLimit: 16 << 20, weigh: \.body.count)
  var counts: [String: Int64] = [:]

  // What the request under way is.
  var now = Timestamp(seconds: 0)
  var model: String?

  init(seed: UInt64) { random = RandomSource(seed: seed) }

  mutating func respond(to request: SimulatedRequest) -> SimulatedResponse {
    now = request.now
    model = nil
    var response: SimulatedResponse
    do throws(OpenAIError) {
      try authenticate(request)
      response = try route(request)
    } catch {
      response = error.response
    }
    decorate(&response)
    return response
  }

  func decorate(_ response: inout SimulatedResponse) {
    response.set("x-request-id", "req_" + random.hexadecimal(32))
    response.set("openai-organization", "org-sandbox")
    response.set("openai-version", "2020-10-01")
    response.set("openai-processing-ms", "1")
    if let model { limits[model]?.write(to: &response) }
  }

  private func authenticate(_ request: SimulatedRequest) throws(OpenAIError) {
    var error = OpenAIError(
      status: 401, type: "invalid_request_error", code: nil, param: nil,
      message: "You did not provide an API key. Send it as a Bearer token.")
    guard let given = request.bearerToken else { throw error }
    error.code = "invalid_api_key"
    error.message =
      "Incorrect API key provided: \(given.prefix(3))****\(given.count > 12 ? given.suffix(4) : "")."
    guard given == Sandbox.credentials.openAIAPIKey, key == .accepted else { throw error }
  }

  private mutating func route(_ request: SimulatedRequest) throws(OpenAIError) -> SimulatedResponse
  {
    let segments = request.segments
    guard segments.first == "v1" else { throw unknown(request) }
    switch (request.method, segments.dropFirst().joined(separator: "/")) {
    case ("GET", "models"):
      return .json(["object": "list", "data": .array(OpenAIModel.all.map(\.json))])
    case ("POST", "chat/completions"): return try complete(OpenAIBody(request))
    case ("POST", "embeddings"): return try embed(OpenAIBody(request))
    case ("POST", "responses"): return try respond(OpenAIBody(request))
    default: return try routeOne(request, segments)
    }
  }

  /// Addresses that end in an id.
  private mutating func routeOne(
    _ request: SimulatedRequest, _ segments: [String]
  ) throws(OpenAIError) -> SimulatedResponse {
    guard let id = segments.last, segments.count >= 3 else { throw unknown(request) }
    switch (request.method, segments.dropFirst().dropLast().joined(separator: "/")) {
    case ("GET", "models"):
      guard let model = OpenAIModel.all.first(where: { $0.id == id }) else {
        throw .noSuchModel(id)
      }
      return .json(model.json)
    case ("GET", "chat/completions"):
      guard let completion = completions[id] else { throw .notFound("Completion", id) }
      return .json(completion)
    case ("GET", "responses"):
      guard let response = responses[id] else { throw .notFound("Response", id) }
      return .json(response)
    case ("DELETE", "responses"):
      guard responses[id] != nil else { throw .notFound("Response", id) }
      responses[id] = nil
      return .json(["id": .string(id), "object": "response", "deleted": true])
    default: throw unknown(request)
    }
  }

  private func unknown(_ request: SimulatedRequest) -> OpenAIError {
    OpenAIError(
      status: 404, type: "invalid_request_error", code: "unknown_url", param: nil,
      message: "Unknown request URL: \(request.method) \(request.path.prefix(300)). "
        + "The sandbox simulates a part of OpenAI's API.")
  }

  /// Charges the model's budget.
  mutating func spend(_ model: OpenAIModel, tokens: Int) throws(OpenAIError) {
    self.model = model.id
    counts[model.id, default: 0] += 1
    var limit = limits[model.id] ?? OpenAIRateLimit(now: now)
    let taken = limit.take(tokens: tokens, now: now)
    limits[model.id] = limit
    guard taken else { throw Self.rateLimited(code: nil) }
  }

  static func rateLimited(code: String?) -> OpenAIError {
    let isQuota = code == "insufficient_quota"
    return OpenAIError(
      status: 429, type: isQuota ? "insufficient_quota" : "requests",
      code: code ?? "rate_limit_exceeded", param: nil,
      message: isQuota
        ? "You exceeded your current quota. Check your plan and billing details."
        : "Rate limit reached. Try again later.")
  }
}
