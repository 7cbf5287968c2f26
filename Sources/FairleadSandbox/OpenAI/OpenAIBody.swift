import Fairlead

/// The JSON object of a request, read with types.
struct OpenAIBody: Sendable {
  let members: [String: JSONValue]

  init(_ request: SimulatedRequest) throws(OpenAIError) {
    guard request.mediaType == "application/json" else {
      throw .invalid("Send JSON with the Content-Type application/json.")
    }
    let value: JSONValue
    do {
      value = try JSONValue(parsing: request.body)
    } catch {
      throw .invalid("We could not parse the JSON body of your request.")
    }
    guard let object = value.object else { throw .invalid("The body must be a JSON object.") }
    members = object
  }

  /// `nil` when it is missing or null.
  subscript(name: String) -> JSONValue? {
    if let value = members[name], value != .null { value } else { nil }
  }

  func text(_ name: String) throws(OpenAIError) -> String? {
    guard let value = self[name] else { return nil }
    guard let text = value.string else { throw wrong(name, "a string", code: "invalid_type") }
    return text
  }

  func flag(_ name: String) throws(OpenAIError) -> Bool? {
    guard let value = self[name] else { return nil }
    guard let flag = value.bool else { throw wrong(name, "a boolean", code: "invalid_type") }
    return flag
  }

  func integer(_ name: String, in range: ClosedRange<Int64>) throws(OpenAIError) -> Int? {
    guard let value = self[name] else { return nil }
    guard let number = value.int else { throw wrong(name, "an integer", code: "invalid_type") }
    guard range.contains(number) else {
      throw wrong(
        name, "from \(range.lowerBound) to \(range.upperBound)", code: "integer_out_of_range")
    }
    return Int(number)
  }

  private func wrong(_ name: String, _ expectation: String, code: String) -> OpenAIError {
    .invalid("Invalid value for '\(name)': expected \(expectation).", param: name, code: code)
  }
}
