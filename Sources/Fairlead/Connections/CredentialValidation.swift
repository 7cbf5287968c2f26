extension ProviderDefinition {
  /// The credential, tidied, when it is of the kind this provider takes.
  /// - Throws: `FairleadError` (`invalidRequest`) that says what is expected instead.
  func validated(_ credential: Credential) throws -> Credential {
    switch (auth, credential) {
    case (.oauth2Code, .oauth2(var tokens)):
      tokens.accessToken = try tokens.accessToken.asHeaderSafe("access token")
      tokens.refreshToken = try tokens.refreshToken?.asHeaderSafe("refresh token")
      return .oauth2(tokens)
    case (.apiKey, .apiKey(let key, let secret)):
      return .apiKey(
        key: try key.asHeaderSafe("key"), secret: try secret?.asHeaderSafe("key's secret"))
    case (.basic, .basic(let username, let password)):
      let bytes = username.utf8
      guard !bytes.isEmpty, bytes.count <= 512, !bytes.contains(where: { $0 < 32 || $0 == 58 })
      else {
        throw FairleadError(.invalidRequest, "This is no user name: it is empty or has a colon.")
      }
      return .basic(username: username, password: password)
    default:
      throw FairleadError(.invalidRequest, "\(displayName) takes \(auth.expected).")
    }
  }

  /// The values for this definition's `params`: all of them, nothing else, each in its pattern.
  /// - Throws: `FairleadError` (`invalidRequest`), or (`configurationError`) for a broken pattern.
  func validated(params values: [String: String]) throws -> [String: String] {
    if let unknown = values.keys.filter({ params[$0] == nil }).min() {
      throw FairleadError(
        .invalidRequest,
        "\(displayName) has no parameter named \(unknown.prefix(64)).")
    }
    for (name, param) in params.sorted(by: { $0.key < $1.key }) {
      guard let value = values[name], !value.isEmpty else {
        throw FairleadError(.invalidRequest, "\(param.label) is missing (\(name)).")
      }
      // The loader compiles every pattern; this one came another way.
      guard let pattern = try? Regex(param.pattern) else {
        throw FairleadError(
          .configurationError, "The pattern of \(displayName)'s parameter \(name) is broken.")
      }
      guard value.utf8.count <= 253, value.wholeMatch(of: pattern) != nil else {
        throw FairleadError(.invalidRequest, "\(param.label) is not written like that (\(name)).")
      }
    }
    return values
  }
}

extension ProviderDefinition.Auth {
  fileprivate var expected: String {
    switch self {
    case .oauth2Code: "an access token, or a sign-in through its connect page"
    case .apiKey: "an API key"
    case .basic: "a user name and a password"
    case .none: "no credentials; call it as it is"
    }
  }
}

extension Secret {
  /// The secret without the white space that pasting adds, when it can stand in a header.
  /// - Throws: `FairleadError` (`invalidRequest`), without the value.
  fileprivate func asHeaderSafe(_ what: String) throws -> Secret {
    var bytes = exposeBytes()[...]
    while let last = bytes.last, [9, 10, 13, 32].contains(last) { bytes.removeLast() }
    while let first = bytes.first, [9, 10, 13, 32].contains(first) { bytes.removeFirst() }
    guard !bytes.isEmpty, bytes.count <= 16_384, bytes.allSatisfy({ (33...126).contains($0) })
    else {
      throw FairleadError(
        .invalidRequest,
        "This is no \(what): it is empty, too long, or has characters that none has.")
    }
    return Secret(bytes: Array(bytes))
  }
}

extension String {
  /// A name for people: one line of at most 200 characters; `nil` when nothing is left.
  var asLabel: String? {
    let kept = unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }.prefix(200)
    var label = ""
    label.unicodeScalars.append(contentsOf: kept)
    return label.isEmpty ? nil : label
  }
}
