import HTTPTypes

extension HTTPField.Name {
  /// Stripe's id of a request.
  static let requestID = HTTPField.Name("Request-Id")!
}
