import Foundation

extension Sequence<UInt8> {
  /// Base64url without padding (RFC 4648 section 5), as PKCE, JWT and our tokens use it.
  public var base64URL: String {
    Data(self).base64EncodedString()
      .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  public var base64: String { Data(self).base64EncodedString() }

  /// Lower-case hexadecimal.
  public var hex: String {
    var text: [UInt8] = []
    for byte in self {
      text.append(hexDigits[Int(byte >> 4)])
      text.append(hexDigits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}

private let hexDigits = Array("0123456789abcdef".utf8)

extension Array<UInt8> {
  /// Decodes base64 in either alphabet, padded or not. `nil` when it is neither.
  public init?(anyBase64 text: some StringProtocol) {
    var standard = String(text).replacing("-", with: "+").replacing("_", with: "/")
    while standard.hasSuffix("=") { standard.removeLast() }
    standard += String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4)
    guard let data = Data(base64Encoded: standard) else { return nil }
    self = Array(data)
  }

  /// Decodes hexadecimal in either case. `nil` when a character is no hex digit or one is missing.
  public init?(hex text: some StringProtocol) {
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in text.utf8 {
      let value: UInt8
      switch character {
      case 48...57: value = character - 48
      case 97...102: value = character - 87
      case 65...70: value = character - 55
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    guard high == nil else { return nil }
    self = bytes
  }
}
