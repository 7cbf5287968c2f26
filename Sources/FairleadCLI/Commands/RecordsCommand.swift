import ArgumentParser
import Fairlead

struct RecordsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "records",
    abstract: "The change feed of a model: what was added, updated, deleted.",
    discussion: """
      Store the cursor it ends with and start there the next time: nothing is missed. --follow goes \
      on with what comes.
      """)

  private static let pause: Duration = .seconds(1)

  @Argument(help: "The model, such as calendar_events or users.")
  var model: String
  @Option(help: "Only of this connection.")
  var connection: String?
  @Option(help: "Only what changed behind this cursor.")
  var cursor: String?
  @Option(help: "How many at once, 1 to 1000.")
  var limit: Int?
  @Flag(help: "Every page up to now.")
  var all = false
  @Flag(help: "Go on with what changes until Ctrl-C.")
  var follow = false
  @Flag(help: "Print what the API answered, a line for each page that has records.")
  var json = false
  @OptionGroup var server: ServerOptions

  func validate() throws {
    if let limit, !(1...1_000).contains(limit) {
      throw ValidationError("--limit must be a number from 1 to 1000.")
    }
  }

  func run() async throws {
    let clock = SystemClock()
    try await server.withServer { client in
      var cursor = cursor
      var isFirst = true
      while true {
        let page = try await client.get(
          "/v1/records/\(pathSegment(model))",
          [
            ("connection", connection), ("cursor", cursor),
            ("limit", (limit ?? (all || follow ? 500 : nil)).map { String($0) }),
          ])
        guard let records = page.json["records"]?.array else {
          throw CommandFailure("the server answered without records. Check --url.")
        }
        show(page, records, isFirst: isFirst)
        isFirst = isFirst && records.isEmpty && follow
        let next = page.json["next_cursor"]?.string
        let hasMore = page.json["has_more"]?.bool == true && next != cursor
        cursor = next ?? cursor
        if hasMore, all || follow { continue }
        guard follow else {
          if !json, let cursor {
            Console.error(
              hasMore
                ? "More follow: add --all, or --cursor \(cursor.printable)"
                : "Go on from here: --cursor \(cursor.printable)")
          }
          return
        }
        try await clock.sleep(for: Self.pause)
      }
    }
  }

  private func show(_ page: ServerClient.Answer, _ records: [JSONValue], isFirst: Bool) {
    if json {
      if !records.isEmpty || !follow { Console.answer(page.bytes) }
      return
    }
    guard !records.isEmpty else {
      if isFirst, !follow {
        Console.line(
          cursor == nil
            ? "No record of \(model.printable) yet. `fairlead syncs` shows what is synced."
            : "Nothing has changed since this cursor.")
      }
      return
    }
    var lines = RecordTable.table(records).lines(
      width: Terminal.width, styled: { Console.styled($0, $1) })
    if !isFirst { lines.removeFirst() }
    for line in lines { Console.line(line) }
  }
}

/// Records as rows.
enum RecordTable {
  static func table(_ records: [JSONValue]) -> TextTable {
    TextTable(
      columns: [
        .text("change"), .flexible("id"), .text("connection"), .number("version"),
        .flexible("data"),
      ],
      rows: records.map { record in
        let data = record["data"].flatMap { $0 == .null ? nil : $0.text }
        return [
          StatusWord.cell(record["change"]?.string), .init(record["id"]?.scalarText),
          .init(record["connection"]?.string), .init(record["version"]?.scalarText), .init(data),
        ]
      })
  }
}
