import Fairlead

/// What the card behind a test payment method does when it is charged.
enum StripeCard: String, Sendable {
  case visa = "pm_card_visa"
  case mastercard = "pm_card_mastercard"
  case amex = "pm_card_amex"
  case declined = "pm_card_chargeDeclined"
  case insufficientFunds = "pm_card_chargeDeclinedInsufficientFunds"
  case expired = "pm_card_chargeDeclinedExpiredCard"
  case authenticationRequired = "pm_card_authenticationRequired"

  var brand: String {
    switch self {
    case .mastercard: "mastercard"
    case .amex: "amex"
    default: "visa"
    }
  }

  /// Stripe's `code` and `decline_code` when it declines.
  var decline: (code: String, declineCode: String, message: String)? {
    switch self {
    case .declined: ("card_declined", "generic_decline", "Your card was declined.")
    case .insufficientFunds:
      ("card_declined", "insufficient_funds", "Your card has insufficient funds.")
    case .expired: ("expired_card", "expired_card", "Your card has expired.")
    default: nil
    }
  }
}

extension StripeState {
  mutating func createPaymentMethod(_ parameters: StripeParameters) throws(StripeError) -> Object {
    try parameters.allow(["type", "card", "billing_details", "metadata"])
    guard try parameters.choice("type", ["card"]) != nil else { throw .missing("type") }
    guard let card = try parameters.nested("card") else { throw .missing("card") }
    let token = try card.required("token")
    let suffix = token.hasPrefix("tok_") ? String(token.dropFirst(4)) : ""
    guard let kind = StripeCard(rawValue: "pm_card_\(suffix)") else {
      throw .invalid(
        "No such token: '\(token.prefix(100))'", code: "resource_missing", param: card.full("token")
      )
    }
    var method = blankPaymentMethod(kind)
    method["metadata"] = try parameters.metadata(onto: nil)
    if let details = try parameters.nested("billing_details") {
      method["billing_details"] = .object(details.members.mapValues(\.json))
    }
    save(.paymentMethod, method)
    return method
  }

  mutating func attachPaymentMethod(
    _ id: String, _ parameters: StripeParameters
  ) throws(StripeError) -> Object {
    try parameters.allow(["customer"])
    let customer = try parameters.required("customer")
    _ = try referenced(.customer, customer, param: "customer")
    if StripeCard(rawValue: id) == nil { _ = try live(.paymentMethod, id) }
    let used = try usablePaymentMethod(id, param: "payment_method", customer: customer)
    let method = try stored(.paymentMethod, used)
    record("payment_method.attached", method)
    return method
  }

  /// Resolves a payment method a parameter names; a test one (`pm_card_…`) becomes a stored method
  /// of its own. Attaches it when a customer is given.
  mutating func usablePaymentMethod(
    _ id: String, param: String, customer: String?
  ) throws(StripeError) -> String {
    var method: Object
    if let card = StripeCard(rawValue: id) {
      method = blankPaymentMethod(card)
    } else {
      method = try referenced(.paymentMethod, id, param: param)
    }
    if let customer {
      if let owner = method["customer"]?.string, owner != customer {
        throw .invalid("The payment method belongs to another customer.", param: param)
      }
      method["customer"] = .string(customer)
    }
    save(.paymentMethod, method)
    return method["id"]?.string ?? ""
  }

  func card(of methodID: String) -> StripeCard {
    objects[.paymentMethod]?[methodID]?["\(Self.hidden)card"]?.string
      .flatMap(StripeCard.init(rawValue:)) ?? .visa
  }

  private func blankPaymentMethod(_ card: StripeCard) -> Object {
    var method = base(.paymentMethod)
    method["type"] = "card"
    method["customer"] = .null
    method["billing_details"] = ["address": nil, "email": nil, "name": nil, "phone": nil]
    method["card"] = [
      "brand": .string(card.brand), "country": "US", "exp_month": 12, "exp_year": 2034,
      "funding": "credit", "last4": card == .visa ? "4242" : "0002",
    ]
    method["\(Self.hidden)card"] = .string(card.rawValue)
    return method
  }
}
