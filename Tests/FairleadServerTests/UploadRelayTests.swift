import Fairlead
import FairleadTesting
import Hummingbird
import NIOCore
import Testing

@testable import FairleadServer

/// Uploads whose length nobody said.
@Suite struct UploadRelayTests {
  private func body(_ chunks: [String]) -> Hummingbird.RequestBody {
    let (body, source) = Hummingbird.RequestBody.makeStream()
    Task {
      for chunk in chunks { await source.yield(ByteBuffer(string: chunk)) }
      source.finish()
    }
    return body
  }

  @Test func aShortOneCanBeSentAgain() async throws {
    let relay = UploadRelay(reading: body(["abc", "def"]))
    let upload = try await relay.requestBody(length: nil, replayLimit: 6)
    guard case .bytes(let bytes) = upload else {
      Issue.record("not replayable")
      return
    }
    #expect(String(buffer: bytes) == "abcdef")
    await relay.finish(clock: ManualClock())
  }

  @Test func aLongOneIsStreamedWholeAndOnce() async throws {
    let relay = UploadRelay(reading: body(["abc", "def", "ghi", "j"]))
    let upload = try await relay.requestBody(length: nil, replayLimit: 5)
    #expect(!upload.canReplay)
    guard case .stream(let stream, let length) = upload else {
      Issue.record("not a stream")
      return
    }
    #expect(length == nil)
    var all = ""
    for try await chunk in stream { all += String(buffer: chunk) }
    #expect(all == "abcdefghij")
    await relay.finish(clock: ManualClock())
  }
}
