/// One `name=value` of a query or of a form body, decoded.
struct FormPair: Sendable, Equatable {
  var name: String
  var value: String

  /// How many pairs one form may have.
  static let limit = 5_000

  /// Reads `application/x-www-form-urlencoded` text; a malformed percent escape stands for itself.
  /// `nil` when there are more than `limit` pairs or the decoded bytes are no UTF-8.
  static func parse(_ bytes: some Sequence<UInt8>) -> [FormPair]? {
    var pairs: [FormPair] = []
    for part in Array(bytes).split(separator: UInt8(ascii: "&")) {
      guard pairs.count < limit else { return nil }
      let halves = part.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard let first = halves.first, let name = PercentEncoding.decode(first, plusIsSpace: true)
      else { return nil }
      guard halves.count > 1 else {
        pairs.append(FormPair(name: name, value: ""))
        continue
      }
      guard let value = PercentEncoding.decode(halves[1], plusIsSpace: true) else { return nil }
      pairs.append(FormPair(name: name, value: value))
    }
    return pairs
  }
}

extension [FormPair] {
  /// The value of the last pair of that name.
  subscript(name: String) -> String? { last { $0.name == name }?.value }
}
