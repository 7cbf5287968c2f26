import Fairlead

extension StripeState {
  private static let customerFields: [String: StripeField] = [
    "name": .text, "email": .text, "phone": .text, "description": .text, "address": .fields,
    "shipping": .fields, "balance": .integer, "preferred_locales": .texts, "tax_exempt": .text,
    "invoice_prefix": .text, "next_invoice_sequence": .integer, "payment_method": .special,
    "invoice_settings": .special, "source": .special, "tax": .special, "business_name": .text,
    "individual_name": .text,
  ]

  func blankCustomer() -> Object {
    var customer = base(.customer)
    for name in [
      "address", "currency", "default_source", "description", "email", "name", "phone", "shipping",
      "test_clock",
    ] { customer[name] = .null }
    customer["balance"] = 0
    customer["delinquent"] = false
    customer["invoice_prefix"] = .string(random.capitals(8))
    customer["next_invoice_sequence"] = 1
    customer["preferred_locales"] = []
    customer["tax_exempt"] = "none"
    customer["invoice_settings"] = [
      "custom_fields": nil, "default_payment_method": nil, "footer": nil, "rendering_options": nil,
    ]
    return customer
  }

  mutating func createCustomer(_ parameters: StripeParameters) throws(StripeError) -> Object {
    var customer = blankCustomer()
    try apply(parameters, toCustomer: &customer)
    save(.customer, customer)
    record("customer.created", customer)
    return customer
  }

  mutating func updateCustomer(
    _ id: String, _ parameters: StripeParameters
  ) throws(StripeError) -> Object {
    let before = try live(.customer, id)
    var customer = before
    try apply(parameters, toCustomer: &customer)
    saveChange(.customer, customer, before: before, event: "customer.updated")
    return customer
  }

  /// Deleting cancels the customer's subscriptions; a tombstone stays.
  mutating func deleteCustomer(_ id: String) throws(StripeError) -> Object {
    var customer = try live(.customer, id)
    for (subscriptionID, subscription) in all(.subscription)
    where subscription["customer"]?.string == id && subscription["status"]?.string != "canceled" {
      endSubscription(subscriptionID, at: now.seconds)
    }
    record("customer.deleted", customer)
    customer["deleted"] = true
    save(.customer, customer)
    return customer
  }

  private mutating func apply(
    _ parameters: StripeParameters, toCustomer customer: inout Object
  ) throws(StripeError) {
    try parameters.apply(Self.customerFields, to: &customer)
    for name in ["source", "tax"] where parameters.has(name) {
      throw .invalid("The sandbox does not simulate '\(name)' on customers.", param: name)
    }
    if let email = customer["email"]?.string, !email.contains("@") {
      throw .invalid(
        "Invalid email address: \(email.prefix(100))", code: "email_invalid", param: "email")
    }
    let id = customer["id"]?.string ?? ""
    if let method = try parameters.text("payment_method"), !method.isEmpty {
      _ = try usablePaymentMethod(method, param: "payment_method", customer: id)
    }
    guard let given = try parameters.nested("invoice_settings") else { return }
    try given.allow(["default_payment_method", "footer", "custom_fields", "rendering_options"])
    var settings = customer["invoice_settings"]?.object ?? [:]
    if let method = try given.text("default_payment_method") {
      settings["default_payment_method"] =
        method.isEmpty
        ? .null
        : .string(
          try usablePaymentMethod(
            method, param: given.full("default_payment_method"), customer: id))
    }
    if let footer = try given.text("footer") {
      settings["footer"] = footer.isEmpty ? .null : .string(footer)
    }
    customer["invoice_settings"] = .object(settings)
  }
}
