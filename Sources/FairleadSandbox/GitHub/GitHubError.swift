import Fairlead

/// A refusal as GitHub words it.
struct GitHubError: Error {
  var status: Int
  var message: String
  var errors: [JSONValue] = []
  var headers: [(name: String, value: String)] = []

  init(_ status: Int, _ message: String, errors: [JSONValue] = []) {
    self.status = status
    self.message = message
    self.errors = errors
  }

  static let notFound = GitHubError(404, "Not Found")
  static let badCredentials = GitHubError(401, "Bad credentials")
  static let authenticationRequired = GitHubError(401, "Requires authentication")

  static func invalid(_ resource: String, field: String, code: String) -> GitHubError {
    GitHubError(
      422, "Validation Failed",
      errors: [
        ["resource": .string(resource), "field": .string(field), "code": .string(code)]
      ])
  }

  var response: SimulatedResponse {
    var body: [String: JSONValue] = [
      "message": .string(message), "status": .string(String(status)),
      "documentation_url": "https://docs.github.com/rest",
    ]
    if !errors.isEmpty { body["errors"] = .array(errors) }
    var response = SimulatedResponse.json(.object(body), status: status)
    for (name, value) in headers { response.set(name, value) }
    return response
  }
}
