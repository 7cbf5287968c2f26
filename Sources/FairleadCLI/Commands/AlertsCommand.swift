import ArgumentParser
import Fairlead

struct AlertsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alerts", abstract: "Alerts that fire now, and those that did.")

  @Option(help: "Only of this integration.")
  var integration: String?
  @Option(help: "Only in this state: firing or resolved.")
  var state: String?
  @Option(
    help: "Only of this rule: success_rate, latency, server_errors or webhook_failures.")
  var rule: String?
  @OptionGroup var list: ListOptions
  @OptionGroup var server: ServerOptions

  func run() async throws {
    let found = try await server.withServer {
      try await $0.list(
        "/v1/alerts", [("integration", integration), ("state", state), ("rule", rule)], list)
    }
    let now = SystemClock().now
    found.show(
      list, empty: "No alert. fairlead status shows how every integration is doing.",
      columns: [
        .text("id"), .text("state"), .text("rule"), .text("integration"), .number("value"),
        .number("threshold"), .text("fired"), .text("resolved"), .flexible("message"),
      ]
    ) { item in
      [
        .init(item["id"]?.string), StatusWord.cell(item["state"]?.string),
        .init(item["rule"]?.string), .init(item["integration"]?.string),
        .init(NumberText.plain(item["value"])), .init(NumberText.plain(item["threshold"])),
        .init(RelativeTime.text(item["fired_at"], now: now)),
        .init(RelativeTime.text(item["resolved_at"], now: now)), .init(item["message"]?.string),
      ]
    }
  }
}
