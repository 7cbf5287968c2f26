import Fairlead

extension StripeState {
  /// An invoice as far as it is simulated: the first one of a subscription.
  func blankInvoice(
    customer: JSONValue, amount: Int64, currency: String, subscription: String?
  ) -> Object {
    var invoice = base(.invoice)
    invoice["customer"] = customer
    invoice["currency"] = .string(currency)
    for name in ["amount_due", "amount_remaining", "subtotal", "total"] {
      invoice[name] = .int(amount)
    }
    invoice["amount_paid"] = 0
    invoice["attempt_count"] = 0
    invoice["attempted"] = false
    invoice["billing_reason"] = subscription == nil ? "manual" : "subscription_create"
    invoice["collection_method"] = "charge_automatically"
    invoice["description"] = .null
    invoice["lines"] = [
      "object": "list", "data": [], "has_more": false,
      "url": .string("/v1/invoices/\(invoice["id"]?.string ?? "")/lines"),
    ]
    invoice["number"] = .string("\(random.capitals(8))-0001")
    invoice["parent"] =
      subscription.map {
        [
          "type": "subscription_details", "quote_details": nil,
          "subscription_details": ["metadata": [:], "subscription": .string($0)],
        ]
      } ?? .null
    invoice["period_start"] = .int(now.seconds)
    invoice["period_end"] = .int(now.seconds)
    invoice["status"] = "open"
    return invoice
  }

  /// Settles a new subscription's invoice. Returns the invoice and the subscription's status.
  mutating func firstInvoice(
    _ subscription: Object, amount: Int64, currency: String, behavior: String
  ) throws(StripeError) -> (id: String, status: String) {
    var invoice = blankInvoice(
      customer: subscription["customer"] ?? .null, amount: amount, currency: currency,
      subscription: subscription["id"]?.string)
    let id = invoice["id"]?.string ?? ""
    let collection = subscription["collection_method"] ?? "charge_automatically"
    invoice["collection_method"] = collection
    let isTrial = subscription["trial_end"]?.int != nil
    if isTrial || amount == 0 {
      settle(&invoice, amount: 0)
      return (id, isTrial ? "trialing" : "active")
    }
    if collection.string == "send_invoice" {
      save(.invoice, invoice)
      record("invoice.created", invoice)
      return (id, "active")
    }
    let card = defaultPaymentMethod(subscription).map { self.card(of: $0) } ?? .visa
    guard
      behavior == "default_incomplete" || card.decline != nil
        || card == .authenticationRequired
    else {
      settle(&invoice, amount: amount)
      return (id, "active")
    }
    if behavior == "error_if_incomplete" {
      let decline = card.decline
      throw StripeError(
        status: 402, type: "card_error",
        code: decline?.code ?? "subscription_payment_intent_requires_action",
        message: decline?.message ?? "The payment needs a step by the customer.")
    }
    var intent = blankPaymentIntent(amount: amount, currency: currency)
    intent["customer"] = subscription["customer"] ?? .null
    save(.paymentIntent, intent)
    invoice["attempted"] = .bool(behavior != "default_incomplete")
    invoice["\(Self.hidden)payment_intent"] = intent["id"]
    invoice["\(Self.hidden)confirmation_secret"] = [
      "client_secret": intent["client_secret"] ?? .null, "type": "payment_intent",
    ]
    save(.invoice, invoice)
    record("invoice.created", invoice)
    if behavior != "default_incomplete" { record("invoice.payment_failed", invoice) }
    return (id, "incomplete")
  }

  private mutating func settle(_ invoice: inout Object, amount: Int64) {
    for name in ["amount_due", "subtotal", "total"] { invoice[name] = .int(amount) }
    invoice["amount_paid"] = .int(amount)
    invoice["amount_remaining"] = 0
    invoice["attempted"] = true
    invoice["status"] = "paid"
    save(.invoice, invoice)
    record("invoice.created", invoice)
    record("invoice.paid", invoice)
  }

  /// The subscription's own payment method, else its customer's.
  private func defaultPaymentMethod(_ subscription: Object) -> String? {
    if let method = subscription["default_payment_method"]?.string { return method }
    return subscription["customer"]?.string.flatMap { objects[.customer]?[$0] }?[
      "invoice_settings"]?[path: "default_payment_method"]?.string
  }
}
