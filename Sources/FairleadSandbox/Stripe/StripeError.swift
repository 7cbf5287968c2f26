import Fairlead

/// A refusal in Stripe's shape.
struct StripeError: Error {
  var status: Int
  var type: String
  var code: String?
  var param: String?
  var message: String
  var extra: [String: JSONValue] = [:]
  /// Whether the request was carried out before it failed, so that its idempotency key is used up.
  var executed = false

  static func invalid(_ message: String, code: String? = nil, param: String? = nil) -> Self {
    Self(
      status: 400, type: "invalid_request_error", code: code, param: param, message: message)
  }

  static func missing(_ param: String) -> Self {
    invalid("Missing required param: \(param).", code: "parameter_missing", param: param)
  }

  static func unknown(_ param: String) -> Self {
    invalid("Received unknown parameter: \(param)", code: "parameter_unknown", param: param)
  }

  /// - Parameter inPath: whether the id was in the address (404) or in a parameter (400).
  static func noSuch(_ kind: StripeKind, _ id: String, param: String, inPath: Bool = false) -> Self
  {
    var error = invalid(
      "No such \(kind.label): '\(id.prefix(200))'", code: "resource_missing", param: param)
    if inPath { error.status = 404 }
    return error
  }

  static func state(_ message: String, code: String) -> Self { invalid(message, code: code) }

  var response: SimulatedResponse {
    var error = extra
    error["type"] = .string(type)
    error["message"] = .string(message)
    if let param { error["param"] = .string(param) }
    if let code {
      error["code"] = .string(code)
      let page = code.replacing("_", with: "-")
      error["doc_url"] = .string("https://stripe.com/docs/error-codes/\(page)")
    }
    return .json(["error": .object(error)], status: status)
  }
}
