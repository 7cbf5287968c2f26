import Fairlead
import Foundation
import HTTPTypes

extension Tour {
  func processOnce() async throws {
    let ingress = client.server + "/webhooks/stripe"
    let sent = try await client.control(
      .post, "/stripe/events",
      ["type": "payment_intent.succeeded", "to": .string(ingress), "times": 3])
    say("delivered         three times, the same event: \(Self.statuses(sent.json))")
    let forged = try await client.control(
      .post, "/stripe/events",
      [
        "type": "payment_intent.succeeded", "to": .string(ingress), "times": 1, "forge": true,
      ])
    let refusal = Self.statuses(forged.json)
    try expect(refusal == "400", "the forged event was answered with \(refusal)")
    say("forged            refused with 400")

    let list = "/v1/events?integration=stripe&type=payment_intent.succeeded"
    try await eventually("processing") {
      try await client.api(.get, list).json["data"]?[0]?["status"]?.string == "processed"
    }
    let events = try await client.api(.get, list).json["data"]?.array ?? []
    try expect(events.count == 1, "\(events.count) events are in the inbox")
    guard let id = events[0]["id"]?.string else { throw StepFailure("the event has no id") }
    let duplicates = events[0]["duplicates"]?.int ?? -1
    try expect(duplicates == 2, "\(duplicates) duplicates were counted instead of 2")
    let deliveries = try await client.api(.get, "/v1/events/\(id)").json["deliveries"]?.array ?? []
    try expect(deliveries.count == 1, "the event went to \(deliveries.count) handlers, not 1")
    try expect(
      deliveries[0]["attempts"]?.int == 1,
      "the handler ran \(deliveries[0]["attempts"]?.int ?? -1) times")
    say("in the inbox      \(id), processed once, 2 duplicates recognised")
  }

  /// The HTTP statuses the sandbox's deliveries got.
  static func statuses(_ answer: JSONValue) -> String {
    let deliveries = answer["deliveries"]?.array ?? []
    return deliveries.map { $0["status"]?.int.map { String($0) } ?? "no answer" }
      .joined(separator: ", ")
  }

  // MARK: - Health

  func showHealth() async throws {
    let customer = try await client.api(
      .post, "/v1/proxy/stripe/v1/customers")
    try expect(customer.status == 200, "Stripe answered \(customer.status) \(customer.text)")
    let reply = try await client.api(
      .post, "/v1/proxy/openai/v1/chat/completions",
      [
        "model": "gpt-4o-mini",
        "messages": [["role": "user", "content": "Say hello to the harbour."]],
      ])
    try expect(reply.status == 200, "OpenAI answered \(reply.status) \(reply.text)")

    let health = try await client.api(.get, "/v1/health").json["integrations"]?.array ?? []
    try expect(health.count >= 3, "health knows \(health.count) integrations instead of 3")
    for name in ["slack", "stripe", "openai"] {
      let calls = health.first { $0["integration"]?.string == name }?["calls_24h"]?.int ?? 0
      try expect(calls > 0, "health has no call of \(name)")
    }
    Console.line()
    Console.table(
      ["integration", "status", "calls", "errors", "mean", "p50", "p95", "p99", "webhooks"],
      health.map { entry in
        [
          entry["integration"]?.string ?? "", entry["status"]?.string ?? "",
          entry["calls_24h"]?.scalarText ?? "–", Format.percent(entry["error_rate_24h"]?.double),
          Format.milliseconds(entry[path: "latency_ms.mean"]?.double),
          Format.milliseconds(entry[path: "latency_ms.p50"]?.double),
          Format.milliseconds(entry[path: "latency_ms.p95"]?.double),
          Format.milliseconds(entry[path: "latency_ms.p99"]?.double),
          "\(entry[path: "webhooks.received"]?.int ?? 0)",
        ]
      }, numeric: [2, 3, 4, 5, 6, 7, 8])
    Console.line()
  }
}

/// Figures as people read them.
enum Format {
  static func seconds(_ value: Double) -> String { String(format: "%.2f s", value) }

  static func milliseconds(_ value: Double?) -> String {
    guard let value else { return "–" }
    return value < 10 ? String(format: "%.1f ms", value) : String(format: "%.0f ms", value)
  }

  static func percent(_ share: Double?) -> String {
    share.map { String(format: "%.1f %%", $0 * 100) } ?? "–"
  }
}
