import Fairlead

/// A refusal in OpenAI's shape.
struct OpenAIError: Error {
  var status: Int
  var type: String
  var code: String?
  var param: String?
  var message: String

  static func invalid(_ message: String, param: String? = nil, code: String? = nil) -> Self {
    Self(
      status: 400, type: "invalid_request_error", code: code, param: param, message: message)
  }

  static func noSuchModel(_ model: String) -> Self {
    Self(
      status: 404, type: "invalid_request_error", code: "model_not_found", param: nil,
      message: "The model `\(model.prefix(200))` does not exist or you do not have access to it.")
  }

  static func notFound(_ what: String, _ id: String) -> Self {
    Self(
      status: 404, type: "invalid_request_error", code: nil, param: nil,
      message: "\(what) with id '\(id.prefix(200))' not found.")
  }

  var json: JSONValue {
    [
      "error": [
        "message": .string(message), "type": .string(type),
        "param": param.map { .string($0) } ?? .null, "code": code.map { .string($0) } ?? .null,
      ]
    ]
  }

  var response: SimulatedResponse { .json(json, status: status) }
}
