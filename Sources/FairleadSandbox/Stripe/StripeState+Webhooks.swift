import Fairlead

extension StripeState {
  /// Events ordered by a control. What a type says happened is made true in the store where the
  /// type's object is simulated, so that reading the object agrees with the event.
  mutating func makeEvents(
    _ order: EventOrder, now: Timestamp
  ) throws(ControlError) -> [OutgoingEvent] {
    if let id = order.id {
      guard let event = objects[.event]?[id] else {
        throw ControlError(.notFound, "Stripe has no event \"\(id)\".")
      }
      return [Self.outgoing(event)]
    }
    requestID = ""
    idempotencyKey = nil
    var events: [OutgoingEvent] = []
    for (index, type) in order.typesToMake.enumerated() {
      self.now = now + .seconds(index)
      // `data` may be the object itself or Stripe's own wrapping of it.
      let data = order.data["object"]?.object ?? order.data
      let object = subject(of: type, data)
      events.append(Self.outgoing(record(type, object)))
    }
    return events
  }

  private static func outgoing(_ event: Object) -> OutgoingEvent {
    OutgoingEvent(
      id: event["id"]?.string ?? "", type: event["type"]?.string ?? "",
      body: JSONValue.object(event).bytes)
  }

  /// The object an event is about: an existing one when `data` names it, else a new one.
  private mutating func subject(of type: String, _ data: Object) -> Object {
    let parts = type.split(separator: ".").map(String.init)
    guard let kind = Self.kind(of: parts) else {
      var object: Object = [
        "id": .string("\(parts.first?.prefix(3) ?? "obj")_1\(random.alphanumeric(23))"),
        "object": .string(parts.dropLast().last ?? "object"), "created": .int(now.seconds),
        "livemode": false,
      ]
      object.merge(data) { _, given in given }
      return object
    }
    var object = data["id"]?.string.flatMap { objects[kind]?[$0] } ?? specimen(kind)
    object.merge(data) { _, given in given }
    for (name, value) in Self.consequences(kind, verb: parts.last ?? "") where data[name] == nil {
      object[name] = value
    }
    save(kind, object)
    return object
  }

  private static func kind(of parts: [String]) -> StripeKind? {
    // The longest object name that a type begins with: `customer.subscription.updated`.
    if parts.count > 2 { return StripeKind(rawValue: parts[parts.count - 2]) }
    return parts.first.flatMap { StripeKind(rawValue: $0) }.flatMap { $0 == .event ? nil : $0 }
  }

  /// A new object of a kind with everything that kind always has.
  private mutating func specimen(_ kind: StripeKind) -> Object {
    switch kind {
    case .customer: blankCustomer()
    case .product: blankProduct(name: "Sandbox product")
    case .paymentIntent: blankPaymentIntent(amount: 2_000, currency: "usd")
    case .invoice: blankInvoice(customer: .null, amount: 2_000, currency: "usd", subscription: nil)
    case .charge: blankCharge(blankPaymentIntent(amount: 2_000, currency: "usd"))
    case .price, .subscription, .subscriptionItem, .paymentMethod, .event: base(kind)
    }
  }

  /// What an event's verb says about its object.
  private static func consequences(_ kind: StripeKind, verb: String) -> Object {
    switch (kind, verb) {
    case (.paymentIntent, "succeeded"): ["status": "succeeded"]
    case (.paymentIntent, "canceled"): ["status": "canceled"]
    case (.paymentIntent, "payment_failed"): ["status": "requires_payment_method"]
    case (.paymentIntent, "requires_action"): ["status": "requires_action"]
    case (.paymentIntent, "processing"): ["status": "processing"]
    case (.invoice, "paid"), (.invoice, "payment_succeeded"):
      ["status": "paid", "amount_remaining": 0]
    case (.invoice, "payment_failed"), (.invoice, "finalized"): ["status": "open"]
    case (.invoice, "voided"): ["status": "void"]
    case (.subscription, "deleted"): ["status": "canceled"]
    case (.subscription, "created"): ["status": "active"]
    case (.charge, "succeeded"): ["status": "succeeded", "paid": true]
    case (.charge, "refunded"): ["refunded": true]
    case (.customer, "deleted"), (.product, "deleted"): ["deleted": true]
    default: [:]
    }
  }
}
