/// A path with placeholders, `/orders/{id}`, as definitions write it for endpoints and limits.
struct PathTemplate: Sendable, Hashable {
  let text: String
  /// `nil` stands for a placeholder, which matches any one segment.
  private let segments: [Substring?]

  init(_ text: String) {
    self.text = text
    segments = Self.split(text[...]).map { $0.hasPrefix("{") && $0.hasSuffix("}") ? nil : $0 }
  }

  /// - Parameter path: without its query.
  func matches(_ path: Substring) -> Bool {
    let given = Self.split(path)
    guard given.count == segments.count else { return false }
    return zip(segments, given).allSatisfy { $0 == nil || $0 == $1 }
  }

  private static func split(_ path: Substring) -> [Substring] {
    path.split(separator: "/", omittingEmptySubsequences: true)
  }
}
