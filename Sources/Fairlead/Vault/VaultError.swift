/// Why the vault did not seal or open a value. Nothing of a value or key is in it.
public enum VaultError: Error, Sendable, Equatable {
  /// The value was sealed with a key that the ring does not have.
  case unknownKey(String)
  /// The value does not open: it was changed, belongs to another row or field, or the key with its
  /// id is another one than it was sealed with.
  case refused
  /// The bytes are no sealed value of a known format.
  case malformed
  /// More than `Vault.maximumLength` bytes were to be sealed.
  case tooLong
}

extension VaultError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownKey(let id):
      "A stored secret was sealed with the vault key \(id), which is not there. Put it back behind "
        + "the first key in FAIRLEAD_VAULT_KEYS."
    case .refused:
      "A stored secret does not open: it was changed or moved in the database, or a vault key was "
        + "replaced under its old id."
    case .malformed: "A stored secret is damaged: it is no sealed value."
    case .tooLong: "The secret is too long to be sealed."
    }
  }
}

extension FairleadError {
  /// What callers are told; the vault's own words go to the operator's log.
  public init(_ error: VaultError) {
    self.init(
      .configurationError,
      "A stored secret cannot be read. The operator finds the reason in the log.",
      detail: error.description)
  }
}
