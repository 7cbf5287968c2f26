import HTTPTypes
import NIOCore

/// Fills the placeholders of a definition's watch and stop calls. Pure.
enum WatchRequest {
  static func make(
    _ request: ProviderDefinition.Push.Request, params: [String: String],
    values: [String: String]
  ) -> CallRequest {
    var path = request.path
    for (name, value) in params {
      path = path.replacing("{\(name)}", with: FormEncoding.escape(value))
    }
    return CallRequest(
      HTTPRequest.Method(request.method) ?? .post, path,
      headers: [.contentType: "application/json; charset=utf-8"],
      body: .bytes(ByteBuffer(bytes: fill(request.body, values).bytes)))
  }

  private static func fill(_ document: JSONValue, _ values: [String: String]) -> JSONValue {
    switch document {
    case .string(let text):
      // One pass from left to right: what was filled in is not looked at again.
      var filled = ""
      var rest = text[...]
      while let open = rest.firstIndex(of: "{"),
        let close = rest[open...].firstIndex(of: "}")
      {
        let name = String(rest[rest.index(after: open)..<close])
        filled += rest[..<open]
        filled += values[name] ?? String(rest[open...close])
        rest = rest[rest.index(after: close)...]
      }
      return .string(filled + rest)
    case .object(let members): return .object(members.mapValues { fill($0, values) })
    case .array(let elements): return .array(elements.map { fill($0, values) })
    default: return document
    }
  }

  /// When an answer says the watch ends; `nil` where it says nothing of use.
  static func expiry(
    of answer: JSONValue?, _ expires: ProviderDefinition.Expiry?, now: Timestamp
  ) -> Timestamp? {
    guard let expires, let value = answer?[path: expires.path],
      let number = value.int ?? value.string.flatMap({ Int64($0) }), number > 0
    else { return nil }
    let scale: Int64 = expires.unit == .milliseconds ? 1_000 : 1_000_000
    let (microseconds, overflow) = number.multipliedReportingOverflow(by: scale)
    let time = Timestamp(microseconds: microseconds)
    guard !overflow, time > now, time < now + .seconds(10 * 366 * 86_400) else { return nil }
    return time
  }

  /// Where notifications are sent to; `nil` where no provider could reach it: plain HTTP will do for
  /// a simulator alone.
  static func address(publicURL: String, integration: Integration) -> String? {
    guard publicURL.hasPrefix("https://") || integration.baseURL != nil else { return nil }
    return "\(publicURL)/webhooks/\(integration.name)"
  }
}
