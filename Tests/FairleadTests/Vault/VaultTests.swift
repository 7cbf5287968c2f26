import Fairlead
import Testing

@Suite struct VaultTests {
  private static let field = VaultField(table: "connections", row: "conn_1", field: "access_token")

  /// A key depends on its id alone, so that two vaults with one id share the key.
  private static func vault(_ ids: String...) throws -> Vault {
    let entries = ids.map { id in
      let seed = id.utf8.reduce(UInt64(7)) { $0 &* 31 &+ UInt64($1) }
      return "\(id):\(RandomSource(seed: seed).bytes(32).base64)"
    }
    return Vault(keyRing: try KeyRing(parsing: Secret(entries.joined(separator: ","))))
  }

  @Test(arguments: [0, 1, 31, 32, 33, 4_096, 1_000_000])
  func opensWhatItSealed(length: Int) throws {
    let vault = try Self.vault("k1")
    let plaintext = RandomSource(seed: UInt64(length)).bytes(length)
    let sealed = try vault.seal(plaintext, for: Self.field)
    #expect(try vault.open(sealed, for: Self.field) == plaintext)
    #expect(try Vault.keyID(of: sealed) == "k1")
  }

  @Test func sealingTwiceGivesDifferentBytesWithoutThePlaintext() throws {
    let vault = try Self.vault("k1")
    let secret = Secret("xoxb-a-rather-long-access-token")
    let first = try vault.seal(secret, for: Self.field)
    let second = try vault.seal(secret, for: Self.field)
    #expect(first != second)
    #expect(!String(decoding: first, as: UTF8.self).contains("xoxb"))
    #expect(try vault.openSecret(second, for: Self.field) == secret)
  }

  @Test func changingAnyByteIsNoticed() throws {
    let vault = try Self.vault("k1")
    let sealed = try vault.seal(Array("secret".utf8), for: Self.field)
    for index in sealed.indices {
      for bit in 0..<8 {
        var changed = sealed
        changed[index] ^= 1 << UInt8(bit)
        #expect(throws: VaultError.self) { _ = try vault.open(changed, for: Self.field) }
        #expect(throws: VaultError.self) {
          // What `rewrap` does not look at (the value itself) must still be noticed on opening.
          _ = try vault.open(try vault.rewrap(changed, for: Self.field), for: Self.field)
        }
      }
    }
  }

  @Test func truncatedOrExtendedValuesAreRefused() throws {
    let vault = try Self.vault("k1")
    let sealed = try vault.seal(Array("secret".utf8), for: Self.field)
    for length in 0..<sealed.count {
      #expect(throws: VaultError.self) {
        _ = try vault.open(Array(sealed.prefix(length)), for: Self.field)
      }
    }
    #expect(throws: VaultError.self) { _ = try vault.open(sealed + [0], for: Self.field) }
  }

  @Test func garbageNeverTraps() throws {
    let vault = try Self.vault("k1")
    let random = RandomSource(seed: 42)
    for round in 0..<5_000 {
      var bytes = random.bytes(Int(random.next() % 200))
      // Half of them look right at first, so that the later checks are reached too.
      if round.isMultiple(of: 2), bytes.count > 5 {
        bytes.replaceSubrange(0..<5, with: [1, 1, 2] + Array("k1".utf8))
      }
      #expect(throws: VaultError.self) { _ = try vault.open(bytes, for: Self.field) }
    }
  }

  @Test(arguments: [
    VaultField(table: "connections", row: "conn_2", field: "access_token"),
    VaultField(table: "connections", row: "conn_1", field: "refresh_token"),
    VaultField(table: "destinations", row: "conn_1", field: "access_token"),
    VaultField(table: "connectionsc", row: "onn_1", field: "access_token"),
    VaultField(table: "connections", row: "conn_1access", field: "_token"),
    VaultField(table: "", row: "", field: ""),
  ])
  func aValueMovedToAnotherFieldDoesNotOpen(field: VaultField) throws {
    let vault = try Self.vault("k1")
    let sealed = try vault.seal(Array("secret".utf8), for: Self.field)
    #expect(throws: VaultError.refused) { _ = try vault.open(sealed, for: field) }
    #expect(throws: VaultError.refused) { _ = try vault.rewrap(sealed, for: field) }
  }

  @Test func anUnknownKeyFailsClosedAndIsNamed() throws {
    let sealed = try Self.vault("k1").seal([1], for: Self.field)
    #expect(throws: VaultError.unknownKey("k1")) {
      _ = try Self.vault("k2").open(sealed, for: Self.field)
    }
    #expect(VaultError.unknownKey("k1").description.contains("k1"))
  }

  @Test func anotherKeyUnderTheSameIDIsRefused() throws {
    let sealed = try Self.vault("k1").seal([1], for: Self.field)
    let other = Vault(
      keyRing: try KeyRing(parsing: Secret("k1:" + [UInt8](repeating: 3, count: 32).base64)))
    #expect(throws: VaultError.refused) { _ = try other.open(sealed, for: Self.field) }
  }

  @Test func rotationSealsWithTheFirstKeyAndOpensWithAll() throws {
    let old = try Self.vault("k1")
    let both = try Self.vault("k2", "k1")
    let new = try Self.vault("k2")
    let sealed = try old.seal(Array("secret".utf8), for: Self.field)
    #expect(try both.open(sealed, for: Self.field) == Array("secret".utf8))

    let rewrapped = try both.rewrap(sealed, for: Self.field)
    #expect(try Vault.keyID(of: rewrapped) == "k2")
    #expect(try new.open(rewrapped, for: Self.field) == Array("secret".utf8))
    #expect(try both.rewrap(rewrapped, for: Self.field) == rewrapped)
    #expect(throws: VaultError.unknownKey("k2")) { _ = try old.open(rewrapped, for: Self.field) }
  }

  @Test func refusesToSealWhatIsTooLong() throws {
    let vault = try Self.vault("k1")
    #expect(throws: VaultError.tooLong) {
      _ = try vault.seal([UInt8](repeating: 0, count: Vault.maximumLength + 1), for: Self.field)
    }
  }

  @Test func digestsFindAValueUnderEveryKeyAndKeepPurposesApart() throws {
    let old = try Self.vault("k1")
    let both = try Self.vault("k2", "k1")
    let value = Array("fl_key".utf8)
    let stored = old.digest(of: value, purpose: "api key")
    #expect(stored.count == 32)
    #expect(both.digests(of: value, purpose: "api key").contains(stored))
    #expect(both.digest(of: value, purpose: "api key") != stored)
    #expect(old.digest(of: value, purpose: "other") != stored)
    #expect(old.digest(of: Array("fl_kez".utf8), purpose: "api key") != stored)
  }

  @Test func fingerprintsTellSecretsApartWithoutSayingThem() throws {
    let vault = try Self.vault("k1")
    let print = vault.fingerprint(of: Secret("sk_live_1"))
    #expect(print.utf8.count == 12)
    #expect(print == vault.fingerprint(of: Secret("sk_live_1")))
    #expect(print != vault.fingerprint(of: Secret("sk_live_2")))
    #expect(print != (try Self.vault("k2")).fingerprint(of: Secret("sk_live_1")))
  }
}
