import Fairlead
import Foundation

extension StripeState {
  func newItem(
    _ parameters: StripeParameters, _ subscription: Object, beside others: [Object]
  ) throws(StripeError) -> Object {
    let priceID = try parameters.required("price")
    let price = try referenced(.price, priceID, param: parameters.full("price"))
    guard let recurring = price["recurring"], recurring != .null else {
      throw .invalid(
        "The price \(priceID) is one-time; a subscription needs recurring prices.",
        param: parameters.full("price"))
    }
    if let other = others.first?["price"], other["currency"] != price["currency"] {
      throw .invalid("All prices of a subscription need the same currency.", param: "items")
    }
    var item = base(.subscriptionItem)
    item["livemode"] = nil
    item["discounts"] = []
    item["price"] = .object(price)
    item["quantity"] = .int(try quantity(parameters) ?? 1)
    item["subscription"] = subscription["id"]
    item["metadata"] = try parameters.metadata(onto: nil)
    let end = subscription["trial_end"]?.int ?? Self.periodEnd(now.seconds, recurring)
    item["current_period_start"] = .int(now.seconds)
    item["current_period_end"] = .int(end)
    return item
  }

  private func quantity(_ parameters: StripeParameters) throws(StripeError) -> Int64? {
    guard let quantity = try parameters.integer("quantity") else { return nil }
    guard (0...999_999).contains(quantity) else {
      throw .invalid("quantity must be from 0 to 999999.", param: parameters.full("quantity"))
    }
    return quantity
  }

  /// Changes, adds and removes items of a subscription.
  mutating func changeItems(
    _ given: [StripeParameters], on subscription: inout Object
  ) throws(StripeError) {
    var items = (subscription["items"]?[path: "data"]?.array ?? []).compactMap(\.object)
    for parameters in given {
      try parameters.allow(["id", "price", "quantity", "metadata", "deleted"])
      guard let id = try parameters.text("id"), !id.isEmpty else {
        items.append(try newItem(parameters, subscription, beside: items))
        continue
      }
      guard let index = items.firstIndex(where: { $0["id"]?.string == id }) else {
        throw .noSuch(.subscriptionItem, id, param: parameters.full("id"))
      }
      if try parameters.flag("deleted") == true {
        items.remove(at: index)
        continue
      }
      if let quantity = try quantity(parameters) { items[index]["quantity"] = .int(quantity) }
      items[index]["metadata"] = try parameters.metadata(onto: items[index]["metadata"])
      if parameters.has("price") {
        let changed = try newItem(parameters, subscription, beside: [])
        items[index]["price"] = changed["price"]
      }
    }
    guard !items.isEmpty, items.count <= 20 else {
      throw .invalid("A subscription needs 1 to 20 items.", param: "items")
    }
    for item in items { save(.subscriptionItem, item) }
    try setItems(items, on: &subscription)
  }

  func setItems(_ items: [Object], on subscription: inout Object) throws(StripeError) {
    let id = subscription["id"]?.string ?? ""
    subscription["items"] = [
      "object": "list", "has_more": false, "total_count": .int(Int64(items.count)),
      "url": .string("/v1/subscription_items?subscription=\(id)"),
      "data": .array(items.map { .object($0) }),
    ]
  }

  static func itemPeriods(_ subscription: Object) -> [Int64] {
    (subscription["items"]?[path: "data"]?.array ?? []).compactMap {
      $0["current_period_end"]?.int
    }
  }

  static func amount(_ item: Object) -> Int64 {
    let unit = item["price"]?[path: "unit_amount"]?.int ?? 0
    return unit.multipliedReportingOverflow(by: item["quantity"]?.int ?? 1).partialValue
  }

  /// The end of a billing period that starts at `start`, in calendar terms (UTC).
  static func periodEnd(_ start: Int64, _ recurring: JSONValue) -> Int64 {
    let count = Int(recurring["interval_count"]?.int ?? 1)
    var step = DateComponents()
    switch recurring["interval"]?.string {
    case "day": step.day = count
    case "week": step.day = 7 * count
    case "year": step.year = count
    default: step.month = count
    }
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let date = Date(timeIntervalSince1970: Double(start))
    return calendar.date(byAdding: step, to: date).map { Int64($0.timeIntervalSince1970) }
      ?? start + 30 * 86_400
  }
}
