import Fairlead

/// A slice of a list, with the `Link` header that leads to the others (RFC 8288).
struct GitHubPage: Sendable {
  let number: Int
  let size: Int
  private let query: [FormPair]
  /// The list's own address, without a query.
  private let address: String

  init(_ request: SimulatedRequest, address: String) {
    query = request.queryPairs ?? []
    self.address = address
    // What is no number counts as missing, and more than a hundred as a hundred.
    number = min(max(1, query["page"].flatMap { Int($0) } ?? 1), 1_000_000)
    size = min(max(1, query["per_page"].flatMap { Int($0) } ?? 30), 100)
  }

  func response<Item>(_ items: [Item], _ present: (Item) -> JSONValue) -> SimulatedResponse {
    let slice = items.dropFirst((number - 1) * size).prefix(size)
    var response = SimulatedResponse.json(.array(slice.map(present)))
    let last = max(1, (items.count + size - 1) / size)
    var links: [String] = []
    func add(_ page: Int, _ relation: String) {
      links.append("<\(link(to: page))>; rel=\"\(relation)\"")
    }
    if number > 1 { add(min(number - 1, last), "prev") }
    if number < last {
      add(number + 1, "next")
      add(last, "last")
    }
    if number > 1 { add(1, "first") }
    if !links.isEmpty { response.set("link", links.joined(separator: ", ")) }
    return response
  }

  private func link(to page: Int) -> String {
    var pairs = query.filter { $0.name != "page" }
    pairs.append(FormPair(name: "page", value: String(page)))
    let text = pairs.map {
      "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))"
    }
    return "\(address)?\(text.joined(separator: "&"))"
  }
}
