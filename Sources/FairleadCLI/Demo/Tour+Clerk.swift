import Fairlead
import Foundation
import HTTPTypes

/// Who the end user is: Clerk tells it by webhook, and their session token proves it.
extension Tour {
  func welcomeUser() async throws {
    let sent = try await client.control(
      .post, "/clerk/events",
      ["type": "user.created", "to": .string(client.server + "/webhooks/clerk")])
    try expect(
      Self.statuses(sent.json) == "200", "the webhook was answered \(Self.statuses(sent.json))")
    let list = "/v1/events?integration=clerk&type=user.created"
    try await eventually("processing") {
      try await client.api(.get, list).json["data"]?[0]?["status"]?.string == "processed"
    }
    say("user.created      signed by Svix, verified, processed once")

    let feed = try await client.api(.get, "/v1/records/users")
    guard let record = feed.json["records"]?.array?.last, let user = record["id"]?.string else {
      throw StepFailure("no user is in the change feed: \(feed.status) \(feed.text.prefix(200))")
    }
    say("change feed       users: \(record["change"]?.string ?? "?") \(user)")

    let token = try await sessionToken(of: user)
    let mine = try await client.api(.get, "/v1/me/connections", as: token)
    try expect(mine.status == 200, "the session token was answered \(mine.status) \(mine.text)")
    try expect(mine.json["data"]?.array?.isEmpty == true, "the new user has connections already")
    say("session token     opens /v1/me/connections: none yet")

    let forged = try await client.api(.get, "/v1/me/connections", as: Self.tampered(token))
    try expect(forged.status == 401, "a tampered token was answered \(forged.status)")
    say("tampered          refused with 401")
    await story.begin(user: user)
  }

  /// A session token as the user's browser would hold it.
  func sessionToken(of user: String) async throws -> String {
    let made = try await client.control(.post, "/clerk/tokens", ["user": .string(user)])
    guard let token = made.json["jwt"]?.string else {
      throw StepFailure("the simulator issued no session token: \(made.text.prefix(200))")
    }
    return token
  }

  /// The token with one character of its claims changed; the signature is left alone.
  static func tampered(_ token: String) -> String {
    var parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3, let last = parts[1].last else { return token + "x" }
    parts[1].removeLast()
    parts[1].append(last == "A" ? "B" : "A")
    return parts.joined(separator: ".")
  }
}

/// What a later step needs of an earlier one.
actor Story {
  private(set) var user: String?

  func begin(user: String) { self.user = user }
}
