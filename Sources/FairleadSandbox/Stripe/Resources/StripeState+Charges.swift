import Fairlead

extension StripeState {
  /// The charge of a payment intent that succeeded.
  func blankCharge(_ intent: Object) -> Object {
    var charge = base(.charge)
    for name in ["amount", "currency", "customer", "description", "payment_method", "metadata"] {
      charge[name] = intent[name] ?? .null
    }
    charge["payment_intent"] = intent["id"]
    charge["amount_captured"] = intent["amount"]
    charge["amount_refunded"] = 0
    charge["captured"] = true
    charge["paid"] = true
    charge["refunded"] = false
    charge["disputed"] = false
    charge["status"] = "succeeded"
    charge["failure_code"] = .null
    charge["failure_message"] = .null
    return charge
  }
}
