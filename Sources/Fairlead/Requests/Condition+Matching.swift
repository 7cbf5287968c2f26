import HTTPTypes

extension ProviderDefinition.Condition {
  /// Whether an answer looks like this: all parts must match, any listed value will do.
  /// - Parameter json: the body; `nil` when it is no JSON or was too large to read.
  func matches(status: Int, headers: HTTPFields, json: JSONValue?) -> Bool {
    guard self.status.isEmpty || self.status.contains(status) else { return false }
    for (name, values) in self.headers {
      guard let name = HTTPField.Name(name), let value = headers[name] else { return false }
      guard values.contains(where: { $0.lowercased() == value.lowercased() }) else { return false }
    }
    for (path, values) in body {
      guard let value = json?[path: path], values.contains(value) else { return false }
    }
    return true
  }

  /// Whether the body decides, for an answer with this status.
  func needsBody(status: Int) -> Bool {
    !body.isEmpty && (self.status.isEmpty || self.status.contains(status))
  }
}
