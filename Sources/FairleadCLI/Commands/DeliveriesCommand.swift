import ArgumentParser
import Fairlead

struct DeliveriesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "deliveries", abstract: "Events on their way to handlers and destinations.",
    subcommands: [List.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List deliveries and their attempts, newest first.")

    @Option(help: "Only of this event.")
    var event: String?
    @Option(help: "Only to this destination.")
    var destination: String?
    @Option(help: "Only with this status: pending, waiting, succeeded, dead or cancelled.")
    var status: String?
    @OptionGroup var list: ListOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
      let found = try await server.withServer {
        try await $0.list(
          "/v1/deliveries",
          [("event", event), ("destination", destination), ("status", status)], list)
      }
      let now = SystemClock().now
      found.show(
        list,
        empty: "No delivery yet. Events go to handlers in Swift, and to destinations: "
          + "POST /v1/destinations.",
        columns: DeliveryTable.columns
      ) { DeliveryTable.row($0, now: now) }
    }
  }
}

/// Deliveries as rows.
enum DeliveryTable {
  static let columns: [TextTable.Column] = [
    .text("id"), .text("event"), .flexible("to"), .text("status"), .number("attempts"),
    .number("crashes"), .text("next attempt"), .flexible("problem"),
  ]

  static func row(_ item: JSONValue, now: Timestamp) -> [TextTable.Cell] {
    [
      .init(item["id"]?.string), .init(item["event"]?.string),
      .init(item["handler"]?.string ?? item["destination"]?.string),
      StatusWord.cell(item["status"]?.string), .init(NumberText.grouped(item["attempts"])),
      .init(NumberText.grouped(item["crashes"])),
      .init(RelativeTime.text(item["next_attempt_at"], now: now)), .init(item["error"]?.string),
    ]
  }

  static func table(_ items: [JSONValue], now: Timestamp) -> TextTable {
    TextTable(columns: columns, rows: items.map { row($0, now: now) })
  }
}
