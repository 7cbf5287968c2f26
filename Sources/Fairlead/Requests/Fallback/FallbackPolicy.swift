import HTTPTypes
import NIOCore

/// When and with what an integration stands in for its provider; a definition's fallback made ready
/// for use.
struct FallbackPolicy: Sendable {
  private struct Rule: Sendable {
    let response: ProviderDefinition.FallbackResponse
    let path: PathTemplate
  }

  /// A larger request body is not looked into.
  static let largestRequest = 4 << 20

  let staleIfError: Duration?
  private let message: String
  private let triggers: Set<ProviderDefinition.FallbackSettings.Trigger>
  private let rules: [Rule]

  /// `nil` when there is nothing to fall back to: what says a message is off without one.
  init?(_ settings: ProviderDefinition.FallbackSettings?) {
    guard let settings else { return nil }
    staleIfError = settings.staleIfError
    message = settings.message ?? ""
    triggers = settings.triggers ?? [.unavailable]
    rules = settings.responses
      .filter { settings.message != nil || !$0.saysMessage }
      .map { Rule(response: $0, path: PathTemplate($0.path)) }
    if rules.isEmpty, staleIfError == nil { return nil }
  }

  /// Whether a call that ended with this code may be stood in for.
  func covers(_ code: ErrorCode) -> Bool {
    switch code {
    case .serviceUnavailable, .upstreamTimeout, .outcomeUnknown: triggers.contains(.unavailable)
    case .rateLimitExceeded: triggers.contains(.rateLimit)
    case .quotaExhausted: triggers.contains(.quota)
    case .configurationError, .needsReauth, .unauthenticated, .forbidden, .notFound,
      .invalidRequest, .conflict, .payloadTooLarge:
      false
    }
  }

  /// The canned response for a request.
  /// - Parameters:
  ///   - path: without query.
  ///   - mayHaveHappened: the call may have had its effect, and repeating it would be a second one.
  func canned(
    for call: Call, path: String, mayHaveHappened: Bool, now: Timestamp, random: RandomSource
  ) -> Substitute? {
    let candidates = rules.filter {
      $0.response.methods.contains(call.method.rawValue) && $0.path.matches(path[...])
        && (!mayHaveHappened || $0.response.effect == .none)
    }
    guard !candidates.isEmpty else { return nil }
    let request = Self.json(of: call.body)
    func matches(_ condition: ProviderDefinition.Condition) -> Bool {
      condition.matches(status: 0, headers: call.headers, json: request)
    }
    guard
      let response = candidates.first(where: { rule in
        (rule.response.when.map(matches) ?? true) && !rule.response.unless.contains(where: matches)
      })?.response
    else { return nil }
    let template = FallbackTemplate(
      request: request, now: now.microseconds / 1_000_000, id: random.bytes(12).hex,
      message: message)
    return response.substitute(template, matches: matches)
  }

  /// A request's body as JSON; `nil` for anything else and for one that streams.
  private static func json(of body: RequestBody) -> JSONValue? {
    guard case .bytes(let buffer) = body, buffer.readableBytes <= largestRequest else { return nil }
    // What is no JSON matches no condition about it.
    return try? JSONValue(parsing: buffer.readableBytesView)
  }
}

extension ProviderDefinition.FallbackResponse {
  fileprivate func substitute(
    _ template: FallbackTemplate, matches: (ProviderDefinition.Condition) -> Bool
  ) -> Substitute {
    var fields: HTTPFields = [.cacheControl: "no-store"]
    let chunks: [ByteBuffer]
    switch content {
    case .json(let document):
      fields[.contentType] = "application/json"
      chunks = [ByteBuffer(bytes: template.fill(document).bytes)]
    case .events(let events):
      fields[.contentType] = "text/event-stream; charset=utf-8"
      chunks = Self.chunks(events.filter { $0.when.map(matches) ?? true }, template)
    }
    for (name, value) in headers where name != "content-length" {
      guard let name = HTTPField.Name(name), HTTPField.isValidValue(value) else { continue }
      fields[name] = value
    }
    fields = Headers.incoming(fields)
    if case .json = content {
      fields[.contentLength] = String(chunks.reduce(0) { $0 + $1.readableBytes })
    }
    return Substitute(kind: .canned, status: status, headers: fields, chunks: chunks)
  }

  private static func chunks(
    _ events: [ProviderDefinition.FallbackEvent], _ template: FallbackTemplate
  ) -> [ByteBuffer] {
    var template = template
    var chunks: [ByteBuffer] = []
    for event in events {
      let isRepeated = FallbackTemplate.placeholders(in: event.data).contains("message.piece")
      for piece in isRepeated ? FallbackTemplate.pieces(of: template.message) : [""] {
        template.piece = piece
        template.sequence = chunks.count
        let filled = template.fill(event.data)
        let data = if case .string(let text) = filled { text } else { filled.text }
        var text = event.name.map { "event: \($0)\n" } ?? ""
        // A line break in a value must not begin a field of its own.
        for line in data.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
          text += "data: \(line)\n"
        }
        chunks.append(ByteBuffer(string: text + "\n"))
      }
    }
    return chunks
  }

  /// Whether it has something to say only with a message.
  var saysMessage: Bool {
    let templates: [JSONValue] =
      switch content {
      case .json(let document): [document]
      case .events(let events): events.map(\.data)
      }
    return templates.contains {
      !FallbackTemplate.placeholders(in: $0).isDisjoint(with: ["message", "message.piece"])
    }
  }
}
