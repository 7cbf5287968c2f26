import Fairlead
import HTTPTypes

extension Fault {
  private static let members: Set<String> = [
    "provider", "match", "kind", "times", "status", "retry_after", "retry_after_format", "code",
    "delay_ms", "chunk_delay_ms",
  ]

  /// Reads `POST /_sandbox/faults`.
  init(parsing bytes: [UInt8], id: String) throws(ControlError) {
    let body = try ControlBody(bytes, allowed: Self.members)
    self.id = id
    provider = try SandboxProvider.named(try body.text("provider"))
    let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
    guard let name = try body.text("kind"), let kind = Kind(rawValue: name) else {
      throw ControlError(.invalidRequest, "\"kind\" must be one of: \(kinds).")
    }
    self.kind = kind
    let match = try ControlBody(try body.object("match") ?? [:], allowed: ["method", "path"])
    method = try match.text("method")?.uppercased()
    path = try match.text("path")
    if let path, !path.hasPrefix("/"), path != "*" {
      throw match.wrong("path", "the provider's own path from its root, such as \"/v1/customers\"")
    }
    let times = try body.number("times", in: 0...1_000_000)
    remaining = body.has("times") ? times.flatMap { $0 == 0 ? nil : $0 } : 1
    status = try body.number("status", in: 200...599)
    code = try body.text("code")
    delay = .milliseconds(try body.number("delay_ms", in: 0...3_600_000) ?? 0)
    chunkDelay = .milliseconds(try body.number("chunk_delay_ms", in: 0...60_000) ?? 0)
    if kind == .slow, delay == .zero, chunkDelay == .zero { delay = .seconds(1) }
    retryAfter = try Self.retryAfter(body)
  }

  private static func retryAfter(_ body: ControlBody) throws(ControlError) -> RetryAfter? {
    let format = try body.text("retry_after_format") ?? "seconds"
    guard ["seconds", "date"].contains(format) else {
      throw body.wrong("retry_after_format", "\"seconds\" or \"date\"")
    }
    guard let value = body["retry_after"] else { return nil }
    if let text = value.string {
      guard text.utf8.allSatisfy({ (32...126).contains($0) }), text.utf8.count <= 200 else {
        throw body.wrong("retry_after", "a number of seconds or one line of text")
      }
      return .verbatim(text)
    }
    guard let seconds = value.int, (0...1_000_000).contains(seconds) else {
      throw body.wrong("retry_after", "a number of seconds or one line of text")
    }
    return format == "date" ? .date(Int(seconds)) : .seconds(Int(seconds))
  }
}

extension SandboxProvider {
  static func named(_ name: String?) throws(ControlError) -> SandboxProvider {
    let known = allCases.map(\.rawValue).joined(separator: ", ")
    guard let name else {
      throw ControlError(.invalidRequest, "\"provider\" is missing. Known: \(known).")
    }
    guard let provider = SandboxProvider(rawValue: name) else {
      throw ControlError(.notFound, "There is no simulator of \"\(name)\". Known: \(known).")
    }
    return provider
  }
}
