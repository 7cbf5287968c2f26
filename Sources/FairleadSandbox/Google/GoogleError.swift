import Fairlead

/// A refusal as Google's APIs word it: the reason is what clients branch on.
struct GoogleError: Error {
  var status: Int
  var reason: String
  var message: String
  var domain = "global"
  /// The parameter or header it is about.
  var location: String?
  var locationType = "parameter"

  init(
    _ status: Int, _ reason: String, _ message: String, domain: String = "global",
    location: String? = nil, locationType: String = "parameter"
  ) {
    self.status = status
    self.reason = reason
    self.message = message
    self.domain = domain
    self.location = location
    self.locationType = locationType
  }

  var response: SimulatedResponse {
    var detail: [String: JSONValue] = [
      "domain": .string(domain), "reason": .string(reason), "message": .string(message),
    ]
    if let location {
      detail["location"] = .string(location)
      detail["locationType"] = .string(locationType)
    }
    var error: [String: JSONValue] = [
      "code": .int(Int64(status)), "message": .string(message), "errors": [.object(detail)],
    ]
    switch status {
    case 401: error["status"] = "UNAUTHENTICATED"
    case 403 where reason == "insufficientPermissions": error["status"] = "PERMISSION_DENIED"
    case 429: error["status"] = "RESOURCE_EXHAUSTED"
    default: break
    }
    var response = SimulatedResponse.json(["error": .object(error)], status: status)
    if status == 401 {
      response.set(
        "www-authenticate", "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\""
      )
    }
    return response
  }

  static func invalid(_ name: String, _ message: String? = nil) -> Self {
    Self(400, "invalid", message ?? "Invalid value for: \(name)", location: name)
  }

  static let unauthenticated = Self(
    401, "authError", "Invalid Credentials", location: "Authorization", locationType: "header")
  static let insufficientScopes = Self(
    403, "insufficientPermissions", "Request had insufficient authentication scopes.")
  static let notFound = Self(404, "notFound", "Not Found")
  static let duplicate = Self(409, "duplicate", "The requested identifier already exists.")
  static let deleted = Self(410, "deleted", "Resource has been deleted")
  static let fullSyncRequired = Self(
    410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required.",
    domain: "calendar", location: "syncToken")
  static let conditionNotMet = Self(
    412, "conditionNotMet", "Precondition Failed", location: "If-Match", locationType: "header")
  static let rateLimited = Self(
    403, "rateLimitExceeded", "Rate Limit Exceeded", domain: "usageLimits")
  static let userRateLimited = Self(
    403, "userRateLimitExceeded", "User Rate Limit Exceeded", domain: "usageLimits")
  static let calendarFull = Self(
    403, "quotaExceeded", "Calendar usage limits exceeded.", domain: "usageLimits")
}

/// A refusal of the OAuth endpoints (RFC 6749 section 5.2).
struct GoogleOAuthError: Error {
  var status: Int
  var error: String
  var message: String

  init(_ error: String, _ message: String, status: Int = 400) {
    self.status = status
    self.error = error
    self.message = message
  }

  var response: SimulatedResponse {
    .json(["error": .string(error), "error_description": .string(message)], status: status)
  }

  static let revoked = Self("invalid_grant", "Token has been expired or revoked.")
}
