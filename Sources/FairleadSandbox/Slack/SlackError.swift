import Fairlead

/// A refusal as Slack words it: HTTP 200 with `ok: false`.
struct SlackError: Error {
  var name: String
  var details: [String: JSONValue]

  init(_ name: String, _ details: [String: JSONValue] = [:]) {
    self.name = name
    self.details = details
  }

  var response: SimulatedResponse {
    var body = details
    body["ok"] = false
    body["error"] = .string(name)
    return .json(.object(body))
  }
}
