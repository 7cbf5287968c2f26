import Fairlead

/// A control that cannot be obeyed: answered in Fairlead's error shape.
struct ControlError: Error {
  var code: ErrorCode
  var message: String

  init(_ code: ErrorCode = .invalidRequest, _ message: String) {
    self.code = code
    self.message = message
  }

  var response: SimulatedResponse {
    .json(
      [
        "error": [
          "code": .string(code.rawValue), "message": .string(message),
          "retryable": .bool(code.retryable),
        ]
      ], status: code.status)
  }
}
