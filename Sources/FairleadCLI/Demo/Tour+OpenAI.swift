import Fairlead
import Foundation
import HTTPTypes

/// A provider goes down and comes back; only its own calls feel it, and they get an answer.
extension Tour {
  private static let completions = "/v1/proxy/openai/v1/chat/completions"

  private static func prompt(stream: Bool = false) -> JSONValue {
    [
      "model": "gpt-4o-mini", "stream": .bool(stream),
      "messages": [["role": "user", "content": "Describe the harbour at dawn in a sentence."]],
    ]
  }

  func degrade() async throws {
    let streamed = try await client.api(.post, Self.completions, Self.prompt(stream: true))
    let chunks = Self.chunks(streamed)
    try expect(
      streamed.status == 200 && chunks > 2 && streamed.text.contains("data: [DONE]"),
      "the completion did not stream: \(streamed.status) \(streamed.text.prefix(120))")
    say("streamed          \(chunks) chunks and [DONE]")

    try await fault(["provider": "openai", "kind": "server_error", "status": 503, "times": 0])
    say("OpenAI            goes down: every call is answered 503")
    try await fallBack()
    try await eventually("the alert") {
      try await alerts("firing").contains { $0["integration"]?.string == "openai" }
    }
    let alert = try await alerts("firing").first { $0["integration"]?.string == "openai" }
    say("alert             fired: \(alert?["message"]?.string ?? "")")
    let page = try await client.api(.get, "/v1/integrations/openai")
    say("for the page      “\(page.json["message"]?.string ?? "")”")
    try await expectOthersUnharmed()
    try await recover()
  }

  private func fallBack() async throws {
    var answers = 0
    // An application goes on asking; once the breaker is open nothing is sent any more.
    for _ in 0..<24 {
      let answer = try await client.api(.post, Self.completions, Self.prompt())
      try expect(
        answer.status == 200 && answer.header("fairlead-fallback") == "true",
        "no fallback: \(answer.status) \(answer.text.prefix(200))")
      try expect(
        answer.json["choices"]?[0]?["message"]?["content"]?.string != nil,
        "the fallback is no chat completion: \(answer.text.prefix(200))")
      answers += 1
    }
    let streamed = try await client.api(.post, Self.completions, Self.prompt(stream: true))
    try expect(
      streamed.header("fairlead-fallback") == "true" && streamed.text.contains("data: [DONE]"),
      "no streamed fallback: \(streamed.status) \(streamed.text.prefix(200))")
    say("the application   \(answers) answers and a stream, each flagged fairlead-fallback: true")
    let health = try await health(of: "openai")
    let breaker = health["breaker"]?.string ?? "?"
    try expect(breaker == "open", "the breaker is \(breaker)")
    let reached = try await arrived("openai", path: "/v1/chat/completions").count {
      $0["status"]?.int == 503
    }
    say("breaker           open: of \(answers + 1) calls \(reached) attempts reached the provider")
  }

  private func expectOthersUnharmed() async throws {
    let started = clock.uptime
    let customer = try await client.api(.post, "/v1/proxy/stripe/v1/customers")
    let posted = try await client.api(.post, "/v1/proxy/slack:ada/api/auth.test", [:])
    try expect(
      customer.status == 200 && posted.status == 200,
      "Stripe answered \(customer.status), Slack \(posted.status)")
    say(
      "nothing else      Stripe and Slack answer in \(Format.milliseconds((clock.uptime - started).inSeconds * 1_000)) together"
    )
  }

  private func recover() async throws {
    _ = try await client.control(.delete, "/faults")
    say("OpenAI            is back")
    try await eventually("recovery", within: .seconds(30)) {
      let answer = try await client.api(.post, Self.completions, Self.prompt())
      return answer.status == 200 && answer.header("fairlead-fallback") == nil
    }
    say(
      "breaker           a probe passed: \(try await health(of: "openai")["breaker"]?.string ?? "?")"
    )
    try await eventually("the alert's end", within: .seconds(45)) {
      for _ in 0..<10 { _ = try await client.api(.post, Self.completions, Self.prompt()) }
      return try await !alerts("firing").contains { $0["integration"]?.string == "openai" }
    }
    let resolved = try await alerts("resolved").filter { $0["integration"]?.string == "openai" }
    try expect(!resolved.isEmpty, "no alert is resolved")
    say("alert             resolved")
  }

  private func alerts(_ state: String) async throws -> [JSONValue] {
    try await client.api(.get, "/v1/alerts?state=\(state)").json["data"]?.array ?? []
  }

  private func health(of integration: String) async throws -> JSONValue {
    let all = try await client.api(.get, "/v1/health").json["integrations"]?.array ?? []
    return all.first { $0["integration"]?.string == integration } ?? .null
  }

  private static func chunks(_ answer: DemoClient.Answer) -> Int {
    answer.text.components(separatedBy: "data: {").count - 1
  }
}
