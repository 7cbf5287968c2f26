import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import Fairlead

@Suite struct DegradationDefinitionTests {
  private func load(_ lines: String) throws -> ProviderDefinition {
    try DefinitionLoader.load(yaml: DefinitionSamples.minimal + "\n" + lines, file: "acme.yaml")
  }

  @Test func aBreakerIsThereUnlessItIsTurnedOff() throws {
    let usual = try #require(try load("").breaker)
    #expect(usual.failureRatio == 0.5 && usual.minimumCalls == 10 && usual.consecutive == 5)
    #expect(usual.window == .seconds(30) && usual.probes == 1)
    #expect(usual.open == .seconds(5) && usual.openCap == .seconds(120))
    #expect(try load("breaker: off").breaker == nil)
    #expect(try load("breaker: { open: 10m }").breaker?.openCap == .seconds(600))
  }

  @Test func everyKeyOfTheSampleIsRead() throws {
    let sample = try DefinitionLoader.load(yaml: DefinitionSamples.complete, file: "acme.yaml")
    let breaker = try #require(sample.breaker)
    #expect(breaker.failureRatio == 0.25 && breaker.minimumCalls == 20 && breaker.probes == 2)
    #expect(breaker.window == .seconds(60) && breaker.consecutive == 3)
    #expect(breaker.open == .seconds(1) && breaker.openCap == .seconds(30))
    let fallback = try #require(sample.fallback)
    #expect(fallback.message == "Not now." && fallback.staleIfError == .seconds(3_600))
    #expect(fallback.triggers == [.unavailable, .quota])
    let first = try #require(fallback.responses.first)
    #expect(first.methods == ["GET"] && first.path == "/orders/{id}")
    #expect(first.when?.headers == ["accept": ["application/json"]])
    #expect(first.unless.map(\.body) == [["live": [true]]])
    #expect(
      first.effect == .none && first.status == 203 && first.headers == ["x-source": "fallback"])
    #expect(
      first.content
        == .json([
          "id": "{request.id}", "text": "{message}", "at": "{now}", "list": [1, nil],
        ]))
    let second = try #require(fallback.responses.last)
    #expect(second.methods == ["GET"] && second.effect == .unknown && second.status == 200)
    guard case .events(let events) = second.content else {
      Issue.record("no events")
      return
    }
    #expect(events.map(\.name) == ["note", nil] && events[1].data == "end")
    #expect(events[0].when?.body == ["a": [1]])
  }

  @Test(arguments: [
    ("breaker: { failure_ratio: 0 }", "breaker.failure_ratio: is `0`; write a share above 0"),
    ("breaker: { failure_ratio: 1.5 }", "write a share above 0 and up to 1"),
    ("breaker: { failure_ratio: half }", "is `half`; write a share"),
    ("breaker: { open: 10s, open_cap: 5s }", "`open_cap` is shorter than `open`"),
    ("breaker: { windows: 1s }", "did you mean `window`?"),
    ("breaker: on", "breaker: is a single value"),
    ("fallback: { stale_if_error: 1 }", "write a duration with its unit"),
    ("fallback: { on: outage }", "is `outage`; write one of unavailable, rate_limit, quota"),
    ("fallback: { responses: [{ json: {} }] }", "responses[0].path: is missing"),
    ("fallback: { responses: [{ path: /a }] }", "answers nothing; write `json` or `events`"),
    (
      "fallback: { responses: [{ path: /a, json: 1, events: [] }] }", "has both `json` and `events`"
    ),
    (
      "fallback: { responses: [{ path: /a, json: \"{nwo}\" }] }", "holds {nwo}, which nothing fills"
    ),
    ("fallback: { responses: [{ path: /a, json: [{ b: \"{request.}\" }] }] }", "holds {request.}"),
    ("fallback: { responses: [{ path: /a, json: 1, when: { status: 5xx } }] }", "has a status"),
    ("fallback: { responses: [{ path: /a, json: 1, status: 100 }] }", "from 200 to 599"),
    ("fallback: { responses: [{ path: /a, events: [{ event: x }] }] }", "data: is missing"),
  ])
  func mistakesAreNamed(yaml: String, problem: String) {
    let problems = DefinitionSamples.problems(DefinitionSamples.minimal + "\n" + yaml)
    #expect(problems.contains { $0.contains(problem) }, "\(problems)")
  }

  // MARK: - The catalog's OpenAI

  private func policy(message: String? = "We are back soon.") throws -> FallbackPolicy? {
    let definition = try #require(try DefinitionLoader.catalog().first { $0.name == "openai" })
    var own = ProviderDefinition.FallbackSettings()
    own.message = message
    return FallbackPolicy(own.laid(over: definition.fallback))
  }

  private func answer(_ body: JSONValue, to path: String = "/v1/chat/completions") throws -> String?
  {
    let call = Call(
      integration: "openai", connection: ConnectionID(rawValue: "conn_default_openai"),
      method: .post, path: path,
      body: .bytes(ByteBuffer(bytes: body.bytes)))
    return try policy()?.canned(
      for: call, path: path, mayHaveHappened: true, now: Timestamp(seconds: 1_800_000_000),
      random: RandomSource(seed: 1)
    )?.chunks.map { String(buffer: $0) }.joined()
  }

  @Test func openAIHasNoFallbackUntilItHasAMessage() throws {
    #expect(try policy(message: nil) == nil)
    #expect(try policy() != nil)
  }

  @Test func aCompletionHasTheShapeOfACompletion() throws {
    let text = try #require(try answer(["model": "gpt-5", "messages": []]))
    let answer = try JSONValue(parsing: text.utf8)
    #expect(answer["object"] == "chat.completion" && answer["model"] == "gpt-5")
    #expect(answer["created"] == 1_800_000_000)
    #expect(answer["id"]?.string?.hasPrefix("chatcmpl-") == true)
    #expect(answer[path: "choices.0.message.content"] == "We are back soon.")
    #expect(answer[path: "choices.0.finish_reason"] == "stop")
    #expect(answer[path: "usage.total_tokens"] == 0)
  }

  @Test func aStreamSpellsTheSameMessageAndEnds() throws {
    for usage in [false, true] {
      let text = try #require(
        try answer([
          "model": "gpt-5", "stream": true, "stream_options": ["include_usage": .bool(usage)],
        ]))
      let events = text.components(separatedBy: "\n\n").dropLast().map { $0.dropFirst(6) }
      #expect(events.last == "[DONE]")
      let chunks = try events.dropLast().map { try JSONValue(parsing: $0.utf8) }
      #expect(Set(chunks.map { $0["id"] }).count == 1)
      #expect(chunks.allSatisfy { $0["object"] == "chat.completion.chunk" })
      #expect(chunks.first?[path: "choices.0.delta.role"] == "assistant")
      let said = chunks.compactMap { $0[path: "choices.0.delta.content"]?.string }
      #expect(said.joined() == "We are back soon." && said.count == 5)
      #expect((chunks.last?[path: "usage.total_tokens"]?.int == 0) == usage)
    }
  }

  @Test(
    arguments: [
      ["response_format": ["type": "json_schema"]], ["tool_choice": "required"],
      ["tool_choice": ["type": "function", "function": ["name": "f"]]],
      ["stream": true, "response_format": ["type": "json_object"]],
    ] as [JSONValue])
  func whatWordsWouldNotServeGetsTheError(body: JSONValue) throws {
    #expect(try answer(body) == nil)
  }

  @Test func otherPathsGetTheError() throws {
    #expect(try answer(["input": "a"], to: "/v1/embeddings") == nil)
    #expect(try answer(["input": "a"], to: "/v1/responses") == nil)
    #expect(try answer(["input": "a", "store": false], to: "/v1/responses") != nil)
  }
}
