import Fairlead

/// The JSON object of a control request, read strictly: a wrong type or an unknown member is an
/// error that names it.
struct ControlBody {
  private let members: [String: JSONValue]

  init(_ bytes: [UInt8], allowed: Set<String>) throws(ControlError) {
    guard !bytes.isEmpty else {
      try self.init([:], allowed: allowed)
      return
    }
    let value: JSONValue
    do {
      value = try JSONValue(parsing: bytes)
    } catch {
      throw ControlError(.invalidRequest, "The body is not JSON. Send one JSON object.")
    }
    guard let object = value.object else {
      throw ControlError(.invalidRequest, "The body must be a JSON object.")
    }
    try self.init(object, allowed: allowed)
  }

  init(_ members: [String: JSONValue], allowed: Set<String>) throws(ControlError) {
    for name in members.keys.sorted() where !allowed.contains(name) {
      throw ControlError(
        .invalidRequest,
        "Unknown member \"\(name)\". Known: \(allowed.sorted().joined(separator: ", ")).")
    }
    self.members = members
  }

  /// `nil` when it is missing or null.
  subscript(name: String) -> JSONValue? {
    if let value = members[name], value != .null { value } else { nil }
  }

  func has(_ name: String) -> Bool { members[name] != nil }

  func text(_ name: String) throws(ControlError) -> String? {
    guard let value = self[name] else { return nil }
    guard let text = value.string else { throw wrong(name, "a string") }
    return text
  }

  func number(_ name: String, in range: ClosedRange<Int64>) throws(ControlError) -> Int? {
    guard let value = self[name] else { return nil }
    guard let number = value.int, range.contains(number) else {
      throw wrong(name, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return Int(number)
  }

  func flag(_ name: String) throws(ControlError) -> Bool {
    guard let value = self[name] else { return false }
    guard let flag = value.bool else { throw wrong(name, "true or false") }
    return flag
  }

  func object(_ name: String) throws(ControlError) -> [String: JSONValue]? {
    guard let value = self[name] else { return nil }
    guard let object = value.object else { throw wrong(name, "an object") }
    return object
  }

  func duration(_ name: String) throws(ControlError) -> Duration? {
    guard let text = try text(name) else { return nil }
    guard let duration = DurationText.parse(text) else {
      throw wrong(name, "a duration with its unit, such as \"500ms\", \"15m\" or \"1h30m\"")
    }
    return duration
  }

  func wrong(_ name: String, _ expectation: String) -> ControlError {
    ControlError(.invalidRequest, "\"\(name)\" must be \(expectation).")
  }
}
