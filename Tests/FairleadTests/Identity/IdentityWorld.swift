import FairleadSandbox
import FairleadTesting
import Foundation
import HTTPTypes
import Logging
import NIOCore
import Synchronization

@testable import Fairlead

/// An issuer with its key, and a verifier on a clock that stands still.
struct IdentityWorld {
  static let issuer = "https://clerk.app.example"
  static let start = Timestamp(seconds: 1_800_000_000)
  // RSA keys take their time to make; the tests share these.
  private static let first = Result { try SessionTokenKey(id: "ins_1") }
  private static let second = Result { try SessionTokenKey(id: "ins_2") }

  let key: SessionTokenKey
  let otherKey: SessionTokenKey
  let clock = ManualClock(start: start)
  let keys: KeyServer
  let verifier: JWTVerifier

  init(
    _ issuers: [TokenIssuer] = [TokenIssuer(IdentityWorld.issuer)]
  ) throws {
    key = try Self.first.get()
    otherKey = try Self.second.get()
    keys = KeyServer()
    keys.serve(["keys": [key.json]], at: "\(Self.issuer)/.well-known/jwks.json")
    verifier = JWTVerifier(
      issuers: issuers, transport: keys, clock: clock,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  /// The claims of a good token with changes; null removes one.
  func claims(_ changes: [String: JSONValue] = [:]) -> [String: JSONValue] {
    let now = clock.now.seconds
    let usual: [String: JSONValue] = [
      "iss": .string(Self.issuer), "sub": "user_1", "sid": "sess_1", "iat": .int(now),
      "nbf": .int(now - 10), "exp": .int(now + 60), "azp": "https://app.example", "v": 2,
      "sts": "active",
    ]
    return usual.merging(changes) { $1 }.filter { $0.value != .null }
  }

  func token(
    _ changes: [String: JSONValue] = [:], header: [String: JSONValue] = [:]
  ) -> String {
    key.token(claims(changes), header: header)
  }

  /// Why a token is refused; `nil` when it is accepted.
  func refusal(of token: String) async throws -> TokenRefusal? {
    do {
      _ = try await verifier.verified(token)
      return nil
    } catch let refusal as TokenRefusal {
      return refusal
    }
  }

  /// The code with which a token is turned down; `nil` when it is accepted.
  func error(of token: String) async throws -> FairleadError? {
    do {
      _ = try await verifier.endUser(of: token)
      return nil
    } catch let error as FairleadError {
      return error
    }
  }
}

/// Serves key sets by URL and counts who asked.
final class KeyServer: Transport {
  typealias Answer = @Sendable () async throws -> (Int, HTTPFields, [UInt8])
  private let state = Mutex((answers: [String: Answer](), asked: [String]()))

  var asked: [String] { state.withLock { $0.asked } }

  func serve(_ keySet: JSONValue, at url: String, headers: HTTPFields = [:], status: Int = 200) {
    let bytes = keySet.bytes
    answer(at: url) { (status, headers, bytes) }
  }

  func answer(at url: String, _ answer: @escaping Answer) {
    state.withLock { $0.answers[url] = answer }
  }

  func fail(at url: String) {
    answer(at: url) { throw TransportError(.connect, nothingSent: true, detail: "refused") }
  }

  func send(_ request: TransportRequest, timeout: Duration) async throws -> TransportResponse {
    let answer = state.withLock { state in
      state.asked.append(request.url)
      return state.answers[request.url]
    }
    guard let answer else {
      throw TransportError(.connect, nothingSent: true, detail: "nobody is at \(request.url)")
    }
    let (status, headers, bytes) = try await answer()
    return TransportResponse(
      status: status, headers: headers, body: .single(.init(bytes: bytes)))
  }
}
