import Fairlead
import FairleadTesting
import Logging
import Synchronization
import Testing

@Suite struct LogHandlerTests {
  private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func append(_ line: String) { lines.withLock { $0.append(line) } }
  }

  private struct Failure: Error, CustomStringConvertible {
    var description: String { "refused sk_live_abcdef" }
  }

  private func logger(
    _ lines: Lines, _ format: LogFormat, provider: Logger.MetadataProvider? = nil
  ) -> Logger {
    Logger(label: "fairlead") { label in
      var handler = RedactingLogHandler(
        StandardErrorLogHandler(
          label: label, level: .debug, format: format, clock: ManualClock(),
          write: { lines.append($0) }))
      handler.metadataProvider = provider
      return handler
    }
  }

  @Test func aLineForPeopleHasTimeLevelMessageAndSortedMetadata() {
    let lines = Lines()
    logger(lines, .human).warning("It failed", metadata: ["b": "two words", "a": "1"])
    #expect(
      lines.all == ["2027-01-15T08:00:00.000Z warning fairlead: It failed a=1 b=\"two words\"\n"])
  }

  @Test func aLineForMachinesIsOneJSONObject() throws {
    let lines = Lines()
    logger(lines, .json).info(
      "Line\nbreak", metadata: ["list": ["a", "b"], "map": ["k": "v"]])
    let line = try #require(lines.all.first)
    #expect(lines.all.count == 1)
    #expect(line.filter { $0 == "\n" }.count == 1)
    let json = try JSONValue(parsing: line.utf8)
    #expect(json["message"] == .string("Line\nbreak"))
    #expect(json["level"] == .string("info"))
    #expect(json[path: "metadata.list.1"] == .string("b"))
    #expect(json[path: "metadata.map.k"] == .string("v"))
  }

  @Test func nothingThatIsLoggedCanForgeALine() throws {
    let lines = Lines()
    logger(lines, .human).info("a\nb\u{1b}[31m", metadata: ["k": "x\r\ny", "k\n2": "\u{2028}"])
    let line = try #require(lines.all.first)
    #expect(line.dropLast().allSatisfy { !$0.isNewline })
    #expect(!line.contains("\u{1b}"))
    #expect(line.contains(#"a\nb\u{1b}[31m"#))
  }

  @Test(arguments: LogFormat.allCases)
  func secretsAreGoneWhereverTheyAreLogged(format: LogFormat) {
    let lines = Lines()
    var logger = logger(lines, format, provider: .init { ["provided": "whsec_abcdefgh"] })
    logger[metadataKey: "kept"] = "xoxb-1-2-abcdef"
    logger.error(
      "Token sk_live_abcdef was refused", error: Failure(),
      metadata: [
        "access_token": "hunter2",
        "nested": ["password": "hunter2", "note": "ghp_\(String(repeating: "a", count: 36))"],
        "list": ["ya29.abcdefgh"], "authorization": ["hunter2"], "secrets": ["a": "hunter2"],
        "url": "https://h/cb?code=hunter2", "other": .stringConvertible(Secret("hunter2")),
        "code": "SERVICE_UNAVAILABLE", "state": "needs_reauth", "total_tokens": "12",
      ])
    let text = lines.all.joined()
    for secret in ["hunter2", "sk_live_abc", "xoxb-1", "whsec_a", "ghp_a", "ya29.a"] {
      #expect(!text.contains(secret), "\(secret) in \(text)")
    }
    for plain in ["provided", "kept", "SERVICE_UNAVAILABLE", "needs_reauth", "12", "refused"] {
      #expect(text.contains(plain), "\(plain) in \(text)")
    }
  }

  @Test func theLevelIsTheHandlersOwn() {
    let lines = Lines()
    var logger = logger(lines, .human)
    logger.trace("hidden")
    logger.logLevel = .trace
    logger.trace("shown")
    #expect(lines.all.count == 1)
  }
}
