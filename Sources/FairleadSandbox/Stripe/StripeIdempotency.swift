import Fairlead
import HTTPTypes

/// The first answers to idempotency keys, kept for a day.
struct StripeIdempotency: Sendable {
  struct Record: Sendable {
    var fingerprint: String
    var response: SimulatedResponse
    var saved: Timestamp

    func replay(_ fingerprint: String) throws(StripeError) -> SimulatedResponse {
      guard fingerprint == self.fingerprint else {
        throw StripeError(
          status: 400, type: "idempotency_error",
          message: "This idempotency key was used before with other parameters. Use a new key.")
      }
      var response = response
      response.set("Idempotent-Replayed", "true")
      if let original = response.headers[.requestID] {
        response.set("Original-Request", original)
      }
      return response
    }
  }

  static let lifetime = Duration.seconds(86_400)
  private var records = BoundedStore<Record>(capacity: 10_000, weightLimit: 64 << 20) {
    $0.response.weight
  }

  var count: Int { records.count }

  mutating func find(_ key: String, now: Timestamp) -> Record? {
    guard let record = records[key] else { return nil }
    guard now < record.saved + Self.lifetime else {
      records[key] = nil
      return nil
    }
    return record
  }

  mutating func save(
    _ key: String, fingerprint: String, response: SimulatedResponse, now: Timestamp
  ) {
    records[key] = Record(fingerprint: fingerprint, response: response, saved: now)
  }
}
