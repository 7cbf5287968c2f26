import Fairlead

extension StripeState {
  private static let intentFields: [String: StripeField] = [
    "amount": .special, "currency": .special, "customer": .special, "payment_method": .special,
    "confirm": .special, "capture_method": .special, "automatic_payment_methods": .special,
    "payment_method_types": .texts, "description": .text, "receipt_email": .text,
    "statement_descriptor": .text, "statement_descriptor_suffix": .text, "shipping": .fields,
    "setup_future_usage": .text, "off_session": .special, "return_url": .special,
    "confirmation_method": .text, "payment_method_options": .special, "transfer_group": .text,
    "use_stripe_sdk": .special, "error_on_requires_action": .special,
  ]

  func blankPaymentIntent(amount: Int64, currency: String) -> Object {
    var intent = base(.paymentIntent)
    for name in [
      "canceled_at", "cancellation_reason", "customer", "description", "last_payment_error",
      "latest_charge", "next_action", "payment_method", "receipt_email", "setup_future_usage",
      "shipping", "statement_descriptor", "statement_descriptor_suffix", "transfer_group",
    ] { intent[name] = .null }
    let id = intent["id"]?.string ?? ""
    intent["amount"] = .int(amount)
    intent["amount_capturable"] = 0
    intent["amount_received"] = 0
    intent["automatic_payment_methods"] = ["allow_redirects": "always", "enabled": true]
    intent["capture_method"] = "automatic_async"
    intent["client_secret"] = .string("\(id)_secret_\(random.alphanumeric(25))")
    intent["confirmation_method"] = "automatic"
    intent["currency"] = .string(currency)
    intent["payment_method_types"] = ["card"]
    intent["status"] = "requires_payment_method"
    return intent
  }

  mutating func createPaymentIntent(_ parameters: StripeParameters) throws(StripeError) -> Object {
    guard let amount = try parameters.integer("amount") else { throw .missing("amount") }
    guard amount >= 1 else {
      throw .invalid("Invalid positive integer", code: "parameter_invalid_integer", param: "amount")
    }
    var intent = blankPaymentIntent(amount: amount, currency: try currency(parameters))
    try apply(parameters, to: &intent)
    save(.paymentIntent, intent)
    record("payment_intent.created", intent)
    guard try parameters.flag("confirm") == true else { return intent }
    return try charge(intent)
  }

  mutating func updatePaymentIntent(
    _ id: String, _ parameters: StripeParameters
  ) throws(StripeError) -> Object {
    let before = try stored(.paymentIntent, id)
    var intent = before
    try require(before, ["requires_payment_method", "requires_confirmation", "requires_action"])
    if let amount = try parameters.integer("amount") {
      guard amount >= 1 else {
        throw .invalid(
          "Invalid positive integer", code: "parameter_invalid_integer", param: "amount")
      }
      intent["amount"] = .int(amount)
    }
    if parameters.has("currency") { intent["currency"] = .string(try currency(parameters)) }
    if parameters.has("confirm") { throw .unknown("confirm") }
    try apply(parameters, to: &intent)
    save(.paymentIntent, intent)
    return intent
  }

  mutating func confirmPaymentIntent(
    _ id: String, _ parameters: StripeParameters
  ) throws(StripeError) -> Object {
    var intent = try stored(.paymentIntent, id)
    try require(intent, ["requires_payment_method", "requires_confirmation", "requires_action"])
    try apply(parameters, to: &intent)
    save(.paymentIntent, intent)
    return try charge(intent)
  }

  mutating func capturePaymentIntent(
    _ id: String, _ parameters: StripeParameters
  ) throws(StripeError) -> Object {
    try parameters.allow(["amount_to_capture", "metadata"])
    var intent = try stored(.paymentIntent, id)
    try require(intent, ["requires_capture"])
    let capturable = intent["amount_capturable"]?.int ?? 0
    let amount = try parameters.integer("amount_to_capture") ?? capturable
    guard (1...max(1, capturable)).contains(amount) else {
      throw .invalid("The amount is more than can be captured.", param: "amount_to_capture")
    }
    intent["metadata"] = try parameters.metadata(onto: intent["metadata"])
    return succeed(&intent, amount: amount)
  }

