import Fairlead

extension StripeState {
  func newID(_ kind: StripeKind) -> String {
    switch kind {
    case .customer, .product, .subscriptionItem: "\(kind.prefix)_\(random.alphanumeric(14))"
    case .paymentIntent, .charge: "\(kind.prefix)_3\(random.alphanumeric(23))"
    default: "\(kind.prefix)_1\(random.alphanumeric(23))"
    }
  }

  /// The members that every object has.
  func base(_ kind: StripeKind, id: String? = nil) -> Object {
    [
      "id": .string(id ?? newID(kind)), "object": .string(kind.rawValue),
      "created": .int(now.seconds), "livemode": false, "metadata": [:],
    ]
  }

  mutating func save(_ kind: StripeKind, _ object: Object) {
    guard let id = object["id"]?.string else { return }
    objects[kind]?[id] = object
  }

  /// Every object of a kind, oldest first.
  func all(_ kind: StripeKind) -> [(id: String, value: Object)] {
    objects[kind].map { Array($0.oldestFirst) } ?? []
  }

  /// An object named in the address.
  func stored(_ kind: StripeKind, _ id: String) throws(StripeError) -> Object {
    guard let object = objects[kind]?[id] else {
      throw .noSuch(kind, id, param: kind.idParam, inPath: true)
    }
    return object
  }

  /// An object named in the address that still exists.
  func live(_ kind: StripeKind, _ id: String) throws(StripeError) -> Object {
    let object = try stored(kind, id)
    guard object["deleted"]?.bool != true else {
      throw .noSuch(kind, id, param: kind.idParam, inPath: true)
    }
    return object
  }

  /// An object named by a parameter.
  func referenced(
    _ kind: StripeKind, _ id: String, param: String
  ) throws(StripeError) -> Object {
    guard let object = objects[kind]?[id], object["deleted"]?.bool != true else {
      throw .noSuch(kind, id, param: param)
    }
    return object
  }

  func retrieve(
    _ kind: StripeKind, _ id: String, _ parameters: StripeParameters
  ) throws(StripeError) -> JSONValue {
    try parameters.allow(kind == .paymentIntent ? ["client_secret"] : [])
    return .object(try stored(kind, id))
  }

  /// Any stored object with that id.
  func anything(_ id: String) -> Object? {
    for kind in StripeKind.allCases {
      if let object = objects[kind]?[id] { return object }
    }
    return nil
  }
}

extension StripeKind {
  /// What an error about a missing id in the address calls it.
  var idParam: String {
    switch self {
    case .paymentIntent: "intent"
    case .paymentMethod: "payment_method"
    case .product, .price, .subscription, .customer, .invoice, .charge, .event, .subscriptionItem:
      "id"
    }
  }
}
