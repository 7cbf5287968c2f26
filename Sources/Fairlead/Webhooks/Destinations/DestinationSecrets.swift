import Foundation

/// The signing secrets of one destination: the current one, and replaced ones while they still sign.
struct DestinationSecrets: Sendable, Equatable {
  /// How long a replaced secret goes on signing beside the new one.
  static let overlap = Duration.seconds(86_400)
  private static let maximumCount = 5

  struct Entry: Sendable, Equatable {
    var secret: Secret
    /// `nil` for the current one.
    var until: Timestamp?
  }

  /// Newest first.
  private(set) var entries: [Entry]

  init(_ secret: Secret) { entries = [Entry(secret: secret, until: nil)] }

  /// The secrets that sign now, newest first.
  func active(at now: Timestamp) -> [Secret] {
    entries.filter { entry in entry.until.map { now < $0 } ?? true }.map(\.secret)
  }

  /// Puts `secret` in front; the others sign for `overlap` more at most.
  mutating func rotate(to secret: Secret, at now: Timestamp) {
    let end = now + Self.overlap
    entries = entries.filter { entry in entry.until.map { now < $0 } ?? true }
      .map { Entry(secret: $0.secret, until: min($0.until ?? end, end)) }
    entries.insert(Entry(secret: secret, until: nil), at: 0)
    entries = Array(entries.prefix(Self.maximumCount))
  }

  // MARK: Sealed

  static func field(of id: DestinationID) -> VaultField {
    VaultField(table: "destinations", row: id.rawValue, field: "secrets")
  }

  func sealed(in vault: Vault, for id: DestinationID) throws -> [UInt8] {
    let list = entries.map { entry in
      JSONValue.object([
        "secret": .string(entry.secret.expose()),
        "until": entry.until.map { .int($0.microseconds) } ?? .null,
      ])
    }
    return try vault.seal(JSONValue.array(list).bytes, for: Self.field(of: id))
  }

  init(sealed: [UInt8], in vault: Vault, for id: DestinationID) throws {
    let bytes = try vault.open(sealed, for: Self.field(of: id))
    guard let list = try JSONValue(parsing: bytes).array else {
      throw StorageError.corrupt("a destination's secrets are no list")
    }
    entries = list.compactMap { item in
      guard let secret = item["secret"]?.string else { return nil }
      return Entry(
        secret: Secret(secret), until: item["until"]?.int.map { Timestamp(microseconds: $0) })
    }
  }
}
