import Fairlead

extension StripeState {
  private static let paging: Set<String> = ["limit", "starting_after", "ending_before", "created"]

  /// What a collection can be narrowed by: parameter and member have the same name.
  private static let filters: [StripeKind: Set<String>] = [
    .customer: ["email"], .product: ["active", "url", "shippable"],
    .price: ["active", "product", "currency", "type"],
    .subscription: ["customer", "status", "collection_method"],
    .invoice: ["customer", "status", "collection_method"],
    .paymentIntent: ["customer"], .charge: ["customer", "payment_intent"],
    .paymentMethod: ["customer", "type"], .event: ["type"],
  ]

  /// One page, newest first.
  func list(_ kind: StripeKind, _ parameters: StripeParameters) throws(StripeError) -> JSONValue {
    let filters = Self.filters[kind] ?? []
    var allowed = Self.paging.union(filters)
    if kind == .event { allowed.formUnion(["types", "delivery_success"]) }
    if kind == .price { allowed.insert("lookup_keys") }
    if kind == .product { allowed.insert("ids") }
    try parameters.allow(allowed)
    let limit = try parameters.integer("limit") ?? 10
    guard (1...100).contains(limit) else {
      throw .invalid("limit must be from 1 to 100.", param: "limit")
    }
    let matches = try filter(kind, filters, parameters)
    let (after, before) = (
      try parameters.text("starting_after"), try parameters.text("ending_before")
    )
    guard after == nil || before == nil else {
      throw .invalid("Use starting_after or ending_before, not both.", param: "ending_before")
    }
    for (name, id) in [("starting_after", after), ("ending_before", before)] {
      if let id, objects[kind]?[id] == nil { throw .noSuch(kind, id, param: name) }
    }
    let all = (objects[kind]?.newestFirst.map(\.value) ?? []).filter(matches)
    let page: ArraySlice<Object>
    let hasMore: Bool
    if let before {
      // The items right above the cursor; more may be above those.
      let above = all.prefix { $0["id"]?.string != before }
      page = above.suffix(Int(limit))
      hasMore = above.count > page.count
    } else {
      let start = after.flatMap { id in all.firstIndex { $0["id"]?.string == id } }.map { $0 + 1 }
      let below = all[(start ?? 0)...]
      page = below.prefix(Int(limit))
      hasMore = below.count > page.count
    }
    return [
      "object": "list", "url": .string("/v1/\(kind.collection)"), "has_more": .bool(hasMore),
      "data": .array(page.map { .object($0) }),
    ]
  }

  private func filter(
    _ kind: StripeKind, _ names: Set<String>, _ parameters: StripeParameters
  ) throws(StripeError) -> (Object) -> Bool {
    var wanted: [(String, JSONValue)] = []
    for name in names {
      guard let text = try parameters.text(name), !text.isEmpty else { continue }
      wanted.append(
        (name, ["true", "false"].contains(text) ? .bool(text == "true") : .string(text)))
    }
    let types = try parameters.texts("types")
    let keys = try parameters.texts("lookup_keys")
    let ids = try parameters.texts("ids")
    let created = try createdRange(parameters)
    let status = try parameters.text("status")
    return { object in
      guard object["deleted"]?.bool != true else { return false }
      guard created.contains(object["created"]?.int ?? 0) else { return false }
      if let types, !types.contains(where: { Self.matches($0, object["type"]?.string) }) {
        return false
      }
      if let keys, !keys.contains(object["lookup_key"]?.string ?? "") { return false }
      if let ids, !ids.contains(object["id"]?.string ?? "") { return false }
      // Without a status, canceled subscriptions are left out; `all` includes them.
      if kind == .subscription, status == nil, object["status"]?.string == "canceled" {
        return false
      }
      return wanted.allSatisfy { name, value in
        switch (name, value) {
        case ("status", "all"): true
        case ("status", "ended"):
          ["canceled", "incomplete_expired"].contains(object["status"]?.string)
        case ("type", .string(let text)) where kind == .event:
          Self.matches(text, object["type"]?.string)
        default: object[name] == value
        }
      }
    }
  }

  /// An event type, also with `*` for its last part.
  private static func matches(_ pattern: String, _ type: String?) -> Bool {
    type.map { PathPattern.matches(pattern, $0) } ?? false
  }

  private func createdRange(_ parameters: StripeParameters) throws(StripeError) -> ClosedRange<
    Int64
  > {
    guard case .fields(let bounds)? = parameters.members["created"] else {
      guard let exact = try parameters.integer("created") else { return .min ... .max }
      return exact...exact
    }
    let range = StripeParameters(bounds, prefix: "created")
    try range.allow(["gt", "gte", "lt", "lte"])
    var (low, high) = (Int64.min, Int64.max)
    if let bound = try range.integer("gt") { low = max(low, bound + 1) }
    if let bound = try range.integer("gte") { low = max(low, bound) }
    if let bound = try range.integer("lt") { high = min(high, bound - 1) }
    if let bound = try range.integer("lte") { high = min(high, bound) }
    guard low <= high else { throw .invalid("The created range is empty.", param: "created") }
    return low...high
  }
}
