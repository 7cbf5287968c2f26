public import Logging

/// Finds out which end user a session token stands for. Safe to share.
///
/// Only RS256 is accepted, whatever a token says of itself; a token of one issuer is checked with that
/// issuer's keys alone. The keys are fetched when they are needed, kept for five minutes to an hour as
/// the answer says, and up to a day when they cannot be fetched again.
public final class JWTVerifier: Sendable {
  private let issuers: [String: TokenIssuer]
  private let keys: SigningKeys
  private let clock: any FairleadClock
  private let logger: Logger

  /// - Parameter transport: what the issuers' keys are fetched through.
  public init(
    issuers: [TokenIssuer], transport: any Transport, clock: any FairleadClock, logger: Logger
  ) {
    self.issuers = Dictionary(issuers.map { ($0.issuer, $0) }, uniquingKeysWith: { $1 })
    keys = SigningKeys(transport: transport, clock: clock, logger: logger)
    self.clock = clock
    self.logger = logger
  }

  /// Whether any token can be accepted at all.
  public var isConfigured: Bool { !issuers.isEmpty }

  /// The end user of a session token.
  /// - Throws: `FairleadError`: `unauthenticated` when the token is not accepted (the log says why, the
  ///   caller learns only that), `serviceUnavailable` with the time to wait when the issuer's keys
  ///   cannot be had. `CancellationError`.
  public func endUser(of token: String) async throws -> EndUser {
    do {
      return try await verified(token)
    } catch let refusal as TokenRefusal {
      logger.log(
        level: refusal == .noIssuers ? .warning : .info, "A session token was refused",
        metadata: ["reason": "\(refusal.rawValue)"])
      throw FairleadError(
        .unauthenticated, "You are not signed in, or your sign-in has ended. Sign in, then retry.",
        detail: refusal.rawValue)
    }
  }

  func verified(_ token: String) async throws -> EndUser {
    guard isConfigured else { throw TokenRefusal.noIssuers }
    let unverified = try UnverifiedToken(parsing: token)
    guard let issuer = issuers[unverified.issuer] else { throw TokenRefusal.unknownIssuer }
    guard let key = try await keys.key(unverified.keyID, of: issuer) else {
      throw TokenRefusal.unknownKey
    }
    guard await key.signed(unverified) else { throw TokenRefusal.badSignature }
    return try TokenRules(issuer: issuer, now: clock.now).check(unverified.claims)
  }

  /// Returns once no keys are being fetched.
  func drain() async { await keys.drain() }
}
