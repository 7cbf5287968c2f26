import ArgumentParser
import Fairlead
import Foundation

struct EventsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "The webhook events that were received.",
    subcommands: [List.self, Show.self, Replay.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List events, newest first.")

    @Option(help: "Only of this integration.")
    var integration: String?
    @Option(help: "Only of this type.")
    var type: String?
    @Option(
      help: "Only with this status: received, processing, processed, failed, dead, quarantined.")
    var status: String?
    @Option(help: "Only of this owner.")
    var owner: String?
    @Option(help: "Only of this connection.")
    var connection: String?
    @OptionGroup var list: ListOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
      let found = try await server.withServer {
        try await $0.list(
          "/v1/events",
          [
            ("integration", integration), ("type", type), ("status", status), ("owner", owner),
            ("connection", connection),
          ], list)
      }
      let now = SystemClock().now
      found.show(
        list,
        empty: "No event yet. Send a signed test event: fairlead webhook send PROVIDER TYPE",
        columns: [
          .text("id"), .text("integration"), .flexible("type"), .text("status"),
          .number("attempts"), .number("duplicates"), .text("received"), .flexible("problem"),
        ]
      ) { item in
        [
          .init(item["id"]?.string), .init(item["integration"]?.string),
          .init(item["type"]?.string), StatusWord.cell(item["status"]?.string),
          .init(NumberText.grouped(item["attempts"])),
          .init(NumberText.grouped(item["duplicates"])),
          .init(RelativeTime.text(item["received_at"], now: now)), .init(item["error"]?.string),
        ]
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "One event with its headers, payload and deliveries.")

    @Argument(help: "The event's id.")
    var id: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
      let answer = try await server.withServer {
        try await $0.get("/v1/events/\(pathSegment(id))")
      }
      if output.json { return Console.answer(answer.bytes) }
      tell(answer.json, now: SystemClock().now)
    }

    private func tell(_ event: JSONValue, now: Timestamp) {
      func text(_ name: String) -> TextTable.Cell? { event[name]?.string.map { .init($0) } }
      Console.facts([
        ("id", text("id")), ("integration", text("integration")), ("type", text("type")),
        ("provider's id", text("provider_event_id")), ("owner", text("owner")),
        ("connection", text("connection")), ("status", StatusWord.cell(event["status"]?.string)),
        ("problem", text("error")),
        ("received", RelativeTime.text(event["received_at"], now: now).map { .init($0) }),
        ("duplicates", NumberText.grouped(event["duplicates"]).map { .init($0) }),
      ])
      if let headers = event["headers"]?.object, !headers.isEmpty {
        Console.line("\n" + Console.styled("Headers", .bold))
        Console.facts(
          headers.sorted { $0.key < $1.key }.map { ($0.key.printable, .init($0.value.scalarText)) })
      }
      let deliveries = event["deliveries"]?.array ?? []
      if !deliveries.isEmpty {
        Console.line("\n" + Console.styled("Deliveries", .bold))
        Console.table(DeliveryTable.table(deliveries, now: now))
      }
      Console.line("\n" + Console.styled("Payload", .bold))
      switch event["payload"] {
      case nil, .null: Console.line("No longer kept.")
      case .string(let text): Console.line(PrintableText.lines(text))
      case let payload?: Console.line(PrettyJSON.text(payload))
      }
    }
  }

  struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give events to their handlers again. Destinations see the same webhook-id.")

    @Argument(help: "The ids of the events.")
    var ids: [String]
    @OptionGroup var output: OutputOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
      try await server.withServer { client in
        for id in ids {
          let answer = try await client.post("/v1/events/\(pathSegment(id))/replay")
          if output.json {
            Console.answer(answer.bytes)
          } else {
            let type = answer.json["type"]?.string?.printable ?? "event"
            Console.line(
              "Replaying \(type) \(answer.json["id"]?.string?.printable ?? id.printable).")
          }
        }
      }
    }
  }
}

/// JSON with a line for each member.
enum PrettyJSON {
  static func text(_ value: JSONValue) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // What came out of a parser has nothing an encoder refuses.
    let bytes = (try? encoder.encode(value)).map(Array.init) ?? value.bytes
    return PrintableText.lines(String(decoding: bytes, as: UTF8.self))
  }
}
