import Foundation
public import Logging
import Synchronization

/// How lines of the log look.
public enum LogFormat: String, Sendable, CaseIterable {
  /// `2026-11-21T08:30:00.123Z warning fairlead: The message key=value`
  case human
  /// One JSON object a line: `time`, `level`, `logger`, `message`, `metadata`.
  case json
}

/// Writes each event as one line to standard error, control characters escaped, so that no input
/// can forge a line.
public struct StandardErrorLogHandler: LogHandler {
  private let label: String
  private let format: LogFormat
  private let clock: any FairleadClock
  private let write: @Sendable (String) -> Void
  public var logLevel: Logger.Level
  public var metadata: Logger.Metadata = [:]
  public var metadataProvider: Logger.MetadataProvider?

  /// - Parameter write: takes one line with its newline; standard error by default.
  public init(
    label: String, level: Logger.Level = .info, format: LogFormat = .human,
    clock: any FairleadClock = SystemClock(), write: (@Sendable (String) -> Void)? = nil
  ) {
    self.label = label
    self.format = format
    self.clock = clock
    self.write = write ?? { standardError.write($0) }
    logLevel = level
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
    let message = event.message.description
    switch format {
    case .human: write(human(event.level, message, all))
    case .json: write(json(event.level, message, all))
    }
  }

  private func human(
    _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata
  ) -> String {
    var line = "\(clock.now.rfc3339) \(level.rawValue) \(label): \(Self.escaped(message))"
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      let text = Self.escaped("\(value)")
      let needsQuotes = text.isEmpty || text.contains(" ") || text.contains("\"")
      line += " \(Self.escaped(key))="
      line += needsQuotes ? "\"\(text.replacing("\"", with: "\\\""))\"" : text
    }
    return line + "\n"
  }

  private func json(
    _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata
  ) -> String {
    var members: [String: JSONValue] = [
      "time": .string(clock.now.rfc3339), "level": .string(level.rawValue),
      "logger": .string(label), "message": .string(message),
    ]
    if !metadata.isEmpty {
      members["metadata"] = .object(metadata.mapValues { Self.json($0, depth: 0) })
    }
    return JSONValue.object(members).text + "\n"
  }

  private static func json(_ value: Logger.MetadataValue, depth: Int) -> JSONValue {
    guard depth < 32 else { return .string("…") }
    switch value {
    case .array(let values): return .array(values.map { json($0, depth: depth + 1) })
    case .dictionary(let values): return .object(values.mapValues { json($0, depth: depth + 1) })
    default: return .string("\(value)")
    }
  }

  /// Line breaks and other control characters as `\n`, `\u{1b}`.
  private static func escaped(_ text: String) -> String {
    func isControl(_ scalar: Unicode.Scalar) -> Bool {
      scalar.value < 32 || (127..<160).contains(scalar.value) || scalar.value == 0x2028
        || scalar.value == 0x2029
    }
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where isControl(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension StandardErrorLogHandler {
  /// The factory for `LoggingSystem.bootstrap`: lines on standard error, without secrets.
  /// - Parameter level: `FAIRLEAD_LOG_LEVEL`.
  public static func redacted(
    level: Logger.Level, format: LogFormat
  ) -> @Sendable (String, Logger.MetadataProvider?) -> any LogHandler {
    { label, provider in
      var handler = RedactingLogHandler(
        StandardErrorLogHandler(label: label, level: level, format: format))
      handler.metadataProvider = provider
      return handler
    }
  }
}

private let standardError = LogOutput()

/// Standard error behind a lock: a line is written whole.
private final class LogOutput: Sendable {
  private let lock = Mutex(())

  func write(_ line: String) {
    lock.withLock { _ in
      // A closed standard error is no reason to fail: there is nobody to tell.
      try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
    }
  }
}
