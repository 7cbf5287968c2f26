import Crypto
import Foundation

/// The vault's key encryption keys, each with an id. The first encrypts, all decrypt, so that keys
/// can be rotated while the service runs.
public struct KeyRing: Sendable {
  struct Key: Sendable {
    let id: String
    let secret: SymmetricKey
  }

  /// In the order they were given; never empty.
  let keys: [Key]

  /// The id of the key that new records are sealed with.
  public var activeID: String { keys[0].id }

  /// All ids, the active one first.
  public var ids: [String] { keys.map(\.id) }

  static let keyLength = 32
  static let maximumKeys = 32

  /// Reads `id:base64,id:base64`: ids of `[a-z0-9_-]{1,32}`, keys of 32 bytes.
  /// - Throws: `FairleadError` (`configurationError`), one line that says what is wrong and names
  ///   the command that makes a key. No part of a key is in it.
  public init(parsing text: Secret) throws {
    let entries = text.expose().split(separator: ",", omittingEmptySubsequences: false)
      .map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
    if entries.allSatisfy(\.isEmpty) {
      throw Self.refusal("There is no vault key.", "Set FAIRLEAD_VAULT_KEYS to what it prints.")
    }
    guard entries.count <= Self.maximumKeys else {
      throw Self.refusal("There are more than \(Self.maximumKeys) vault keys.", "Remove old ones.")
    }
    var keys: [Key] = []
    for (index, entry) in entries.enumerated() {
      let key = try Self.parse(entry, position: index + 1)
      guard !keys.contains(where: { $0.id == key.id }) else {
        throw Self.refusal(
          "Two vault keys have the id \(key.id).", "Give each key an id of its own.")
      }
      keys.append(key)
    }
    self.keys = keys
  }

  /// Reads a file that holds the same text; line breaks may stand for commas, and lines that begin
  /// with `#` are skipped.
  /// - Throws: `FairleadError` (`configurationError`).
  public init(file path: String) throws {
    guard let data = FileManager.default.contents(atPath: path), data.count <= 64 * 1_024 else {
      throw Self.refusal(
        "The vault key file \(path) cannot be read.",
        "Write its output there, or correct FAIRLEAD_VAULT_KEY_FILE.")
    }
    let lines = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
      .map { $0.hasSuffix(",") ? String($0.dropLast()) : $0 }
    try self.init(parsing: Secret(lines.joined(separator: ",")))
  }

  /// A fresh key as `id:base64`, for `fairlead keys generate-vault-key`. It is a secret in plain
  /// text: hand it to the person who asked and to nothing else.
  /// - Throws: `FairleadError` (`invalidRequest`) when `id` is not `[a-z0-9_-]{1,32}`.
  public static func generate(id: String, random: RandomSource = .system) throws -> String {
    guard isValid(id: id) else {
      throw FairleadError(
        .invalidRequest, "A vault key's id is 1 to 32 of a-z, 0-9, _ and -, for example k1.")
    }
    return "\(id):\(random.bytes(keyLength).base64)"
  }

  func key(_ id: String) -> Key? { keys.first { $0.id == id } }

  static func isValid(id: some StringProtocol) -> Bool {
    (1...32).contains(id.utf8.count)
      && id.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }

  private static func parse(_ entry: String, position: Int) throws -> Key {
    let name = "Vault key number \(position)"
    guard let colon = entry.firstIndex(of: ":") else {
      throw refusal("\(name) is not id:base64.", "Use what it prints.")
    }
    let id = entry[..<colon]
    guard isValid(id: id) else {
      throw refusal(
        "The id of vault key number \(position) is not 1 to 32 of a-z, 0-9, _ and -.",
        "Use what it prints.")
    }
    guard let bytes = [UInt8](anyBase64: entry[entry.index(after: colon)...]) else {
      throw refusal("The vault key \(id) is not base64.", "Use what it prints.")
    }
    guard bytes.count == keyLength else {
      throw refusal(
        "The vault key \(id) has \(bytes.count) bytes instead of \(keyLength).",
        "Use what it prints.")
    }
    return Key(id: String(id), secret: SymmetricKey(data: bytes))
  }

  private static func refusal(_ problem: String, _ advice: String) -> FairleadError {
    FairleadError(
      .configurationError,
      "\(problem) `fairlead keys generate-vault-key` makes a new key. \(advice)")
  }
}

extension KeyRing: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "KeyRing(\(ids.joined(separator: ", ")))" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
