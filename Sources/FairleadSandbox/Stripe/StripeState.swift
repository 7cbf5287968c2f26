import Crypto
import Fairlead
import HTTPTypes

/// Everything the simulated Stripe knows. Routes and resources are in the extensions beside it.
struct StripeState: Sendable {
  typealias Object = [String: JSONValue]

  static let capacity = 10_000

  enum KeyState: Sendable { case accepted, expired, revoked }

  let random: RandomSource
  var key = KeyState.accepted
  var objects: [StripeKind: BoundedStore<Object>] = [:]
  var idempotency = StripeIdempotency()
  /// When a subscription changes by itself next.
  var nextDue: Int64?
  var sentEvents = 0

  // What the request under way is.
  var now = Timestamp(seconds: 0)
  var requestID = ""
  var idempotencyKey: String?

  init(seed: UInt64) {
    random = RandomSource(seed: seed)
    for kind in StripeKind.allCases {
      objects[kind] = BoundedStore(capacity: Self.capacity, weightLimit: 64 << 20) {
        JSONValue.object($0).weight
      }
    }
  }

  mutating func respond(to request: SimulatedRequest) -> SimulatedResponse {
    now = request.now
    requestID = "req_" + random.alphanumeric(14)
    idempotencyKey = nil
    var version = StripeVersion.current
    var response: SimulatedResponse
    do throws(StripeError) {
      try authenticate(request)
      version = try StripeVersion(header: request.header("stripe-version"))
      settleDue()
      response = try answer(request, version)
    } catch {
      response = error.response
    }
    if response.headers[.requestID] == nil {
      response.set("Request-Id", requestID)
    }
    response.set("Stripe-Version", version.text)
    return response
  }

  private func authenticate(_ request: SimulatedRequest) throws(StripeError) {
    let given = request.bearerToken ?? request.basicCredentials?.user
    var error = StripeError(status: 401, type: "invalid_request_error", message: "")
    guard let given, !given.isEmpty else {
      error.message = "You did not provide an API key. Send it as a Bearer token."
      throw error
    }
    guard given == Sandbox.credentials.stripeSecretKey, key != .revoked else {
      error.message = "Invalid API Key provided: \(given.prefix(3))****\(given.suffix(4))"
      throw error
    }
    guard key != .expired else {
      error.code = "api_key_expired"
      error.message = "Expired API Key provided."
      throw error
    }
    if let account = request.header("stripe-account") {
      error.status = 403
      error.code = "account_invalid"
      error.message = "The sandbox has one account; '\(account.prefix(60))' is not connected to it."
      throw error
    }
  }

  private mutating func answer(
    _ request: SimulatedRequest, _ version: StripeVersion
  ) throws(StripeError) -> SimulatedResponse {
    guard request.method == "POST", let key = request.header("idempotency-key"), !key.isEmpty else {
      return .json(try operate(request, version))
    }
    guard key.unicodeScalars.count <= 255 else {
      throw .invalid("Idempotency keys can have up to 255 characters.")
    }
    idempotencyKey = key
    let fingerprint = try fingerprint(request)
    if let record = idempotency.find(key, now: now) {
      return try record.replay(fingerprint)
    }
    let response: SimulatedResponse
    do throws(StripeError) {
      response = .json(try operate(request, version))
    } catch {
      // Only what was carried out uses the key up; a request that never passed validation does not.
      guard error.executed else { throw error }
      response = error.response
    }
    var saved = response
    saved.set("Request-Id", requestID)
    saved.set("Idempotency-Key", key)
    idempotency.save(key, fingerprint: fingerprint, response: saved, now: now)
    return saved
  }

  /// Equal for requests that ask the same of the same path, in whatever order.
  private func fingerprint(_ request: SimulatedRequest) throws(StripeError) -> String {
    let members = try StripeForm.parse(request.body)
    let text = request.path + " " + StripeForm.fields(members).json.text
    return Array(SHA256.hash(data: Array(text.utf8))).hex
  }
}
