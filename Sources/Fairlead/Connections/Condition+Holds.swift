import HTTPTypes

extension ProviderDefinition.Condition {
  /// Whether an answer is what the condition describes: all parts match, any value of a part will do.
  func holds(status: Int, headers: HTTPFields, body: JSONValue?) -> Bool {
    guard self.status.isEmpty || self.status.contains(status) else { return false }
    for (name, values) in self.headers {
      guard let name = HTTPField.Name(name), let value = headers[name]?.lowercased(),
        values.contains(where: { $0.lowercased() == value })
      else { return false }
    }
    for (path, values) in self.body {
      guard let value = body?[path: path], values.contains(value) else { return false }
    }
    return true
  }
}
