import ArgumentParser
import Fairlead

struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "How every integration is doing, over 24 hours.")

  @OptionGroup var output: OutputOptions
  @OptionGroup var server: ServerOptions

  func run() async throws {
    try await server.withServer { client in
      let health = try await client.get("/v1/health")
      if output.json { return Console.answer(health.bytes) }
      let integrations = health.json["integrations"]?.array ?? []
      let isReady = await client.open("/readyz")?.status == 200
      Console.line(
        "\(client.url)  "
          + Console.styled(
            isReady ? "ready" : "storage cannot be written", isReady ? .green : .red))
      if integrations.isEmpty {
        Console.line(
          "No integration yet. Set its variables in .env, for example STRIPE_SECRET_KEY, and "
            + "restart.")
        return
      }
      Console.line()
      Console.table(HealthTable.table(integrations, now: SystemClock().now))
      // A server without this route has no alerts to show.
      let firing = (try? await client.get("/v1/alerts", [("state", "firing")]).json["data"]?.array)
      if let firing, !firing.isEmpty {
        Console.line()
        let count = firing.count == 1 ? "1 alert is firing" : "\(firing.count) alerts are firing"
        Console.line(Console.styled(count, .red) + ": fairlead alerts --state firing")
      }
    }
  }
}

/// Health as rows.
enum HealthTable {
  static func table(_ integrations: [JSONValue], now: Timestamp) -> TextTable {
    TextTable(
      columns: [
        .text("integration"), .text("status"), .number("calls"), .number("success"),
        .number("mean"), .number("p95"), .text("last success"), .text("breaker"),
        .number("webhooks"), .number("dead"), .flexible("message"),
      ],
      rows: integrations.map { item in
        [
          .init(item["integration"]?.string), StatusWord.cell(item["status"]?.string),
          .init(NumberText.grouped(item["calls_24h"])),
          .init(NumberText.percent(item["success_rate_24h"])),
          .init(NumberText.milliseconds(item[path: "latency_ms.mean"])),
          .init(NumberText.milliseconds(item[path: "latency_ms.p95"])),
          .init(RelativeTime.text(item["last_success_at"], now: now)),
          StatusWord.cell(item["breaker"]?.string),
          .init(NumberText.grouped(item[path: "webhooks.received"])),
          .init(NumberText.grouped(item[path: "webhooks.dead"])), .init(item["message"]?.string),
        ]
      })
  }
}
