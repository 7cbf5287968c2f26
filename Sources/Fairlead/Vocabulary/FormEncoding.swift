/// `application/x-www-form-urlencoded`, as queries, forms and OAuth use it.
public enum FormEncoding {
  /// Percent-encodes everything but RFC 3986's unreserved characters, so that the result is right in
  /// a query, a form body and a Basic header alike.
  public static func escape(_ text: String) -> String {
    var escaped: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122, 45, 46, 95, 126: escaped.append(byte)
      default:
        escaped.append(37)
        escaped.append(contentsOf: [byte].hex.uppercased().utf8)
      }
    }
    return String(decoding: escaped, as: UTF8.self)
  }

  public static func encode(_ fields: [(String, String)]) -> String {
    fields.map { "\(escape($0))=\(escape($1))" }.joined(separator: "&")
  }

  /// Undoes percent-encoding. `nil` for a broken escape or for bytes that are no UTF-8.
  public static func unescape(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte == 37 {
        guard let high = rest.popFirst(), let low = rest.popFirst(),
          let decoded = [UInt8](hex: String(decoding: [high, low], as: UTF8.self))
        else { return nil }
        bytes += decoded
      } else {
        bytes.append(byte == 43 && plusIsSpace ? 32 : byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  /// The fields of a form; a field that cannot be decoded is left out.
  public static func decode(_ text: String) -> [(String, String)] {
    text.split(separator: "&").compactMap { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let first = parts.first, let name = unescape(first, plusIsSpace: true),
        let value = unescape(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
      else { return nil }
      return (name, value)
    }
  }
}