  mutating func cancelPaymentIntent(
    _ id: String, _ parameters: StripeParameters
  ) throws(StripeError) -> Object {
    try parameters.allow(["cancellation_reason"])
    var intent = try stored(.paymentIntent, id)
    try require(
      intent,
      ["requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"])
    intent["status"] = "canceled"
    intent["canceled_at"] = .int(now.seconds)
    intent["cancellation_reason"] =
      try parameters.text("cancellation_reason").map { .string($0) } ?? .null
    intent["amount_capturable"] = 0
    save(.paymentIntent, intent)
    record("payment_intent.canceled", intent)
    return intent
  }

  private func require(_ intent: Object, _ statuses: [String]) throws(StripeError) {
    let status = intent["status"]?.string ?? ""
    guard statuses.contains(status) else {
      throw .state(
        "This PaymentIntent's status is \(status); the request needs one of: "
          + "\(statuses.joined(separator: ", ")).", code: "payment_intent_unexpected_state")
    }
  }

  private mutating func apply(
    _ parameters: StripeParameters, to intent: inout Object
  ) throws(StripeError) {
    try parameters.apply(Self.intentFields, to: &intent)
    if let customer = try parameters.text("customer"), !customer.isEmpty {
      _ = try referenced(.customer, customer, param: "customer")
      intent["customer"] = .string(customer)
    }
    if let capture = try parameters.choice(
      "capture_method", ["automatic", "automatic_async", "manual"])
    {
      intent["capture_method"] = .string(capture)
    }
    if parameters.has("payment_method_types") { intent["automatic_payment_methods"] = .null }
    if let method = try parameters.text("payment_method"), !method.isEmpty {
      intent["payment_method"] = .string(
        try usablePaymentMethod(method, param: "payment_method", customer: nil))
      if intent["status"]?.string == "requires_payment_method" {
        intent["status"] = "requires_confirmation"
      }
    }
  }

  /// Charges the payment method: a success, a decline (402) or a step for the customer.
  private mutating func charge(_ intent: Object) throws(StripeError) -> Object {
    var intent = intent
    guard let method = intent["payment_method"]?.string else {
      throw .state(
        "A payment method is needed to confirm this PaymentIntent.",
        code: "payment_intent_unexpected_state")
    }
    let card = self.card(of: method)
    if let decline = card.decline { throw declined(&intent, decline) }
    if card == .authenticationRequired {
      intent["status"] = "requires_action"
      intent["next_action"] = ["type": "use_stripe_sdk", "use_stripe_sdk": [:]]
      save(.paymentIntent, intent)
      record("payment_intent.requires_action", intent)
      return intent
    }
    if intent["capture_method"]?.string == "manual" {
      intent["status"] = "requires_capture"
      intent["amount_capturable"] = intent["amount"]
      save(.paymentIntent, intent)
      record("payment_intent.amount_capturable_updated", intent)
      return intent
    }
    return succeed(&intent, amount: intent["amount"]?.int ?? 0)
  }

  private mutating func succeed(_ intent: inout Object, amount: Int64) -> Object {
    intent["status"] = "succeeded"
    intent["amount_capturable"] = 0
    intent["amount_received"] = .int(amount)
    intent["last_payment_error"] = .null
    intent["next_action"] = .null
    var charge = blankCharge(intent)
    charge["amount_captured"] = .int(amount)
    save(.charge, charge)
    intent["latest_charge"] = charge["id"]
    save(.paymentIntent, intent)
    record("charge.succeeded", charge)
    record("payment_intent.succeeded", intent)
    return intent
  }

  private mutating func declined(
    _ intent: inout Object, _ decline: (code: String, declineCode: String, message: String)
  ) -> StripeError {
    var error = StripeError(
      status: 402, type: "card_error", code: decline.code, message: decline.message)
    error.executed = true
    intent["status"] = "requires_payment_method"
    intent["last_payment_error"] = [
      "type": "card_error", "code": .string(decline.code),
      "decline_code": .string(decline.declineCode), "message": .string(decline.message),
    ]
    intent["payment_method"] = .null
    save(.paymentIntent, intent)
    record("payment_intent.payment_failed", intent)
    error.extra = [
      "decline_code": .string(decline.declineCode), "payment_intent": .object(intent),
    ]
    return error
  }
}
