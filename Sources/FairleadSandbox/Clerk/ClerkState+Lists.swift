import Fairlead

/// Query parameters, read with types.
struct ClerkQuery {
  let pairs: [FormPair]

  init(_ request: SimulatedRequest) throws(ClerkError) {
    guard let pairs = request.queryPairs else {
      throw ClerkError(status: 400, code: "query_invalid", message: "The query cannot be read.")
    }
    self.pairs = pairs
  }

  subscript(name: String) -> String? { pairs[name] }

  /// Every value of a parameter that may repeat, with or without `[]`.
  func all(_ name: String) -> [String] {
    pairs.filter { $0.name == name || $0.name == "\(name)[]" }.map(\.value)
  }

  func number(_ name: String, in range: ClosedRange<Int64>) throws(ClerkError) -> Int64? {
    guard let text = pairs[name] else { return nil }
    guard let number = Int64(text), range.contains(number) else {
      throw .wrongType(name, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A slice of what was found: `limit` from 1 to 500, 10 by default, after `offset`.
  func page(_ all: [ClerkState.Object]) throws(ClerkError) -> [JSONValue] {
    let limit = try number("limit", in: 1...500) ?? 10
    let offset = try number("offset", in: 0...1_000_000_000) ?? 0
    return all.dropFirst(Int(offset)).prefix(Int(limit)).map { .object($0) }
  }
}

extension ClerkState {
  private static let orders: Set<String> = [
    "created_at", "updated_at", "email_address", "web3wallet", "first_name", "last_name",
    "phone_number", "username", "last_active_at", "last_sign_in_at",
  ]

  func listUsers(_ request: SimulatedRequest) throws(ClerkError) -> [JSONValue] {
    let query = try ClerkQuery(request)
    return try query.page(try sorted(try matching(query), by: query["order_by"]))
  }

  func countUsers(_ request: SimulatedRequest) throws(ClerkError) -> JSONValue {
    let query = try ClerkQuery(request)
    return ["object": "total_count", "total_count": .int(Int64(try matching(query).count))]
  }

  /// Newest first.
  private func matching(_ query: ClerkQuery) throws(ClerkError) -> [Object] {
    let ids = query.all("user_id")
    let emails = query.all("email_address").map { $0.lowercased() }
    let external = query.all("external_id")
    let names = query.all("username")
    let phones = query.all("phone_number")
    let text = query["query"]?.lowercased()
    let banned = query["banned"].map { $0 == "true" }
    var times: [(String, (Int64) -> Bool)] = []
    let bounds = Int64(0)...Int64.max
    for field in ["created_at", "last_active_at", "last_sign_in_at"] {
      if let bound = try query.number("\(field)_before", in: bounds) {
        times.append((field, { $0 < bound }))
      }
      if let bound = try query.number("\(field)_after", in: bounds) {
        times.append((field, { $0 > bound }))
      }
    }
    return users.newestFirst.map(\.value).filter { user in
      let own = Self.emails(of: user)
      if !ids.isEmpty, !ids.contains(user["id"]?.string ?? "") { return false }
      if !emails.isEmpty, !own.contains(where: emails.contains) { return false }
      if !external.isEmpty, !external.contains(user["external_id"]?.string ?? "") { return false }
      if !names.isEmpty, !names.contains(user["username"]?.string ?? "") { return false }
      if !phones.isEmpty, !Self.phones(of: user).contains(where: phones.contains) { return false }
      if let banned, user["banned"]?.bool != banned { return false }
      if let text {
        let searched =
          own + ["id", "first_name", "last_name", "username"].compactMap { user[$0]?.string }
        guard searched.contains(where: { $0.lowercased().contains(text) }) else { return false }
      }
      return times.allSatisfy { field, fits in user[field]?.int.map(fits) ?? false }
    }
  }

  private func sorted(_ users: [Object], by order: String?) throws(ClerkError) -> [Object] {
    guard let order else { return users }
    let descending = !order.hasPrefix("+")
    let field = order.hasPrefix("+") || order.hasPrefix("-") ? String(order.dropFirst()) : order
    // A plus that was not encoded arrives as a blank.
    let name = field.hasPrefix(" ") ? String(field.dropFirst()) : field
    guard Self.orders.contains(name) else { throw .wrongType("order_by", "a known field") }
    let isAscending = order.hasPrefix("+") || order.hasPrefix(" ") || !descending
    func key(_ user: Object) -> String {
      if name == "email_address" { return Self.emails(of: user).first ?? "" }
      if let number = user[name]?.int {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 20 - digits.count)) + digits
      }
      return user[name]?.string?.lowercased() ?? ""
    }
    // Equal keys keep their order, so that pages do not overlap.
    let keyed = users.enumerated().map { (index: $0.offset, key: key($0.element)) }
    let positions = keyed.sorted {
      if $0.key == $1.key { return $0.index < $1.index }
      return isAscending ? $0.key < $1.key : $0.key > $1.key
    }
    return positions.map { users[$0.index] }
  }

  static func emails(of user: Object) -> [String] {
    user["email_addresses"]?.array?.compactMap { $0["email_address"]?.string?.lowercased() } ?? []
  }

  private static func phones(of user: Object) -> [String] {
    user["phone_numbers"]?.array?.compactMap { $0["phone_number"]?.string } ?? []
  }
}
