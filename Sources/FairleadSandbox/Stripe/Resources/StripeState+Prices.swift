import Fairlead

extension StripeState {
  private static let priceFields: [String: StripeField] = [
    "currency": .special, "product": .special, "product_data": .special, "unit_amount": .special,
    "unit_amount_decimal": .special, "recurring": .special, "active": .flag, "nickname": .text,
    "lookup_key": .text, "tax_behavior": .text, "billing_scheme": .special,
    "transfer_lookup_key": .special,
  ]

  mutating func createPrice(_ parameters: StripeParameters) throws(StripeError) -> Object {
    var price = base(.price)
    for name in [
      "custom_unit_amount", "lookup_key", "nickname", "tiers_mode", "transform_quantity",
    ] {
      price[name] = .null
    }
    price["active"] = true
    price["billing_scheme"] = "per_unit"
    price["tax_behavior"] = "unspecified"
    try parameters.apply(Self.priceFields, to: &price)
    if try parameters.text("billing_scheme") == "tiered" {
      throw .invalid("The sandbox does not simulate tiered prices.", param: "billing_scheme")
    }
    price["currency"] = .string(try currency(parameters))
    try setAmount(parameters, on: &price)
    let recurring = try recurring(parameters)
    price["recurring"] = recurring ?? .null
    price["type"] = recurring == nil ? "one_time" : "recurring"
    if let key = price["lookup_key"]?.string {
      for (_, other) in all(.price)
      where other["lookup_key"]?.string == key {
        throw .invalid("A price with this lookup key exists.", param: "lookup_key")
      }
    }
    price["product"] = .string(try product(for: parameters))
    save(.price, price)
    record("price.created", price)
    return price
  }

  mutating func updatePrice(
    _ id: String, _ parameters: StripeParameters
  ) throws(StripeError) -> Object {
    let before = try live(.price, id)
    try parameters.allow(["active", "nickname", "lookup_key", "metadata", "tax_behavior"])
    var price = before
    try parameters.apply(Self.priceFields, to: &price)
    saveChange(.price, price, before: before, event: "price.updated")
    return price
  }

  func currency(_ parameters: StripeParameters) throws(StripeError) -> String {
    let text = try parameters.required("currency").lowercased()
    guard text.utf8.count == 3, text.utf8.allSatisfy({ (97...122).contains($0) }) else {
      throw .invalid("Invalid currency: \(text.prefix(20))", param: parameters.full("currency"))
    }
    return text
  }

  private func setAmount(
    _ parameters: StripeParameters, on price: inout Object
  ) throws(StripeError) {
    if let decimal = try parameters.text("unit_amount_decimal"), !decimal.isEmpty {
      guard let value = Double(decimal), value >= 0, value.isFinite, value < 1e14,
        !parameters.has("unit_amount")
      else {
        throw .invalid("Invalid decimal: \(decimal.prefix(50))", param: "unit_amount_decimal")
      }
      price["unit_amount_decimal"] = .string(decimal)
      price["unit_amount"] = Int64(exactly: value).map { .int($0) } ?? .null
      return
    }
    guard let amount = try parameters.integer("unit_amount") else { throw .missing("unit_amount") }
    guard amount >= 0 else {
      throw .invalid(
        "Invalid non-negative integer", code: "parameter_invalid_integer", param: "unit_amount")
    }
    price["unit_amount"] = .int(amount)
    price["unit_amount_decimal"] = .string(String(amount))
  }

  private func recurring(_ parameters: StripeParameters) throws(StripeError) -> JSONValue? {
    guard let given = try parameters.nested("recurring") else { return nil }
    try given.allow(["interval", "interval_count", "usage_type", "trial_period_days"])
    guard let interval = try given.choice("interval", ["day", "week", "month", "year"]) else {
      throw .missing(given.full("interval"))
    }
    let count = try given.integer("interval_count") ?? 1
    guard (1...36).contains(count) else {
      throw .invalid("interval_count must be from 1 to 36.", param: given.full("interval_count"))
    }
    return [
      "interval": .string(interval), "interval_count": .int(count), "meter": nil,
      "trial_period_days": nil, "usage_type": "licensed",
    ]
  }

  private mutating func product(for parameters: StripeParameters) throws(StripeError) -> String {
    if let id = try parameters.text("product"), !id.isEmpty {
      _ = try referenced(.product, id, param: "product")
      return id
    }
    guard let data = try parameters.nested("product_data") else { throw .missing("product") }
    let product = try createProduct(data)
    return product["id"]?.string ?? ""
  }
}
