import Crypto
import Fairlead
import FairleadSandbox
import FairleadTesting
import Foundation
import Testing

@Suite struct ClerkTests {
  private static let headers = [
    "authorization": "Bearer \(Sandbox.credentials.clerkSecretKey)",
    "content-type": "application/json",
  ]

  private func clerk(
    _ sandbox: TestSandbox, _ method: String, _ path: String, _ body: JSONValue? = nil
  ) async throws -> TestSandbox.Answer {
    try await sandbox.send(
      method, "/clerk/v1/\(path)", headers: Self.headers, body: body?.text)
  }

  /// What the official SDK demands of every user.
  private static let fields = [
    "id", "object", "username", "first_name", "last_name", "has_image",
    "primary_email_address_id", "primary_phone_number_id", "primary_web3_wallet_id",
    "password_enabled", "two_factor_enabled", "totp_enabled", "backup_code_enabled",
    "email_addresses", "phone_numbers", "web3_wallets", "passkeys", "external_accounts",
    "saml_accounts", "enterprise_accounts", "public_metadata", "external_id", "last_sign_in_at",
    "banned", "locked", "lockout_expires_in_seconds", "verification_attempts_remaining",
    "created_at", "updated_at", "delete_self_enabled", "create_organization_enabled",
    "last_active_at", "mfa_enabled_at", "mfa_disabled_at", "legal_accepted_at",
  ]

