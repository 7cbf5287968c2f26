/// A value that must never be printed: tokens, keys, passwords. Every way of turning it into text
/// gives `***`; `expose()` is the one deliberate way in.
///
/// It is not `Codable`, so that a credential cannot reach JSON by accident.
public struct Secret: Sendable {
  private let bytes: [UInt8]

  public init(_ text: String) { bytes = Array(text.utf8) }
  public init(bytes: [UInt8]) { self.bytes = bytes }

  /// The secret as text. Use it where it leaves for the provider, nowhere else.
  public func expose() -> String { String(decoding: bytes, as: UTF8.self) }

  /// The secret's bytes, for cryptography.
  public func exposeBytes() -> [UInt8] { bytes }

  public var isEmpty: Bool { bytes.isEmpty }
}

extension Secret: Equatable {
  /// Compares every byte whatever the first difference; the length alone may show in the time.
  public static func == (left: Self, right: Self) -> Bool {
    guard left.bytes.count == right.bytes.count else { return false }
    var difference: UInt8 = 0
    for index in left.bytes.indices { difference |= left.bytes[index] ^ right.bytes[index] }
    return difference == 0
  }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "***" }
  public var debugDescription: String { "***" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
