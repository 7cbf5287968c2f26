import AsyncHTTPClient
import Fairlead
import FairleadSandbox
import FairleadTesting
import Foundation
import NIOCore
import Testing

@Suite struct OpenAITests {
  private let chat: JSONValue = [
    "model": "gpt-4o-mini", "messages": [["role": "user", "content": "hello there world"]],
  ]

  private func chat(with more: [String: JSONValue]) -> JSONValue {
    .object((chat.object ?? [:]).merging(more) { _, new in new })
  }

  /// The JSON of each event.
  private func events(_ answer: TestSandbox.Answer) -> [JSONValue] {
    answer.text.components(separatedBy: "\n\n").compactMap { event in
      let data = event.split(separator: "\n").first { $0.hasPrefix("data: ") }
      return data.flatMap { try? JSONValue(parsing: $0.dropFirst(6).utf8) }
    }
  }

  @Test func repliesDependOnTheRequestAlone() async throws {
    try await TestSandbox.with { sandbox in
      let first = try await sandbox.openAI("chat/completions", chat)
      let second = try await sandbox.openAI("chat/completions", chat)
      #expect(first["choices.0.message.content"]?.string?.contains("hello there world") == true)
      #expect(first["choices"] == second["choices"])
      #expect(first["id"] != second["id"])
      let usage = first["usage"]
      #expect(
        usage?["total_tokens"]?.int
          == (usage?["prompt_tokens"]?.int ?? 0) + (usage?["completion_tokens"]?.int ?? 0))
      #expect(first.header("x-ratelimit-remaining-requests") == "29999")
      #expect(first.header("x-ratelimit-reset-requests") == "2ms")
      #expect(first.header("x-request-id")?.hasPrefix("req_") == true)
    }
  }

  @Test func streamedChunksJoinToTheSameReply() async throws {
    try await TestSandbox.with { sandbox in
      let whole = try await sandbox.openAI("chat/completions", chat)
      let streamed = try await sandbox.openAI(
        "chat/completions", chat(with: ["stream": true, "stream_options": ["include_usage": true]]))
      #expect(streamed.header("content-type")?.hasPrefix("text/event-stream") == true)
      #expect(streamed.text.hasSuffix("data: [DONE]\n\n"))
      let chunks = events(streamed)
      let text = chunks.compactMap { $0[path: "choices.0.delta.content"]?.string }.joined()
      #expect(.string(text) == whole["choices.0.message.content"])
      #expect(chunks.first?[path: "choices.0.delta.role"] == "assistant")
      #expect(chunks.first?["usage"] == .null)
      #expect(chunks.last?["choices"] == [])
      #expect(chunks.last?["usage"] == whole["usage"])
    }
  }

  @Test func eachChunkLeavesBeforeTheNextIsWritten() async throws {
    let clock = ManualClock()
    try await TestSandbox.with(clock: clock) { sandbox in
      _ = try await sandbox.control(
        "faults", ["provider": "openai", "kind": "slow", "chunk_delay_ms": 1_000])
      let response = try await sandbox.stream(
        "POST", "/openai/v1/chat/completions", headers: TestSandbox.openAIHeaders,
        body: chat(with: ["stream": true]).text)
      // Nothing but the head has been sent while the first pause lasts.
      var chunks = response.body.makeAsyncIterator()
      for _ in 0..<3 {
        await clock.waitForSleepers()
        clock.advance(by: .seconds(1))
        let chunk = try await chunks.next().map { String(buffer: $0) } ?? ""
        #expect(chunk.hasPrefix("data: {"))
        #expect(chunk.components(separatedBy: "data: ").count == 2)
      }
    }
  }

  @Test func tokenLimitsCutTheReply() async throws {
    try await TestSandbox.with { sandbox in
      let cut = try await sandbox.openAI(
        "chat/completions", chat(with: ["max_completion_tokens": 2]))
      #expect(cut["choices.0.finish_reason"] == "length")
      #expect(cut["usage.completion_tokens"] == 2)
    }
  }

  @Test func forcedToolsAreCalledWithArgumentsOfTheirSchema() async throws {
    try await TestSandbox.with { sandbox in
      let tools: JSONValue = [
        [
          "type": "function",
          "function": [
            "name": "weather",
            "parameters": [
              "type": "object", "required": ["unit", "days"],
              "properties": [
                "unit": ["type": "string", "enum": ["C", "F"]], "days": ["type": "integer"],
                "city": ["type": "string"],
              ],
            ],
          ],
        ]
      ]
      let forced = try await sandbox.openAI(
        "chat/completions", chat(with: ["tools": tools, "tool_choice": "required"]))
      let call = forced["choices.0.message.tool_calls.0.function"]
      #expect(call?["name"] == "weather")
      #expect(call?["arguments"] == #"{"days":0,"unit":"C"}"#)
      #expect(forced["choices.0.finish_reason"] == "tool_calls")
      let free = try await sandbox.openAI("chat/completions", chat(with: ["tools": tools]))
      #expect(free["choices.0.finish_reason"] == "stop")
    }
  }

  @Test func embeddingsAgreeInBothEncodingsAndDependOnTheInput() async throws {
    try await TestSandbox.with { sandbox in
      let body: JSONValue = [
        "model": "text-embedding-3-small", "input": ["one", "two"], "dimensions": 8,
      ]
      let floats = try await sandbox.openAI("embeddings", body)
      let encoded = try await sandbox.openAI(
        "embeddings",
        .object((body.object ?? [:]).merging(["encoding_format": "base64"]) { _, new in new }))
      for index in 0..<2 {
        let vector = floats["data.\(index).embedding"]?.array?.compactMap(\.double) ?? []
        let bytes = [UInt8](anyBase64: encoded["data.\(index).embedding"]?.string ?? "") ?? []
        #expect(vector.count == 8)
        #expect(bytes.count == 32)
        let decoded = stride(from: 0, to: bytes.count, by: 4).map { start in
          let bits = (0..<4).reduce(UInt32(0)) {
            $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1))
          }
          return Double(Float(bitPattern: bits))
        }
        #expect(zip(vector, decoded).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-4)
      }
      #expect(floats["data.0.embedding"] != floats["data.1.embedding"])
    }
  }

  @Test func responsesAreStoredContinuedAndDeleted() async throws {
    try await TestSandbox.with { sandbox in
      let made = try await sandbox.openAI("responses", ["model": "gpt-5", "input": "hello"])
      let id = made["id"]?.string ?? ""
      func read() async throws -> TestSandbox.Answer {
        try await sandbox.send(
          "GET", "/openai/v1/responses/\(id)", headers: TestSandbox.openAIHeaders)
      }
      #expect(try await read().json == made.json)
      let next: JSONValue = [
        "model": "gpt-5", "input": "more", "previous_response_id": .string(id),
      ]
      #expect(try await sandbox.openAI("responses", next).status == 200)
      _ = try await sandbox.send(
        "DELETE", "/openai/v1/responses/\(id)", headers: TestSandbox.openAIHeaders)
      #expect(try await read().status == 404)
      #expect(
        try await sandbox.openAI("responses", next)["error.code"] == "previous_response_not_found")
    }
  }

  @Test func streamedResponsesAreTypedAndNumbered() async throws {
    try await TestSandbox.with { sandbox in
      let answer = try await sandbox.openAI(
        "responses", ["model": "gpt-5", "input": "hello", "stream": true])
      let events = events(answer)
      #expect(events.map { $0["sequence_number"]?.int } == (0..<Int64(events.count)).map { $0 })
      #expect(events.first?["type"] == "response.created")
      #expect(events.last?["type"] == "response.completed")
      let text = events.filter { $0["type"] == "response.output_text.delta" }
        .compactMap { $0["delta"]?.string }.joined()
      #expect(.string(text) == events.last?[path: "response.output.0.content.0.text"])
    }
  }

  @Test(
    arguments: [
      (
        "chat/completions", #"{"model":"gpt-9","messages":[{"role":"user","content":"x"}]}"#, 404,
        "model_not_found"
      ),
      ("chat/completions", #"{"model":"gpt-4o"}"#, 400, "missing_required_parameter"),
      (
        "chat/completions",
        #"{"model":"gpt-4o","messages":[{"role":"user","content":"x"}],"n":500}"#,
        400, "integer_out_of_range"
      ),
      ("embeddings", #"{"model":"text-embedding-3-small","input":""}"#, 400, nil),
      ("chat/completions", "{", 400, nil),
      ("images/generations", "{}", 404, "unknown_url"),
    ] as [(String, String, Int, String?)])
  func errorsAreOpenAIs(path: String, body: String, status: Int, code: String?) async throws {
    try await TestSandbox.with { sandbox in
      let answer = try await sandbox.send(
        "POST", "/openai/v1/\(path)", headers: TestSandbox.openAIHeaders, body: body)
      #expect(answer.status == status)
      #expect(answer["error.type"] == "invalid_request_error")
      #expect(answer["error.code"] == code.map { .string($0) } ?? .null)
    }
  }

  @Test func wrongKeysAreRefusedWithoutRepeatingThem() async throws {
    try await TestSandbox.with { sandbox in
      let answer = try await sandbox.send(
        "GET", "/openai/v1/models", headers: ["authorization": "Bearer sk-private-of-someone"])
      #expect(answer.status == 401)
      #expect(answer["error.code"] == "invalid_api_key")
      #expect(!answer.text.contains("private"))
    }
  }
}
