import Fairlead
import HTTPTypes

/// What a simulator answers, before the kernel puts it on the wire.
struct SimulatedResponse: Sendable {
  enum Body: Sendable {
    case bytes([UInt8])
    /// Written one by one, each flushed before the next.
    case chunks([[UInt8]])
  }

  var status: Int
  var headers: HTTPFields
  var body: Body

  init(status: Int, headers: HTTPFields = [:], body: Body) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  static func json(_ value: JSONValue, status: Int = 200, headers: HTTPFields = [:]) -> Self {
    var fields = headers
    fields[.contentType] = "application/json; charset=utf-8"
    return Self(status: status, headers: fields, body: .bytes(value.bytes))
  }

  static func text(_ text: String, status: Int, type: String = "text/plain; charset=utf-8") -> Self
  {
    Self(status: status, headers: [.contentType: type], body: .bytes(Array(text.utf8)))
  }

  /// Server-sent events; each element is one whole event with its blank line.
  static func events(_ events: [String], headers: HTTPFields = [:]) -> Self {
    var fields = headers
    fields[.contentType] = "text/event-stream; charset=utf-8"
    fields[.cacheControl] = "no-cache"
    return Self(status: 200, headers: fields, body: .chunks(events.map { Array($0.utf8) }))
  }

  /// About how many bytes it takes, for bounds.
  var weight: Int {
    switch body {
    case .bytes(let bytes): 500 + bytes.count
    case .chunks(let chunks): chunks.reduce(500) { $0 + $1.count }
    }
  }

  mutating func set(_ name: String, _ value: String) {
    if let name = HTTPField.Name(name) { headers[name] = value }
  }
}
