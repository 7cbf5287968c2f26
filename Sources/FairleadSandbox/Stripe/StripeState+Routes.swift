import Fairlead

extension StripeState {
  /// Carries out one request; the object in the answer is rendered for the version.
  mutating func operate(
    _ request: SimulatedRequest, _ version: StripeVersion
  ) throws(StripeError) -> JSONValue {
    let segments = request.segments
    guard segments.first == "v1", segments.count >= 2, segments.count <= 4,
      let kind = StripeKind(collection: segments[1])
    else { throw unrecognized(request) }
    let parameters = try parameters(request)
    let expand = try parameters.texts("expand") ?? []
    let id = segments.count > 2 ? segments[2] : nil
    let action = segments.count > 3 ? segments[3] : nil
    guard id != "search" else { throw unrecognized(request) }
    let result: JSONValue
    switch (request.method, id, action) {
    case ("GET", nil, _) where kind != .subscriptionItem: result = try list(kind, parameters)
    case ("GET", let id?, nil): result = try retrieve(kind, id, parameters)
    case ("POST", nil, _): result = .object(try create(kind, parameters, request))
    case ("POST", let id?, nil): result = .object(try update(kind, id, parameters, request))
    case ("DELETE", let id?, nil): result = .object(try delete(kind, id, parameters, request))
    case ("POST", let id?, let action?):
      result = .object(try act(action, kind, id, parameters, request))
    default: throw unrecognized(request)
    }
    return try present(result, expand: expand, version)
  }

  func unrecognized(_ request: SimulatedRequest) -> StripeError {
    StripeError(
      status: 404, type: "invalid_request_error",
      message: "Unrecognized request URL (\(request.method): \(request.path.prefix(300))). "
        + "The sandbox simulates a part of Stripe's API.")
  }

  private func parameters(_ request: SimulatedRequest) throws(StripeError) -> StripeParameters {
    var members = try StripeForm.parse(request.rawQuery.utf8)
    guard request.method != "GET", !request.body.isEmpty else { return StripeParameters(members) }
    guard ["application/x-www-form-urlencoded", ""].contains(request.mediaType) else {
      throw .invalid(
        "v1 endpoints take application/x-www-form-urlencoded, not \(request.mediaType.prefix(100))."
      )
    }
    members.merge(try StripeForm.parse(request.body)) { _, body in body }
    return StripeParameters(members)
  }

  private mutating func create(
    _ kind: StripeKind, _ parameters: StripeParameters, _ request: SimulatedRequest
  ) throws(StripeError) -> Object {
    switch kind {
    case .customer: try createCustomer(parameters)
    case .product: try createProduct(parameters)
    case .price: try createPrice(parameters)
    case .subscription: try createSubscription(parameters)
    case .paymentIntent: try createPaymentIntent(parameters)
    case .paymentMethod: try createPaymentMethod(parameters)
    case .subscriptionItem, .invoice, .charge, .event: throw unrecognized(request)
    }
  }

  private mutating func update(
    _ kind: StripeKind, _ id: String, _ parameters: StripeParameters, _ request: SimulatedRequest
  ) throws(StripeError) -> Object {
    switch kind {
    case .customer: try updateCustomer(id, parameters)
    case .product: try updateProduct(id, parameters)
    case .price: try updatePrice(id, parameters)
    case .subscription: try updateSubscription(id, parameters)
    case .paymentIntent: try updatePaymentIntent(id, parameters)
    case .subscriptionItem, .invoice, .charge, .event, .paymentMethod: throw unrecognized(request)
    }
  }

  private mutating func delete(
    _ kind: StripeKind, _ id: String, _ parameters: StripeParameters, _ request: SimulatedRequest
  ) throws(StripeError) -> Object {
    switch kind {
    case .customer: try deleteCustomer(id)
    case .subscription: try cancelSubscription(id, parameters)
    default: throw unrecognized(request)
    }
  }

  private mutating func act(
    _ action: String, _ kind: StripeKind, _ id: String, _ parameters: StripeParameters,
    _ request: SimulatedRequest
  ) throws(StripeError) -> Object {
    switch (kind, action) {
    case (.paymentIntent, "confirm"): try confirmPaymentIntent(id, parameters)
    case (.paymentIntent, "capture"): try capturePaymentIntent(id, parameters)
    case (.paymentIntent, "cancel"): try cancelPaymentIntent(id, parameters)
    case (.paymentMethod, "attach"): try attachPaymentMethod(id, parameters)
    default: throw unrecognized(request)
    }
  }
}
