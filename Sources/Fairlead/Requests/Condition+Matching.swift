import HTTPTypes

extension ProviderDefinition.Condition {
  /// Whether an answer looks like this: all parts must match, any listed value will do.
  /// - Parameter json: the body; `nil` when it is no JSON or was too large to read.
  func matches(status: Int, headers: HTTPFields, json: JSONValue?) -> Bool {
    guard self.status.isEmpty || self.status.contains(status) else { return false }
    for (name, values) in self.headers {
      guard let name = HTTPField.Name(name), let value = headers[name] else { return false }
      guard values.contains(where: { $0 == "*" || $0.lowercased() == value.lowercased() }) else {
        return false
      }
    }
    for (path, values) in body {
      guard let value = json?[path: path], values.contains(value) else { return false }
    }
    for (path, texts) in bodyContains {
      guard let value = json?[path: path]?.string, Self.contains(texts, in: value) else {
        return false
      }
    }
    return true
  }

  static func contains(_ texts: [String], in value: String) -> Bool {
    let value = value.lowercased()
    return texts.contains { value.contains($0.lowercased()) }
  }

  /// Every path into the body that decides.
  var bodyPaths: [String] { Array(body.keys) + Array(bodyContains.keys) }

  /// Whether the body decides, for an answer with this status.
  func needsBody(status: Int) -> Bool {
    !bodyPaths.isEmpty && (self.status.isEmpty || self.status.contains(status))
  }
}
