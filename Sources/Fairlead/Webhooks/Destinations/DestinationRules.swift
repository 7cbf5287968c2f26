import Foundation

/// What a destination may look like.
enum DestinationRules {
  static let minimumKeyLength = 24

  /// - Throws: `FairleadError` (`invalidRequest`) that says which part is wrong.
  static func check(_ destination: NewDestination) throws(FairleadError) {
    try check(url: destination.url)
    try check(types: destination.types)
    guard destination.integrations.count <= 100 else {
      throw FairleadError(.invalidRequest, "A destination can name at most 100 integrations.")
    }
  }

  /// Absolute and `https`, or `http` to this machine; no user, no fragment. Which addresses may be
  /// reached is for the transport to decide, when it connects.
  static func check(url text: String) throws(FairleadError) {
    func refuse(_ reason: String) -> FairleadError {
      FairleadError(.invalidRequest, "The destination's URL \(reason).")
    }
    guard text.utf8.count <= 2_048 else { throw refuse("is longer than 2048 characters") }
    guard text.unicodeScalars.allSatisfy({ $0.isASCII && $0.value > 32 && $0.value != 127 }),
      let url = URLComponents(string: text), let host = url.host, !host.isEmpty
    else { throw refuse("is no absolute URL") }
    guard url.user == nil, url.password == nil else {
      throw refuse("must not carry a user name or password")
    }
    guard url.fragment == nil else { throw refuse("must not have a fragment") }
    switch url.scheme?.lowercased() {
    case "https": return
    case "http" where isLoopback(host): return
    default: throw refuse("must begin with https:// (http:// only for this machine)")
    }
  }

  static func check(types: [String]) throws(FairleadError) {
    guard types.count <= 100 else {
      throw FairleadError(.invalidRequest, "A destination can name at most 100 event types.")
    }
    for type in types where !EventTypePattern.isValid(type) {
      throw FairleadError(
        .invalidRequest,
        "\"\(type.prefix(64))\" is no event type: name one (invoice.paid), a family (invoice.*) "
          + "or * for all.")
    }
  }

  /// - Throws: `FairleadError` (`configurationError`); it does not show the secret.
  static func check(secret: Secret, url: String) throws(FairleadError) {
    guard let key = StandardWebhooks.key(of: secret), key.count >= minimumKeyLength else {
      throw FairleadError(
        .configurationError,
        "The secret of destination \(url) has to be whsec_ and the base64 of at least "
          + "\(minimumKeyLength) bytes. Make one with: "
          + "echo \"whsec_$(head -c 32 /dev/urandom | base64)\"")
    }
  }

  private static func isLoopback(_ host: String) -> Bool {
    let host = host.lowercased()
    if host == "localhost" || host == "[::1]" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127"
      && parts.allSatisfy { !$0.isEmpty && $0.utf8.count <= 3 && UInt8($0) != nil }
  }
}
