import AsyncHTTPClient
import Fairlead
import HTTPTypes
import NIOCore
import NIOHTTP1

/// Delivers webhooks and tells what each delivery got.
struct EventSender: Sendable {
  let client: HTTPClient
  let clock: SandboxClock

  static let timeout = TimeAmount.seconds(15)
  static let bodyLimit = 64 << 10

  struct Outcome: Sendable {
    var eventID: String
    var status: Int?
    var body: String
    var error: String?
    var milliseconds: Int64

    var json: JSONValue {
      [
        "event_id": .string(eventID), "status": status.map { .int(Int64($0)) } ?? .null,
        "body": .string(body), "error": error.map { .string($0) } ?? .null,
        "duration_ms": .int(milliseconds),
      ]
    }
  }

  func send(
    _ deliveries: [EventDelivery], to url: String, from simulator: any Simulator, age: Duration,
    concurrently: Bool
  ) async -> [Outcome] {
    guard concurrently else {
      var outcomes: [Outcome] = []
      for delivery in deliveries {
        outcomes.append(await send(delivery, to: url, from: simulator, age: age))
      }
      return outcomes
    }
    return await withTaskGroup(of: (Int, Outcome).self) { group in
      for (index, delivery) in deliveries.enumerated() {
        group.addTask { (index, await send(delivery, to: url, from: simulator, age: age)) }
      }
      var outcomes: [(Int, Outcome)] = []
      for await outcome in group { outcomes.append(outcome) }
      return outcomes.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  private func send(
    _ delivery: EventDelivery, to url: String, from simulator: any Simulator, age: Duration
  ) async -> Outcome {
    await post(
      eventID: delivery.event.id, to: url,
      headers: simulator.sign(delivery, time: clock.machineNow - age), body: delivery.event.body)
  }

  func post(
    eventID: String, to url: String, headers: [(name: String, value: String)], body: [UInt8]
  ) async -> Outcome {
    let started = clock.uptime
    var outcome = Outcome(
      eventID: eventID, status: nil, body: "", error: nil, milliseconds: 0)
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers.add(name: "content-type", value: "application/json")
    for (name, value) in headers {
      request.headers.add(name: name, value: value)
    }
    request.body = .bytes(ByteBuffer(bytes: body))
    do {
      let response = try await client.execute(request, timeout: Self.timeout)
      outcome.status = Int(response.status.code)
      let body = try await response.body.collect(upTo: Self.bodyLimit)
      outcome.body = String(buffer: body)
    } catch {
      outcome.error = "\(error)"
    }
    outcome.milliseconds = (clock.uptime - started).milliseconds
    return outcome
  }
}
