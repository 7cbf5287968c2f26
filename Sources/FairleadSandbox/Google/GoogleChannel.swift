import Fairlead

/// A watch on a calendar's events.
struct GoogleChannel: Sendable {
  /// The longest, and what one gets without asking.
  static let lifetime = Duration.seconds(604_800)

  var id: String
  var calendar: GoogleState.CalendarKey
  var resourceID: String
  var address: String
  var token: String?
  var expires: Timestamp
  /// The number of the last message.
  var messages: Int64 = 0

  var resourceURI: String {
    "https://www.googleapis.com/calendar/v3/calendars/\(PercentEncoding.encode(calendar.id))"
      + "/events?alt=json"
  }

  var json: JSONValue {
    var body: [String: JSONValue] = [
      "kind": "api#channel", "id": .string(id), "resourceId": .string(resourceID),
      "resourceUri": .string(resourceURI), "expiration": .string(String(milliseconds)),
    ]
    if let token { body["token"] = .string(token) }
    return .object(body)
  }

  var milliseconds: Int64 { expires.microseconds / 1_000 }
}

/// One notification: headers and no body.
struct GooglePush: Sendable {
  var channel: GoogleChannel
  var state: String
  var number: Int64

  var id: String { "\(channel.id):\(number)" }

  func headers(forged: Bool = false) -> [(name: String, value: String)] {
    var headers = [
      ("x-goog-channel-id", channel.id),
      ("x-goog-channel-expiration", HTTPDate.text(channel.expires)),
      ("x-goog-resource-id", channel.resourceID), ("x-goog-resource-uri", channel.resourceURI),
      ("x-goog-resource-state", state), ("x-goog-message-number", String(number)),
    ]
    if let token = channel.token {
      headers.append(("x-goog-channel-token", forged ? "forged-\(token)" : token))
    } else if forged {
      headers.append(("x-goog-channel-token", "forged"))
    }
    return headers.map { (name: $0.0, value: $0.1) }
  }
}
