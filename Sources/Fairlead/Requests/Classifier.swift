import HTTPTypes

/// What an answer means. `nil` as class: a success.
struct Classification: Sendable, Equatable {
  var errorClass: ErrorClass?
  /// Whether the provider certainly did nothing.
  var effect: ProviderDefinition.Effect
  /// The definition's own words for people.
  var message: String?
  /// When to come back where the answer does not say.
  var wait: Duration?

  static let success = Classification(errorClass: nil, effect: .unknown)
}

/// Reads answers by the definition's rules, the first match decides; then by status.
struct Classifier: Sendable {
  private let rules: [ProviderDefinition.ErrorRule]
  /// Reads what the rules look at in a body.
  let glance: JSONGlance

  init(_ rules: [ProviderDefinition.ErrorRule]) {
    self.rules = rules
    glance = JSONGlance(paths: rules.flatMap(\.when.bodyPaths))
  }

  /// Whether a rule for this status looks into the body.
  func needsBody(status: Int) -> Bool {
    rules.contains { $0.when.needsBody(status: status) }
  }

  func classify(status: Int, headers: HTTPFields, json: JSONValue?) -> Classification {
    for rule in rules where rule.when.matches(status: status, headers: headers, json: json) {
      return Classification(
        errorClass: rule.errorClass, effect: effect(of: rule), message: rule.message,
        wait: rule.wait)
    }
    guard let errorClass = Self.defaultClass(status: status) else { return .success }
    return Classification(
      errorClass: errorClass, effect: Self.refuses(errorClass) || status == 425 ? .none : .unknown)
  }

  private func effect(of rule: ProviderDefinition.ErrorRule) -> ProviderDefinition.Effect {
    Self.refuses(rule.errorClass) ? .none : rule.effect
  }

  /// Classes that are refusals by their nature: whoever answers so has not done the thing.
  private static func refuses(_ errorClass: ErrorClass) -> Bool {
    switch errorClass {
    case .rateLimited, .authExpired, .authRevoked, .forbidden, .notFound, .quotaExhausted: true
    case .transient, .conflictRetryable, .invalid, .cursorExpired: false
    }
  }

  static func defaultClass(status: Int) -> ErrorClass? {
    switch status {
    case ..<400: nil
    case 401: .authExpired
    case 402: .quotaExhausted
    case 403: .forbidden
    case 404, 410: .notFound
    case 408, 425: .transient
    case 429: .rateLimited
    case 501, 505: .invalid
    case 500...: .transient
    default: .invalid
    }
  }
}
