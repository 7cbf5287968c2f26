import Fairlead

extension StripeState {
  static let subscriptionFields: [String: StripeField] = [
    "customer": .special, "items": .special, "payment_behavior": .special,
    "collection_method": .special, "cancel_at_period_end": .special, "cancel_at": .special,
    "trial_period_days": .special, "trial_end": .special, "description": .text,
    "default_payment_method": .special, "days_until_due": .integer, "off_session": .special,
    "payment_settings": .special, "proration_behavior": .special, "billing_mode": .special,
    "currency": .special,
  ]
  private static let behaviors = [
    "allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete",
  ]

  mutating func createSubscription(_ parameters: StripeParameters) throws(StripeError) -> Object {
    let customer = try parameters.required("customer")
    _ = try referenced(.customer, customer, param: "customer")
    var subscription = blankSubscription(customer: customer)
    try parameters.apply(Self.subscriptionFields, to: &subscription)
    let behavior = try parameters.choice("payment_behavior", Self.behaviors) ?? "allow_incomplete"
    guard let given = try parameters.elements("items"), !given.isEmpty else {
      throw .missing("items")
    }
    guard given.count <= 20 else {
      throw .invalid("A subscription can have up to 20 items.", param: "items")
    }
    try setTrial(parameters, on: &subscription)
    try setCollection(parameters, on: &subscription)
    var items: [Object] = []
    for parameters in given {
      try parameters.allow(["price", "quantity", "metadata"])
      items.append(try newItem(parameters, subscription, beside: items))
    }
    subscription["currency"] = items.first?["price"]?[path: "currency"] ?? "usd"
    try setItems(items, on: &subscription)
    try setEnd(parameters, on: &subscription)
    let amount = items.reduce(Int64(0)) { $0.addingReportingOverflow(Self.amount($1)).partialValue }
    let (invoice, status) = try firstInvoice(
      subscription, amount: amount, currency: subscription["currency"]?.string ?? "usd",
      behavior: behavior)
    subscription["latest_invoice"] = .string(invoice)
    subscription["status"] = .string(status)
    for item in items { save(.subscriptionItem, item) }
    save(.subscription, subscription)
    record("customer.subscription.created", subscription)
    schedule(subscription)
    return subscription
  }

  private func blankSubscription(customer: String) -> Object {
    var subscription = base(.subscription)
    for name in [
      "application", "cancel_at", "canceled_at", "days_until_due", "default_payment_method",
      "description", "ended_at", "pause_collection", "pending_update", "schedule", "trial_end",
      "trial_start",
    ] { subscription[name] = .null }
    subscription["billing_cycle_anchor"] = .int(now.seconds)
    subscription["cancel_at_period_end"] = false
    subscription["collection_method"] = "charge_automatically"
    subscription["customer"] = .string(customer)
    subscription["discounts"] = []
    subscription["start_date"] = .int(now.seconds)
    return subscription
  }

  mutating func updateSubscription(
    _ id: String, _ parameters: StripeParameters
  ) throws(StripeError) -> Object {
    let before = try stored(.subscription, id)
    guard !["canceled", "incomplete_expired"].contains(before["status"]?.string) else {
      throw .invalid("A canceled subscription can only have its metadata changed.")
    }
    for name in ["customer", "trial_period_days", "currency"] where parameters.has(name) {
      throw .unknown(name)
    }
    var subscription = before
    try parameters.apply(Self.subscriptionFields, to: &subscription)
    try setCollection(parameters, on: &subscription)
    if let given = try parameters.elements("items") { try changeItems(given, on: &subscription) }
    if parameters.has("trial_end") {
      try setTrial(parameters, on: &subscription)
      subscription["status"] = subscription["trial_end"]?.int == nil ? "active" : "trialing"
    }
    try setEnd(parameters, on: &subscription)
    saveChange(
      .subscription, subscription, before: before, event: "customer.subscription.updated")
    schedule(subscription)
    return subscription
  }

  mutating func cancelSubscription(
    _ id: String, _ parameters: StripeParameters
  ) throws(StripeError) -> Object {
    try parameters.allow(["invoice_now", "prorate", "cancellation_details"])
    let subscription = try stored(.subscription, id)
    guard subscription["status"]?.string != "canceled" else {
      throw .noSuch(.subscription, id, param: "id", inPath: true)
    }
    endSubscription(id, at: now.seconds)
    return try stored(.subscription, id)
  }

  /// Ends it and notes that.
  mutating func endSubscription(_ id: String, at time: Int64) {
    guard var subscription = objects[.subscription]?[id] else { return }
    subscription["status"] = "canceled"
    subscription["canceled_at"] =
      subscription["canceled_at"]?.int == nil ? .int(time) : subscription["canceled_at"]
    subscription["ended_at"] = .int(time)
    save(.subscription, subscription)
    record("customer.subscription.deleted", subscription)
  }

  private mutating func setCollection(
    _ parameters: StripeParameters, on subscription: inout Object
  ) throws(StripeError) {
    if let method = try parameters.choice(
      "collection_method", ["charge_automatically", "send_invoice"])
    {
      subscription["collection_method"] = .string(method)
    }
    if let method = try parameters.text("default_payment_method") {
      subscription["default_payment_method"] =
        method.isEmpty
        ? .null
        : .string(
          try usablePaymentMethod(
            method, param: "default_payment_method",
            customer: subscription["customer"]?.string))
    }
  }

  private func setTrial(
    _ parameters: StripeParameters, on subscription: inout Object
  ) throws(StripeError) {
    var end: Int64?
    if let days = try parameters.integer("trial_period_days") {
      guard (0...730).contains(days) else {
        throw .invalid("trial_period_days must be from 0 to 730.", param: "trial_period_days")
      }
      end = days == 0 ? nil : now.seconds + days * 86_400
    }
    if try parameters.text("trial_end") == "now" {
      end = nil
    } else if let time = try parameters.integer("trial_end") {
      guard time > now.seconds, time <= now.seconds + 63_072_000 else {
        throw .invalid("trial_end must be within the next two years.", param: "trial_end")
      }
      end = time
    } else if end == nil {
      guard parameters.has("trial_period_days") else { return }
    }
    subscription["trial_start"] = end == nil ? .null : .int(now.seconds)
    subscription["trial_end"] = end.map { .int($0) } ?? .null
  }

  /// `cancel_at` and `cancel_at_period_end`.
  private func setEnd(
    _ parameters: StripeParameters, on subscription: inout Object
  ) throws(StripeError) {
    let ends = Self.itemPeriods(subscription)
    if let flag = try parameters.flag("cancel_at_period_end") {
      subscription["cancel_at_period_end"] = .bool(flag)
      subscription["cancel_at"] = flag ? ends.max().map { .int($0) } ?? .null : .null
      subscription["canceled_at"] = flag ? .int(now.seconds) : .null
    }
    guard let text = try parameters.text("cancel_at") else { return }
    switch text {
    case "":
      subscription["cancel_at"] = .null
      subscription["canceled_at"] = .null
    case "min_period_end": subscription["cancel_at"] = ends.min().map { .int($0) } ?? .null
    case "max_period_end": subscription["cancel_at"] = ends.max().map { .int($0) } ?? .null
    default:
      guard let time = try parameters.integer("cancel_at"), time > now.seconds else {
        throw .invalid("cancel_at must be in the future.", param: "cancel_at")
      }
      subscription["cancel_at"] = .int(time)
    }
    if !text.isEmpty { subscription["canceled_at"] = .int(now.seconds) }
  }
}
