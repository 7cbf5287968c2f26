import Crypto
import Fairlead
import FairleadSandbox
import FairleadTesting
import Foundation
import Testing

@Suite struct EventTests {
  /// The sandbox sends its webhooks to itself: what arrived is in Slack's journal.
  private func sent(
    _ provider: String, _ order: [String: JSONValue], _ sandbox: TestSandbox
  ) async throws -> (answer: TestSandbox.Answer, arrived: [JSONValue]) {
    var order = order
    order["to"] = .string("\(sandbox.origin)/slack/hooks")
    let answer = try await sandbox.control("\(provider)/events", .object(order))
    let journal = try await sandbox.get("/_sandbox/slack/requests?path=/hooks")
    return (answer, journal["data"]?.array ?? [])
  }

  private func mac(_ text: String, key: String) -> [UInt8] {
    Array(
      HMAC<SHA256>.authenticationCode(
        for: Array(text.utf8), using: SymmetricKey(data: Array(key.utf8))))
  }

  @Test func stripeEventsAreSignedStoredAndTrue() async throws {
    try await TestSandbox.with { sandbox in
      let (answer, arrived) = try await sent(
        "stripe", ["type": "payment_intent.succeeded", "times": 3], sandbox)
      #expect(answer["deliveries"]?.array?.compactMap { $0["status"]?.int } == [404, 404, 404])
      #expect(answer["deliveries.0.body"] == "Not found")
      #expect(Set(arrived.map { $0["body"]?.string ?? "" }).count == 1)
      let body = arrived.first?["body"]?.string ?? ""
      let header = arrived.first?[path: "headers.stripe-signature"]?.string ?? ""
      let time = header.split(separator: ",").first?.dropFirst(2) ?? ""
      let expected = mac("\(time).\(body)", key: Sandbox.credentials.stripeWebhookSecret).hex
      #expect(header == "t=\(time),v1=\(expected)")
      let event = try JSONValue(parsing: body.utf8)
      let stored = try await sandbox.stripe("GET", "events/\(event["id"]?.string ?? "")")
      #expect(stored.json == event)
      let intent = event[path: "data.object.id"]?.string ?? ""
      let read = try await sandbox.stripe("GET", "payment_intents/\(intent)")
      #expect(read["status"] == "succeeded")
    }
  }

  @Test func anEarlierEventIsSentAgainAlsoForged() async throws {
    try await TestSandbox.with { sandbox in
      let (answer, _) = try await sent("stripe", ["type": "invoice.paid"], sandbox)
      let id = answer["events.0.id"] ?? .null
      let (_, arrived) = try await sent("stripe", ["id": id, "forge": true], sandbox)
      #expect(arrived.count == 2)
      #expect(arrived[0]["body"] == arrived[1]["body"])
      let header = arrived[1][path: "headers.stripe-signature"]?.string ?? ""
      let time = header.split(separator: ",").first?.dropFirst(2) ?? ""
      let right = mac(
        "\(time).\(arrived[1]["body"]?.string ?? "")",
        key: Sandbox.credentials.stripeWebhookSecret
      ).hex
      #expect(!header.contains(right))
      let missing = try await sandbox.control("stripe/events", ["id": "evt_nope"])
      #expect(missing.status == 404)
    }
  }

  @Test func theLastDestinationIsRemembered() async throws {
    try await TestSandbox.with { sandbox in
      _ = try await sent("slack", ["type": "app_home_opened"], sandbox)
      let again = try await sandbox.control("slack/events", ["type": "app_home_opened"])
      #expect(again["to"] == .string("\(sandbox.origin)/slack/hooks"))
      #expect(again["deliveries.0.status"] == 404)
    }
  }

