/// The kinds of object that are stored.
enum StripeKind: String, Sendable, CaseIterable {
  case customer, product, price, subscription
  case subscriptionItem = "subscription_item"
  case invoice
  case paymentIntent = "payment_intent"
  case paymentMethod = "payment_method"
  case charge, event

  /// The path segment of its collection.
  var collection: String {
    switch self {
    case .customer: "customers"
    case .product: "products"
    case .price: "prices"
    case .subscription: "subscriptions"
    case .subscriptionItem: "subscription_items"
    case .invoice: "invoices"
    case .paymentIntent: "payment_intents"
    case .paymentMethod: "payment_methods"
    case .charge: "charges"
    case .event: "events"
    }
  }

  var prefix: String {
    switch self {
    case .customer: "cus"
    case .product: "prod"
    case .price: "price"
    case .subscription: "sub"
    case .subscriptionItem: "si"
    case .invoice: "in"
    case .paymentIntent: "pi"
    case .paymentMethod: "pm"
    case .charge: "ch"
    case .event: "evt"
    }
  }

  /// As error messages name it.
  var label: String {
    switch self {
    case .paymentMethod: "PaymentMethod"
    default: rawValue
    }
  }

  init?(collection: String) {
    guard let kind = Self.allCases.first(where: { $0.collection == collection }) else { return nil }
    self = kind
  }
}
