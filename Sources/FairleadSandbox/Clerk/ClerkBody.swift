import Fairlead

/// The JSON object of a request, read with types; a member that is not known is refused.
struct ClerkBody: Sendable {
  let members: [String: JSONValue]

  init(_ request: SimulatedRequest, allowed: Set<String>) throws(ClerkError) {
    guard !request.body.isEmpty else {
      members = [:]
      return
    }
    let value: JSONValue
    do {
      value = try JSONValue(parsing: request.body)
    } catch {
      throw ClerkError(
        status: 400, code: "request_body_invalid", message: "Request body invalid",
        longMessage: "The request body is not valid JSON.")
    }
    guard let object = value.object else {
      throw ClerkError(
        status: 400, code: "request_body_invalid", message: "Request body invalid",
        longMessage: "The request body must be a JSON object.")
    }
    for name in object.keys.sorted() where !allowed.contains(name) {
      throw .unknown(String(name.prefix(100)))
    }
    members = object
  }

  func has(_ name: String) -> Bool { members[name] != nil }

  /// A string or null; `nil` when it is missing.
  func text(_ name: String) throws(ClerkError) -> String? {
    switch members[name] {
    case nil, .null: return nil
    case .string(let text):
      guard text.utf8.count <= 1_000 else {
        throw .wrongType(name, "at most 1,000 characters long")
      }
      return text
    default: throw .wrongType(name, "a string")
    }
  }

  func texts(_ name: String) throws(ClerkError) -> [String] {
    switch members[name] {
    case nil, .null: return []
    case .array(let list):
      let texts = list.compactMap(\.string)
      guard texts.count == list.count, list.count <= 100 else {
        throw .wrongType(name, "a list of strings")
      }
      return texts
    default: throw .wrongType(name, "a list of strings")
    }
  }

  func object(_ name: String) throws(ClerkError) -> [String: JSONValue]? {
    switch members[name] {
    case nil, .null: return nil
    case .object(let members):
      // Clerk bounds metadata at 8 KB.
      guard JSONValue.object(members).weight <= 64 << 10 else {
        throw .wrongType(name, "smaller")
      }
      return members
    default: throw .wrongType(name, "an object")
    }
  }

  func number(_ name: String, in range: ClosedRange<Int64>) throws(ClerkError) -> Int64? {
    switch members[name] {
    case nil, .null: return nil
    case let value?:
      guard let number = value.int, range.contains(number) else {
        throw .wrongType(
          name, "a whole number from \(range.lowerBound) to \(range.upperBound)")
      }
      return number
    }
  }
}
