public import HTTPTypes

/// Takes credentials out of what is logged, stored or shown: by the name of a header, parameter or
/// member, and by the look of a value (PROVIDERS section 10, "Redaction").
///
/// It errs on the side of masking. Every function is pure, idempotent, takes time linear in its
/// input, and accepts any text.
public enum Redaction {
  /// What stands in place of a secret.
  public static let mask = "***"

  /// Any text: messages, errors, bodies. Masks the values of telling names (`token=…`,
  /// `"api_key": "…"`, `Authorization: …`), passwords in URLs, and whatever looks like a credential.
  public static func text(_ text: String) -> String {
    var scanner = RedactionScanner(text)
    return scanner.redacted() ?? text
  }

  /// One header's value. A scheme such as `Bearer` stays.
  public static func header(_ name: String, _ value: String) -> String {
    let name = RedactionKey(name)
    guard name.kind == .open, !name.isOurs else {
      guard name.isHeader, let space = value.firstIndex(of: " "),
        RedactionKey.isScheme(value[..<space])
      else { return masked(value) }
      return "\(value[..<space]) \(mask)"
    }
    return name.holdsURL ? url(value) : text(value)
  }

  public static func headers(_ fields: HTTPFields) -> HTTPFields {
    var result = HTTPFields()
    for field in fields {
      result.append(HTTPField(name: field.name, value: header(field.name.rawName, field.value)))
    }
    return result
  }

  /// A URL, absolute or from its path on: user info, parameters of query and fragment, and
  /// credentials in the path.
  public static func url(_ url: String) -> String {
    var rest = url[...]
    var fragment = ""
    if let hash = rest.firstIndex(of: "#") {
      let content = String(rest[rest.index(after: hash)...])
      fragment = "#" + (content.contains("=") ? form(content) : text(content))
      rest = rest[..<hash]
    }
    guard let mark = rest.firstIndex(of: "?") else { return text(String(rest)) + fragment }
    let query = form(String(rest[rest.index(after: mark)...]))
    return text(String(rest[..<mark])) + "?" + query + fragment
  }

  /// A query or a form: `name=value&name=value`.
  public static func form(_ form: String) -> String {
    form.split(separator: "&", omittingEmptySubsequences: false).map { pair in
      guard let equals = pair.firstIndex(of: "=") else { return text(String(pair)) }
      let name = pair[..<equals]
      let value = String(pair[pair.index(after: equals)...])
      let plainName = decoded(name)
      let safeName = text(plainName) == plainName ? String(name) : mask
      if RedactionKey(plainName).kind != .open { return "\(safeName)=\(masked(value))" }
      let plain = decoded(value)
      return text(plain) == plain ? "\(safeName)=\(value)" : "\(safeName)=\(mask)"
    }.joined(separator: "&")
  }

  /// A JSON document.
  public static func json(_ value: JSONValue) -> JSONValue { json(value, depth: 0) }

  /// Whether what is stored under `name` is to be masked.
  public static func isSecret(_ name: String) -> Bool { RedactionKey(name).kind != .open }

  private static func json(_ value: JSONValue, depth: Int) -> JSONValue {
    guard depth < 100 else { return .string(mask) }
    switch value {
    case .string(let string): return .string(text(string))
    case .array(let elements): return .array(elements.map { json($0, depth: depth + 1) })
    case .object(let members):
      var result: [String: JSONValue] = [:]
      for (name, member) in members {
        let key = RedactionKey(name)
        switch member {
        case .null, .bool: result[name] = member
        case .int where key.isCount: result[name] = member
        default:
          result[name] = key.kind == .open ? json(member, depth: depth + 1) : .string(mask)
        }
      }
      return .object(result)
    case .null, .bool, .int, .double: return value
    }
  }

  private static func masked(_ value: String) -> String { value.isEmpty ? value : mask }

  /// Percent-decoded, `+` as a space; invalid sequences stay as they are.
  private static func decoded(_ text: some StringProtocol) -> String {
    let bytes = Array(text.utf8)
    guard bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
      return String(text)
    }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
        let high = bytes[index + 1].hexValue, let low = bytes[index + 2].hexValue
      {
        result.append(high << 4 | low)
        index += 3
      } else {
        result.append(bytes[index] == UInt8(ascii: "+") ? UInt8(ascii: " ") : bytes[index])
        index += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}

extension UInt8 {
  var hexValue: UInt8? {
    switch self {
    case 48...57: self - 48
    case 65...70: self - 55
    case 97...102: self - 87
    default: nil
    }
  }
}
