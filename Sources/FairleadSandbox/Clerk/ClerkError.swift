import Fairlead

/// A refusal in Clerk's shape.
struct ClerkError: Error {
  var status: Int
  var code: String
  var message: String
  var longMessage: String?
  /// The parameter concerned.
  var parameter: String?
  /// Seconds.
  var retryAfter: Int64?

  static func invalid(_ parameter: String, _ message: String, code: String) -> Self {
    Self(status: 422, code: code, message: message, parameter: parameter)
  }

  static func unknown(_ parameter: String) -> Self {
    invalid(
      parameter, "\(parameter) is not a valid parameter for this request.",
      code: "form_param_unknown")
  }

  static func wrongType(_ parameter: String, _ expected: String) -> Self {
    invalid(parameter, "\(parameter) must be \(expected).", code: "form_param_format_invalid")
  }

  static func notFound(_ what: String, _ id: String) -> Self {
    Self(
      status: 404, code: "resource_not_found", message: "not found",
      longMessage: "No \(what) was found with id \(id.prefix(200)).")
  }

  var response: SimulatedResponse {
    var error: [String: JSONValue] = [
      "message": .string(message), "long_message": .string(longMessage ?? message),
      "code": .string(code),
    ]
    if let parameter { error["meta"] = ["param_name": .string(parameter)] }
    return .json(["errors": [.object(error)]], status: status)
  }
}
