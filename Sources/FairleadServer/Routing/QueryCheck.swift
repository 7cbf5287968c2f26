import Fairlead

extension Route {
  /// The query parameters it is documented with.
  private var queryNames: [String] {
    documentation.parameters.filter { $0.place == .query }.map(\.name)
  }

  /// Refuses a query parameter that a list does not know: a misspelt filter would otherwise answer
  /// everything, and look as if it had filtered.
  /// - Throws: `FairleadError` (`invalidRequest`) naming those that are known.
  func requireKnown(_ query: [(String, String)]) throws {
    let known = queryNames
    guard path.hasPrefix("/v1/"), !known.isEmpty else { return }
    guard let unknown = query.first(where: { !known.contains($0.0) })?.0 else { return }
    let name = String(
      unknown.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }.prefix(64))
    throw FairleadError(
      .invalidRequest,
      "\(name) is no filter of this list. It takes \(known.sorted().joined(separator: ", ")).")
  }
}
