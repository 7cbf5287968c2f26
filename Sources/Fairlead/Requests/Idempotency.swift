import HTTPTypes

/// Which calls may be sent twice.
enum Idempotency: Equatable {
  /// The method itself promises that twice is as once.
  case byMethod
  /// The provider recognises the caller's key.
  case byCallersKey
  /// The provider recognises the key that we made for this logical call.
  case byOurKey
  case none

  var allowsRepeat: Bool { self != .none }

  /// Whether the caller may safely repeat a call of which we do not know whether it happened. Not
  /// on the strength of a key: SDKs make a new one for every call.
  var callerMayRepeat: Bool { self == .byMethod }

  private static let safeMethods: Set<String> = [
    "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE",
  ]

  /// Decides once a logical call, and adds a key where the provider honours one and the caller
  /// brought none; every attempt then carries the same.
  static func establish(
    method: HTTPRequest.Method, headers: inout HTTPFields,
    settings: ProviderDefinition.IdempotencySettings?, random: RandomSource
  ) -> Idempotency {
    if let settings, settings.methods.contains(method.rawValue),
      let name = HTTPField.Name(settings.header)
    {
      if let key = headers[name], !key.isEmpty {
        return safeMethods.contains(method.rawValue) ? .byMethod : .byCallersKey
      }
      headers[name] = "fl-\(random.token(bytes: 16))"
      return safeMethods.contains(method.rawValue) ? .byMethod : .byOurKey
    }
    return safeMethods.contains(method.rawValue) ? .byMethod : .none
  }
}