  @Test func aUserIsMadeReadChangedAndDeleted() async throws {
    try await TestSandbox.with { sandbox in
      let made = try await clerk(
        sandbox, "POST", "users",
        ["email_address": ["dana@example.com"], "first_name": "Dana", "external_id": "42"])
      #expect(made.status == 200)
      for field in Self.fields {
        #expect(made.json.object?.keys.contains(field) == true, "\(field)")
      }
      let id = try #require(made["id"]?.string)
      let primary = made["primary_email_address_id"]
      #expect(primary != nil && primary == made["email_addresses.0.id"])
      #expect(try await clerk(sandbox, "GET", "users/\(id)").json == made.json)

      let changed = try await clerk(sandbox, "PATCH", "users/\(id)", ["last_name": "Example"])
      #expect(changed["last_name"] == "Example" && changed["first_name"] == "Dana")
      let merged = try await clerk(
        sandbox, "PATCH", "users/\(id)/metadata", ["public_metadata": ["plan": "gold"]])
      #expect(merged["public_metadata.plan"] == "gold")

      let gone = try await clerk(sandbox, "DELETE", "users/\(id)")
      #expect(
        gone.json == ["object": "user", "id": .string(id), "deleted": true, "external_id": "42"])
      let missing = try await clerk(sandbox, "GET", "users/\(id)")
      #expect(missing.status == 404 && missing["errors.0.code"] == "resource_not_found")

      let state = try await sandbox.get("/_sandbox/clerk/state")
      let types = state["events"]?.array?.compactMap { $0["type"]?.string }
      #expect(types == ["user.deleted", "user.updated", "user.updated", "user.created"])
    }
  }

  @Test func listsFilterSortAndPage() async throws {
    try await TestSandbox.with { sandbox in
      for number in 0..<12 {
        _ = try await clerk(
          sandbox, "POST", "users",
          [
            "email_address": [.string("u\(number)@example.com")],
            "first_name": .string("N\(number % 3)"),
          ])
      }
      let first = try await clerk(sandbox, "GET", "users")
      #expect(first.json.array?.count == 10)
      #expect(first["0.email_addresses.0.email_address"] == "u11@example.com", "newest first")
      let rest = try await clerk(sandbox, "GET", "users?limit=500&offset=10")
      #expect(rest.json.array?.count == 2)
      let ids = Set((first.json.array ?? []) + (rest.json.array ?? []))
      #expect(ids.count == 12)
      let sorted = try await clerk(sandbox, "GET", "users?order_by=%2Bcreated_at&limit=1")
      #expect(sorted["0.email_addresses.0.email_address"] == "u0@example.com")
      let named = try await clerk(
        sandbox, "GET", "users?email_address=u3@example.com&email_address=U4@example.com")
      #expect(named.json.array?.count == 2)
      #expect(try await clerk(sandbox, "GET", "users?query=n1&limit=100").json.array?.count == 4)
      let count = try await clerk(sandbox, "GET", "users/count?query=n1")
      #expect(count.json == ["object": "total_count", "total_count": 4])
      for query in ["limit=0", "limit=501", "limit=x", "offset=-1", "order_by=nothing"] {
        #expect(try await clerk(sandbox, "GET", "users?\(query)").status == 422, "\(query)")
      }
    }
  }

  @Test(arguments: [
    (#"{"email_address":["dana@example.com"]}"#, 422, "form_identifier_exists"),
    (#"{"email_address":["nobody"]}"#, 422, "form_param_format_invalid"),
    (#"{"email_address":"x"}"#, 422, "form_param_format_invalid"),
    (#"{"shoe_size":41}"#, 422, "form_param_unknown"), ("{}", 422, "form_data_missing"),
    ("[]", 400, "request_body_invalid"), ("{", 400, "request_body_invalid"),
  ])
  func whatIsWrongIsSaidInClerksShape(body: String, status: Int, code: String) async throws {
    try await TestSandbox.with { sandbox in
      _ = try await clerk(sandbox, "POST", "users", ["email_address": ["dana@example.com"]])
      let answer = try await sandbox.send(
        "POST", "/clerk/v1/users", headers: Self.headers, body: body)
      #expect(answer.status == status)
      let error = answer["errors.0"]
      #expect(error?["code"]?.string == code)
      #expect(error?["message"]?.string != nil && error?["long_message"]?.string != nil)
    }
  }

  @Test func aWrongKeyIsRefusedAndTheKeySetIsOpen() async throws {
    try await TestSandbox.with { sandbox in
      for headers in [[:], ["authorization": "Bearer sk_test_other"]] {
        let answer = try await sandbox.send("GET", "/clerk/v1/users", headers: headers)
        #expect(answer.status == 401)
        #expect(try await sandbox.send("GET", "/clerk/v1/jwks", headers: headers).status == 401)
      }
      let open = try await sandbox.get("/clerk/.well-known/jwks.json")
      #expect(open["keys.0.kty"] == "RSA" && open["keys.0.alg"] == "RS256")
      #expect(open["keys.0.d"] == nil as JSONValue?, "only the public half")
      #expect(try await clerk(sandbox, "GET", "jwks").json == open.json)
    }
  }

  @Test func limitsAreThoseOfADevelopmentInstance() async throws {
    // On a clock that stands still, so that the window does not pass while a busy machine counts.
    try await TestSandbox.with(clock: ManualClock()) { sandbox in
      for _ in 0..<100 {
        #expect(try await clerk(sandbox, "GET", "users/count").status == 200)
      }
      let limited = try await clerk(sandbox, "GET", "users/count")
      #expect(limited.status == 429)
      #expect(
        limited.header("retry-after").flatMap { Int($0) }.map { (1...10).contains($0) } == true)
      #expect(try await clerk(sandbox, "GET", "jwks").status == 200, "the key set is not limited")
      _ = try await sandbox.control("clock", ["advance": "10s"])
      #expect(try await clerk(sandbox, "GET", "users/count").status == 200)
    }
  }

  @Test func aSessionLivesAndIsRevoked() async throws {
    try await TestSandbox.with { sandbox in
      let user = try await clerk(sandbox, "POST", "users", ["email_address": ["d@example.com"]])
      let owner = try #require(user["id"])
      let session = try await clerk(sandbox, "POST", "sessions", ["user_id": owner])
      let id = try #require(session["id"]?.string)
      #expect(session["status"] == "active")
      let token = try await clerk(sandbox, "POST", "sessions/\(id)/tokens")
      let claims = try claims(of: try #require(token["jwt"]?.string))
      #expect(claims["sub"] == owner && claims["sid"]?.string == id)
      #expect(claims["iss"]?.string == "\(sandbox.origin)/clerk")
      #expect((claims["exp"]?.int ?? 0) - (claims["iat"]?.int ?? 0) == 60)
      #expect(claims["email"] == "d@example.com")
      let revoked = try await clerk(sandbox, "POST", "sessions/\(id)/revoke")
      #expect(revoked["status"] == "revoked")
      #expect(try await clerk(sandbox, "POST", "sessions/\(id)/tokens").status == 422)
      let list = try await clerk(
        sandbox, "GET", "sessions?status=revoked&user_id=\(owner.string ?? "")")
      #expect(list.json.array?.count == 1)
    }
  }

  private func claims(of token: String) throws -> JSONValue {
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    try #require(parts.count == 3)
    return try JSONValue(parsing: try #require([UInt8](anyBase64: parts[1])))
  }

  private func header(of token: String) throws -> JSONValue {
    let part = token.prefix { $0 != "." }
    return try JSONValue(parsing: try #require([UInt8](anyBase64: part)))
  }

  @Test func tokensAreMadeAsTheyAreOrdered() async throws {
    try await TestSandbox.with { sandbox in
      func order(_ body: JSONValue) async throws -> String {
        let answer = try await sandbox.control("clerk/tokens", body)
        #expect(answer.status == 201, "\(answer.text)")
        return try #require(answer["jwt"]?.string)
      }
      let plain = try await order(["azp": "https://app.example", "claims": ["plan": "gold"]])
      #expect(try header(of: plain)["alg"] == "RS256")
      let claims = try claims(of: plain)
      #expect(claims["azp"] == "https://app.example" && claims["plan"] == "gold")
      #expect(claims["email"]?.string?.contains("@") == true)
      let unsigned = try await order(["alg": "none"])
      #expect(unsigned.hasSuffix("."))
      #expect(try header(of: unsigned)["alg"] == "none")
      #expect(try header(of: try await order(["alg": "HS256"]))["alg"] == "HS256")
      let expired = try self.claims(of: try await order(["expires_in": -10]))
      #expect(expired["exp"]?.int ?? .max < Timestamp(Date()).seconds)
      let other = try self.claims(of: try await order(["claims": ["iss": "https://evil.example"]]))
      #expect(other["iss"] == "https://evil.example")
      #expect(try header(of: try await order(["kid": "ins_other"]))["kid"] == "ins_other")
      for tampering in ["payload", "signature", "key"] {
        _ = try await order(["tamper": .string(tampering)])
      }
      for wrong in [["alg": "RS1"], ["tamper": "x"], ["user": "user_none"], ["x": 1]] as [JSONValue]
      {
        #expect(try await sandbox.control("clerk/tokens", wrong).status >= 400)
      }
    }
  }

  @Test func keysRotate() async throws {
    try await TestSandbox.with { sandbox in
      let before = try await sandbox.get("/clerk/.well-known/jwks.json")
      let rotated = try await sandbox.control("clerk/keys/rotate")
      let both = try await sandbox.get("/clerk/.well-known/jwks.json")
      #expect(both["keys"]?.array?.count == 2 && both["keys.0"] == before["keys.0"])
      #expect(both["keys.1.kid"] == rotated["kid"])
      let token = try await sandbox.control("clerk/tokens")
      #expect(try header(of: try #require(token["jwt"]?.string))["kid"] == rotated["kid"])
      _ = try await sandbox.control("clerk/keys/rotate", ["drop_old": true])
      #expect(try await sandbox.get("/clerk/.well-known/jwks.json")["keys"]?.array?.count == 1)
    }
  }

  @Test func eventsAreSignedBySvixHeadersAndTrue() async throws {
    try await TestSandbox.with { receiverSide in
      // The sandbox's own journal receives what it sends: any address that answers will do.
      let target = "\(receiverSide.origin)/clerk/hooks"
      let answer = try await receiverSide.control(
        "clerk/events",
        [
          "type": "user.created", "to": .string(target),
          "data": ["id": "user_9", "first_name": "Nina"],
        ])
      #expect(answer.status == 200, "\(answer.text)")
      let arrived = try await receiverSide.get("/_sandbox/clerk/requests?path=/hooks")
      let request = try #require(arrived["data.0"])
      let id = try #require(request[path: "headers.svix-id"]?.string)
      let time = try #require(request[path: "headers.svix-timestamp"]?.string)
      let body = try #require(request["body"]?.string)
      let key = try #require(
        [UInt8](anyBase64: Sandbox.credentials.clerkWebhookSecret.dropFirst(6)))
      let code = HMAC<SHA256>.authenticationCode(
        for: Data("\(id).\(time).\(body)".utf8), using: SymmetricKey(data: key))
      #expect(
        request[path: "headers.svix-signature"]?.string == "v1,\(Array(code).base64)")
      let event = try JSONValue(parsing: body.utf8)
      #expect(event["type"] == "user.created" && event[path: "data.first_name"] == "Nina")
      #expect(try await clerk(receiverSide, "GET", "users/user_9")["first_name"] == "Nina")
      let gone = try await receiverSide.control(
        "clerk/events", ["type": "user.deleted", "data": ["id": "user_9"], "to": .string(target)])
      #expect(gone.status == 200)
      #expect(try await clerk(receiverSide, "GET", "users/user_9").status == 404)
      let again = try await receiverSide.control(
        "clerk/events", ["id": .string(id), "to": .string(target)])
      #expect(again["deliveries.0.event_id"]?.string == id)
    }
  }
}
