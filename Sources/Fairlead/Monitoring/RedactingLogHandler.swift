public import Logging

/// Passes everything that is logged through `Redaction` before another handler sees it: messages,
/// metadata from all sources, errors.
public struct RedactingLogHandler: LogHandler {
  private var base: any LogHandler
  public var metadata: Logger.Metadata = [:]
  /// Kept here and not handed on: the base must get its values redacted.
  public var metadataProvider: Logger.MetadataProvider?

  /// - Parameter base: writes what is left; its own metadata provider, if any, is taken over.
  public init(_ base: any LogHandler) {
    self.base = base
    metadataProvider = base.metadataProvider
    self.base.metadataProvider = nil
  }

  public var logLevel: Logger.Level {
    get { base.logLevel }
    set { base.logLevel = newValue }
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    var all = metadata
    if let metadataProvider { all.merge(metadataProvider.get()) { $1 } }
    if let own = event.metadata { all.merge(own) { $1 } }
    if let error = event.error { all["error"] = "\(error)" }
    base.log(
      event: LogEvent(
        level: event.level, message: "\(Redaction.text(event.message.description))",
        metadata: all.isEmpty ? nil : Self.redacted(all), source: event.source, file: event.file,
        function: event.function, line: event.line))
  }

  private static func redacted(_ metadata: Logger.Metadata) -> Logger.Metadata {
    var result: Logger.Metadata = [:]
    for (key, value) in metadata { result[key] = redacted(value, under: RedactionKey(key)) }
    return result
  }

  private static func redacted(
    _ value: Logger.MetadataValue, under key: RedactionKey
  ) -> Logger.MetadataValue {
    switch value {
    case .string(let text): .string(redacted(text, under: key))
    case .stringConvertible(let other): .string(redacted(other.description, under: key))
    case .array(let values): .array(values.map { redacted($0, under: key) })
    case .dictionary(let values) where key.kind == .open: .dictionary(redacted(values))
    case .dictionary: .string(Redaction.mask)
    @unknown default: .string(Redaction.mask)
    }
  }

  private static func redacted(_ text: String, under key: RedactionKey) -> String {
    switch key.kind {
    case .open: Redaction.text(text)
    case .ambiguous:
      RedactionKey.isPlainWord(text.utf8) ? text : Redaction.mask
    case .secret:
      key.isCount && text.utf8.allSatisfy { (48...57).contains($0) } ? text : Redaction.mask
    }
  }
}
