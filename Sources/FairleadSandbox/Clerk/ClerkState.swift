import Fairlead
import HTTPTypes

/// Everything the simulated Clerk instance knows. Resources are in the extensions beside this file.
struct ClerkState: Sendable {
  typealias Object = [String: JSONValue]
  enum KeyState: Sendable { case accepted, expired, revoked }

  static let capacity = 20_000
  /// A development instance's, which a key that begins with `sk_test_` belongs to.
  static let requestsPerWindow = 100
  static let patchesPerWindow = 10

  let random: RandomSource
  let instanceID: String
  var key = KeyState.accepted
  /// The current key is the last one.
  var signingKeys: [SessionTokenKey] = []
  var users = BoundedStore<Object>(capacity: capacity, weightLimit: 64 << 20) {
    JSONValue.object($0).weight
  }
  var sessions = BoundedStore<Object>(capacity: capacity)
  var events = BoundedStore<OutgoingEvent>(
    capacity: 10_000, weightLimit: 32 << 20, weigh: \.body.count)
  var limit = ClerkRateLimit(limit: requestsPerWindow)
  var patchLimits = BoundedStore<ClerkRateLimit>(capacity: 1_000)
  var requestCount = 0

  // What the request under way is.
  var now = Timestamp(seconds: 0)
  /// Where the request came to, which is the instance's issuer.
  var origin = ""

  init(seed: UInt64) {
    random = RandomSource(seed: seed)
    instanceID = "ins_" + random.alphanumeric(27)
  }

  var milliseconds: JSONValue { .int(now.microseconds / 1_000) }

  mutating func respond(to request: SimulatedRequest) -> SimulatedResponse {
    now = request.now
    origin = Self.issuer(of: request)
    requestCount += 1
    var response: SimulatedResponse
    do throws(ClerkError) {
      response = try route(request)
    } catch {
      response = error.response
      if let seconds = error.retryAfter { response.headers[.retryAfter] = String(seconds) }
    }
    response.set("x-clerk-trace-id", random.hexadecimal(32))
    return response
  }

  /// The URL under which the caller reached this simulator.
  static func issuer(of request: SimulatedRequest) -> String {
    "http://\(request.header("host") ?? "127.0.0.1")/clerk"
  }

  private mutating func route(_ request: SimulatedRequest) throws(ClerkError) -> SimulatedResponse {
    let segments = request.segments
    if request.method == "GET" || request.method == "HEAD" {
      // The Frontend API's page is public, the Backend API's needs the key; neither is limited.
      if segments == [".well-known", "jwks.json"] { return keySet() }
      if segments == ["v1", "jwks"] {
        try authenticate(request)
        return keySet()
      }
    }
    guard segments.first == "v1" else { throw unknown(request) }
    try authenticate(request)
    if let wait = limit.take(now: now) { throw Self.limited(wait) }
    let rest = Array(segments.dropFirst())
    switch (request.method, rest.first ?? "", rest.count) {
    case ("GET", "users", 1): return .json(.array(try listUsers(request)))
    case ("POST", "users", 1): return .json(.object(try createUser(request)))
    case ("GET", "users", 2) where rest[1] == "count": return .json(try countUsers(request))
    case ("GET", "users", 2): return .json(.object(try user(rest[1])))
    case ("PATCH", "users", 2): return .json(.object(try updateUser(rest[1], request)))
    case ("DELETE", "users", 2): return .json(.object(try deleteUser(rest[1])))
    case ("PATCH", "users", 3) where rest[2] == "metadata":
      return .json(.object(try updateMetadata(rest[1], request)))
    case ("POST", "users", 3) where rest[2] == "ban" || rest[2] == "unban":
      return .json(.object(try setBanned(rest[1], rest[2] == "ban")))
    case ("GET", "sessions", 1): return .json(.array(try listSessions(request)))
    case ("POST", "sessions", 1): return .json(.object(try createSession(request)))
    case ("GET", "sessions", 2): return .json(.object(try session(rest[1])))
    case ("POST", "sessions", 3) where rest[2] == "revoke":
      return .json(.object(try revokeSession(rest[1])))
    case ("POST", "sessions", 3) where rest[2] == "tokens":
      return .json(try createToken(rest[1], request))
    default: throw unknown(request)
    }
  }

  static func limited(_ seconds: Int64) -> ClerkError {
    ClerkError(
      status: 429, code: "too_many_requests",
      message: "Too many requests. Please try again in a bit.", retryAfter: seconds)
  }

  private func unknown(_ request: SimulatedRequest) -> ClerkError {
    ClerkError(
      status: 404, code: "resource_not_found", message: "not found",
      longMessage: "\(request.method) \(request.path.prefix(300)) is not simulated.")
  }

  private func authenticate(_ request: SimulatedRequest) throws(ClerkError) {
    guard let given = request.bearerToken else {
      throw ClerkError(
        status: 401, code: "authorization_header_format_invalid",
        message: "Invalid Authorization header format",
        longMessage: "Send the secret key as a Bearer token.")
    }
    guard given == Sandbox.credentials.clerkSecretKey, key == .accepted else {
      throw ClerkError(
        status: 401, code: "clerk_key_invalid",
        message: "The provided Clerk Secret Key is invalid. Make sure that your Clerk Secret Key "
          + "is correct.")
    }
  }
}
