/// Whether a provider's key works on its test data or on live data, as its prefix tells (Stripe's and
/// Clerk's `sk_test_…`, `rk_live_…`, `pk_test_…`).
public enum KeyMode: String, Sendable, Hashable {
  case test, live

  private static let kinds = ["sk", "rk", "pk"]

  /// `nil` for keys that do not say.
  public init?(of key: Secret) {
    let text = key.expose()
    for kind in Self.kinds {
      if text.hasPrefix("\(kind)_test_") {
        self = .test
        return
      }
      if text.hasPrefix("\(kind)_live_") {
        self = .live
        return
      }
    }
    return nil
  }
}

/// A key whose mode is known, by the name it is configured under. Its value is not kept.
public struct ModedKey: Sendable, Hashable {
  public var name: String
  /// Keys of one group belong to one provider and should have one mode.
  public var group: String
  public var mode: KeyMode

  public init(name: String, group: String, mode: KeyMode) {
    self.name = name
    self.group = group
    self.mode = mode
  }
}

extension FairleadConfiguration {
  /// The keys with a known mode among all variables of the environment and the `.env` files, those
  /// for other programs included (`STRIPE_PUBLISHABLE_KEY`), and in this configuration.
  /// - Parameter dotEnv: the texts of the files behind the environment.
  public func modedKeys(
    environment: [String: String], dotEnv: [(file: String, text: String)]
  ) -> [ModedKey] {
    var values = environment
    for (file, text) in dotEnv {
      // Problems of these files are told when the configuration is loaded.
      let layer = DotEnvFile(text, file: file, log: ProblemLog(file: file)).values
      values.merge(layer) { first, _ in first }
    }
    var keys: [ModedKey] = []
    var seen: Set<String> = []
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      guard let mode = KeyMode(of: Secret(value)) else { continue }
      let group = name.split(separator: "_").first.map { $0.lowercased() } ?? ""
      keys.append(ModedKey(name: name, group: group, mode: mode))
      seen.insert(value)
    }
    for settings in integrations {
      for secret in [settings.apiKey, settings.clientSecret].compactMap(\.self)
      where !seen.contains(secret.expose()) {
        guard let mode = KeyMode(of: secret) else { continue }
        keys.append(
          ModedKey(
            name: "integrations.\(settings.name)", group: settings.provider.lowercased(), mode: mode
          ))
      }
    }
    return keys
  }
}
