import HTTPTypes

extension ProviderDefinition.Challenge {
  /// Longer answers are refused: a challenge is a nonce, not a document.
  private static let maximumLength = 4_096

  /// What to answer to this verified request; `nil` when it is no challenge.
  func answer(headers: HTTPFields, body: BodyPlaces) -> String? {
    guard when.status.isEmpty,
      when.headers.allSatisfy({ name, allowed in
        HTTPField.Name(name).flatMap { headers[$0]?.lowercased() }
          .map { value in allowed.contains { $0.lowercased() == value } } ?? false
      }),
      when.body.allSatisfy({ path, allowed in
        body[path].map(allowed.contains) ?? false
      }),
      when.bodyContains.allSatisfy({ path, texts in
        body[path]?.string.map { ProviderDefinition.Condition.contains(texts, in: $0) } ?? false
      }),
      let text = body[answer]?.scalarText, text.utf8.count <= Self.maximumLength
    else { return nil }
    return text
  }
}
