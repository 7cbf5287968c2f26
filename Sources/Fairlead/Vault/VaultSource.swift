import Foundation

/// Where the vault's keys come from.
public struct VaultSource: Sendable {
  let keyRing: @Sendable () throws -> KeyRing

  public init(keyRing: @escaping @Sendable () throws -> KeyRing) {
    self.keyRing = keyRing
  }

  /// `id:base64,id:base64`: the first encrypts, all decrypt.
  public static func keys(_ text: Secret) -> VaultSource {
    VaultSource { try named("FAIRLEAD_VAULT_KEYS") { try KeyRing(parsing: text) } }
  }

  /// A file that holds what `keys` takes.
  public static func file(_ path: String) -> VaultSource {
    VaultSource { try named("FAIRLEAD_VAULT_KEY_FILE") { try KeyRing(file: path) } }
  }

  /// `FAIRLEAD_VAULT_KEYS`, else the file that `FAIRLEAD_VAULT_KEY_FILE` names.
  public static func environment() -> VaultSource {
    VaultSource {
      let environment = ProcessInfo.processInfo.environment
      if let keys = environment["FAIRLEAD_VAULT_KEYS"] {
        return try VaultSource.keys(Secret(keys)).keyRing()
      }
      if let path = environment["FAIRLEAD_VAULT_KEY_FILE"] {
        return try VaultSource.file(path).keyRing()
      }
      throw missingVaultKey
    }
  }

  /// Says in every failure which variable to look at.
  private static func named(_ variable: String, _ read: () throws -> KeyRing) throws -> KeyRing {
    do {
      return try read()
    } catch let error as FairleadError {
      throw FairleadError(error.code, "\(variable): \(error.message)")
    } catch let error as VaultError {
      throw FairleadError(.configurationError, "\(variable): \(FairleadError(error).message)")
    }
  }

  /// The error of a deployment without a key.
  public static let missingVaultKey = FairleadError(
    .configurationError,
    "There is no vault key, so nothing secret could be stored. Make one with `fairlead keys "
      + "generate-vault-key` and set it as FAIRLEAD_VAULT_KEYS.")
}
