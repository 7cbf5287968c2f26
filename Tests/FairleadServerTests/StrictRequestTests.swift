import Fairlead
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import FairleadServer

/// A slip of the pen in a request must not go unnoticed.
@Suite struct StrictRequestTests {
  @Test func aMisspeltFilterIsRefusedAndTheKnownOnesAreNamed() async throws {
    let harness = try await ServerHarness()
    try await harness.test { client in
      for (path, known) in [
        ("/v1/connections?ownr=u1", "cursor, integration, limit, owner, state"),
        ("/v1/events?integration=acme&kind=x", "connection, cursor, integration"),
        ("/v1/deliveries?%0Ax=1", "cursor, destination, event"),
        ("/v1/requests?status=5", "status_class"), ("/v1/destinations?owner=u1", "cursor, limit"),
      ] {
        let answer = try await client.execute(
          uri: path, method: .get, headers: ServerHarness.admin)
        #expect(answer.status == .badRequest && answer.errorCode == "INVALID_REQUEST", "\(path)")
        #expect(answer.json[path: "error.message"]?.string?.contains(known) == true, "\(path)")
      }
      for path in ["/v1/connections?owner=u1&limit=5", "/v1/events", "/v1/health?x=1"] {
        let answer = try await client.execute(
          uri: path, method: .get, headers: ServerHarness.admin)
        #expect(answer.status == .ok, "\(path)")
      }
    }
  }

  @Test func theProvidersOwnQueryIsNotOurs() async throws {
    let harness = try await ServerHarness()
    try await harness.test { client in
      let answer = try await client.execute(
        uri: "/v1/proxy/acme/x?anything=1", method: .get, headers: ServerHarness.admin)
      #expect(answer.errorCode == "SERVICE_UNAVAILABLE")
    }
  }

  @Test(arguments: [
    ("/v1/connections", #"{"integration":"acme","ownr":"u1"}"#, "ownr"),
    ("/v1/connect/sessions", #"{"owner":"u1","redirct":"x"}"#, "redirct"),
    ("/v1/destinations", #"{"url":"https://a.example","secrets":1}"#, "secrets"),
  ])
  func anUnknownMemberIsNamed(path: String, body: String, member: String) async throws {
    let harness = try await ServerHarness()
    try await harness.test { client in
      let answer = try await client.execute(
        uri: path, method: .post, headers: ServerHarness.admin, body: ByteBuffer(string: body))
      #expect(answer.status == .badRequest && answer.errorCode == "INVALID_REQUEST")
      #expect(
        answer.json[path: "error.message"]?.string?.hasPrefix("\(member) is not known") == true)
    }
  }

  /// Nothing listens at port 9: the answer is ours, and says how often we tried.
  @Test func anErrorOfOursSaysHowManyAttemptsItTook() async throws {
    let harness = try await ServerHarness()
    try await harness.test { client in
      let answer = try await client.execute(
        uri: "/v1/proxy/acme/x", method: .get, headers: ServerHarness.admin)
      #expect(answer.status == .serviceUnavailable)
      #expect(answer.headers[.fairleadAttempts] == "1")
      #expect(answer.headers[.fairleadWaited] == "0")
      #expect(answer.headers[.fairleadErrorCode] == "SERVICE_UNAVAILABLE")
    }
  }
}
