extension VaultSource {
  /// The ids of the keys, the one that encrypts first.
  /// - Throws: `FairleadError` (`configurationError`) that names the variable.
  public func keyIDs() throws -> [String] { try keyRing().ids }

  /// A vault on these keys, for looking at a database that is not served from here.
  /// - Throws: as `keyIDs`.
  public func vault(random: RandomSource = .system) throws -> Vault {
    Vault(keyRing: try keyRing(), random: random)
  }
}
