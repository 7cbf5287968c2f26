extension ConfigurationParser {
  func tokenIssuers(_ top: YAMLMapping<ConfigurationKey>) -> [TokenIssuer] {
    guard let jwt = top.mapping(.jwt, JWTKey.self) else { return [] }
    var issuers: [TokenIssuer] = []
    for reader in jwt[.issuers]?.list(max: 100) ?? [] {
      guard let issuer = tokenIssuer(reader) else { continue }
      if issuers.contains(where: { $0.issuer == issuer.issuer }) {
        reader.report("is there twice; put its settings together.")
      }
      issuers.append(issuer)
    }
    return issuers
  }

  private func tokenIssuer(_ reader: YAMLReader) -> TokenIssuer? {
    guard let mapping = YAMLMapping<JWTIssuerKey>(reader) else { return nil }
    let name = mapping.require(.issuer, "the tokens' `iss`, such as https://clerk.app.example")?
      .setting(SettingRules.issuer)
    let url = mapping[.keySetURL]?.setting(SettingRules.keySetURL)
    let parties =
      mapping[.authorizedParties]?.list()?.compactMap { $0.setting(SettingRules.webOrigin) } ?? []
    let audience = mapping[.audience]?.setting(SettingRules.text)
    let acceptsPending = mapping[.acceptPending]?.bool() ?? false
    guard let name else { return nil }
    return TokenIssuer(
      name, keySetURL: url, authorizedParties: parties, audience: audience,
      acceptsPendingSessions: acceptsPending)
  }
}

extension SettingRules {
  /// An issuer as its tokens write it; what is behind the host counts, a slash at the end too.
  static func issuer(_ text: String) throws(SettingFault) -> String {
    _ = try secureURL(text)
    return text
  }

  static func keySetURL(_ text: String) throws(SettingFault) -> String {
    _ = try secureURL(text)
    return text
  }

  /// The issuer behind a Clerk publishable key.
  static func publishableKey(_ text: String) throws(SettingFault) -> TokenIssuer {
    guard let issuer = TokenIssuer.clerk(publishableKey: text) else {
      throw SettingFault(
        "is no publishable key of Clerk; copy the one that begins with pk_test_ or pk_live_.")
    }
    return issuer
  }

  private static func secureURL(_ text: String) throws(SettingFault) -> WebAddress {
    let address = try WebAddress(text)
    guard address.isSecure else {
      throw SettingFault("must be https (http is for this machine only).")
    }
    guard !address.rest.contains("?"), !address.rest.contains("#") else {
      throw SettingFault("must not have a query or a fragment.")
    }
    return address
  }
}

extension FairleadConfiguration {
  /// Clerk's variables name an issuer; what the file says of the same one stays.
  mutating func addClerkIssuer(_ layers: EnvironmentLayers) {
    let derived = layers.value(.clerkPublishableKey, SettingRules.publishableKey)
    let named = layers.value(.clerkIssuer, SettingRules.issuer).map { TokenIssuer($0) }
    if let derived, let named, derived.issuer != named.issuer {
      layers.report(
        EnvironmentVariable.clerkIssuer.rawValue,
        "is another issuer than the one CLERK_PUBLISHABLE_KEY stands for; keep one of the two.")
    }
    guard let issuer = named ?? derived,
      !tokenIssuers.contains(where: { $0.issuer == issuer.issuer })
    else { return }
    tokenIssuers.append(issuer)
    notices.append(
      "Session tokens of \(issuer.issuer) are accepted whichever page asked for them; name your "
        + "pages in jwt.issuers[].authorized_parties of fairlead.yaml.")
  }
}
