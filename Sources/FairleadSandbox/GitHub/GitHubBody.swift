import Fairlead

/// The JSON object of a request.
struct GitHubBody: Sendable {
  private let members: [String: JSONValue]

  init(_ request: SimulatedRequest) throws(GitHubError) {
    let parsed: JSONValue
    do {
      parsed = try JSONValue(parsing: request.body.isEmpty ? Array("{}".utf8) : request.body)
    } catch {
      throw GitHubError(400, "Problems parsing JSON")
    }
    guard let object = parsed.object else {
      throw GitHubError(400, "Body should be a JSON object")
    }
    members = object
  }

  func has(_ name: String) -> Bool { members[name] != nil }

  /// `nil` when it is missing or null.
  func text(
    _ name: String, of resource: String, required: Bool = false, max: Int = 65_536
  ) throws(GitHubError) -> String? {
    switch members[name] {
    case nil, .null?:
      guard !required else { throw .invalid(resource, field: name, code: "missing_field") }
      return nil
    // GitHub takes numbers for texts.
    case .string?, .int?, .double?:
      let text = members[name]?.scalarText ?? ""
      guard !required || !text.isEmpty else {
        throw .invalid(resource, field: name, code: "missing_field")
      }
      guard text.utf8.count <= max else {
        throw .invalid(resource, field: name, code: "invalid")
      }
      return text
    default: throw .invalid(resource, field: name, code: "invalid")
    }
  }

  func flag(_ name: String) -> Bool { members[name]?.bool ?? false }

  /// Names, given as texts or as objects that have a `name`.
  func names(_ name: String, of resource: String) throws(GitHubError) -> [String]? {
    guard let value = members[name], value != .null else { return nil }
    guard let elements = value.array, elements.count <= 100 else {
      throw .invalid(resource, field: name, code: "invalid")
    }
    let texts = elements.compactMap { $0.string ?? $0["name"]?.string }
    guard texts.count == elements.count,
      texts.allSatisfy({ (1...50).contains($0.unicodeScalars.count) })
    else { throw .invalid(resource, field: name, code: "invalid") }
    var seen: Set<String> = []
    return texts.filter { seen.insert($0).inserted }
  }
}