  @Test func eventsOutOfOrderArriveLastFirst() async throws {
    try await TestSandbox.with { sandbox in
      let (_, arrived) = try await sent(
        "stripe",
        ["type": ["customer.created", "customer.updated"], "out_of_order": true], sandbox)
      let types = arrived.compactMap {
        try? JSONValue(parsing: ($0["body"]?.string ?? "").utf8)["type"]?.string
      }
      #expect(types == ["customer.updated", "customer.created"])
    }
  }

  @Test func slackEventsAreSignedAndTheirMessagesReadable() async throws {
    try await TestSandbox.with { sandbox in
      let token = try await SlackFlow(sandbox: sandbox).connect().access
      let (_, arrived) = try await sent(
        "slack", ["type": "message", "data": ["text": "hey"], "times": 2], sandbox)
      let body = arrived.first?["body"]?.string ?? ""
      let time = arrived.first?[path: "headers.x-slack-request-timestamp"]?.string ?? ""
      let expected = mac("v0:\(time):\(body)", key: Sandbox.credentials.slackSigningSecret).hex
      #expect(arrived.first?[path: "headers.x-slack-signature"] == .string("v0=\(expected)"))
      #expect(arrived.first?[path: "headers.x-slack-retry-num"] == nil)
      #expect(arrived.last?[path: "headers.x-slack-retry-num"] == "1")
      let event = try JSONValue(parsing: body.utf8)
      #expect(event["type"] == "event_callback")
      let history = try await sandbox.slack(
        "conversations.history", token: token,
        ["channel": event[path: "event.channel"] ?? .null])
      #expect(history["messages.0.text"] == "hey")
      #expect(history["messages.0.ts"] == event[path: "event.ts"])
    }
  }

  @Test func slackAddressesAreVerifiedWithAChallenge() async throws {
    try await TestSandbox.with { sandbox in
      let (_, arrived) = try await sent(
        "slack", ["type": "url_verification", "data": ["challenge": "c1"]], sandbox)
      let body = try JSONValue(parsing: (arrived.first?["body"]?.string ?? "").utf8)
      #expect(body["type"] == "url_verification")
      #expect(body["challenge"] == "c1")
    }
  }

  @Test func signaturesUseTheMachinesTimeAndCanBeOld() async throws {
    let clock = ManualClock()
    try await TestSandbox.with(clock: clock) { sandbox in
      _ = try await sandbox.control("clock", ["advance": "13h"])
      let (_, arrived) = try await sent(
        "stripe", ["type": "invoice.paid", "age": "10m"], sandbox)
      let header = arrived.first?[path: "headers.stripe-signature"]?.string ?? ""
      #expect(header.hasPrefix("t=\(clock.now.seconds - 600),"))
    }
  }

  @Test func deadDestinationsAreTold() async throws {
    try await TestSandbox.with { sandbox in
      let answer = try await sandbox.control(
        "openai/events", ["type": "response.completed", "to": "http://127.0.0.1:1/"])
      #expect(answer.status == 200)
      #expect(answer["deliveries.0.status"] == .null)
      #expect(answer["deliveries.0.error"]?.string?.isEmpty == false)
    }
  }

  // The first two vectors were made with OpenSSL over the documented recipes, the third is the
  // example of the Standard Webhooks specification.
  @Test func signaturesAgreeWithKnownVectors() {
    let body = Array(#"{"id":"evt_1"}"#.utf8)
    let time = Timestamp(seconds: 1_700_000_000)
    #expect(
      WebhookSignature.stripe(body, secret: "whsec_test", time: time).map(\.value)
        == ["t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925"])
    #expect(
      WebhookSignature.slack(body, secret: "shhh", time: time).map(\.value)
        == ["1700000000", "v0=2001e02bf8603ebfa7dc36b497d8862332eb9720fc1f0d2fc868a19f1cdd0c0a"])
    let standard = WebhookSignature.standard(
      Array(#"{"test": 2432232314}"#.utf8), id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", time: Timestamp(seconds: 1_614_265_330))
    #expect(standard.last?.value == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
  }
}
