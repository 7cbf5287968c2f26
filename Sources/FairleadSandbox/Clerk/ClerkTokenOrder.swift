import Fairlead

/// What `POST /_sandbox/clerk/tokens` asks for: a session token, or one that must not be accepted.
struct ClerkTokenOrder: Sendable {
  enum Algorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    /// Signed by RS256 while the header says otherwise.
    case rs512 = "RS512"
    /// Keyed with the public key's text.
    case hs256 = "HS256"
    /// Not signed at all.
    case none
  }

  enum Tampering: String, Sendable, CaseIterable {
    /// The claims are changed after they were signed.
    case payload
    /// One bit of the signature is flipped.
    case signature
    /// Another key signs under the same key id.
    case key
  }

  /// A user's id; the newest user when `nil`.
  var user: String?
  /// Laid over the usual claims; null removes one.
  var claims: [String: JSONValue]
  /// Laid over the usual header; null removes a member.
  var header: [String: JSONValue]
  /// Seconds; negative for a token that has expired.
  var lifetime: Int64
  var authorizedParty: String?
  var algorithm: Algorithm
  var keyID: String?
  var tampering: Tampering?

  private static let members: Set<String> = [
    "user", "claims", "header", "expires_in", "azp", "alg", "kid", "tamper",
  ]

  init(parsing bytes: [UInt8]) throws(ControlError) {
    let body = try ControlBody(bytes, allowed: Self.members)
    user = try body.text("user")
    claims = try body.object("claims") ?? [:]
    header = try body.object("header") ?? [:]
    lifetime = Int64(try body.number("expires_in", in: -1_000_000_000...1_000_000_000) ?? 60)
    authorizedParty = try body.text("azp")
    keyID = try body.text("kid")
    algorithm = .rs256
    if let name = try body.text("alg") {
      guard let known = Algorithm(rawValue: name) else {
        throw body.wrong("alg", Self.choices(Algorithm.allCases.map(\.rawValue)))
      }
      algorithm = known
    }
    if let name = try body.text("tamper") {
      guard let known = Tampering(rawValue: name) else {
        throw body.wrong("tamper", Self.choices(Tampering.allCases.map(\.rawValue)))
      }
      tampering = known
    }
  }

  private static func choices(_ names: [String]) -> String {
    "one of \(names.joined(separator: ", "))"
  }
}

extension ClerkState {
  mutating func issue(
    _ order: ClerkTokenOrder, issuer: String
  ) throws(ControlError) -> JSONValue {
    let user: Object
    if let id = order.user {
      guard let known = users[id] else {
        throw ControlError(.notFound, "Clerk has no user \"\(id.prefix(100))\".")
      }
      user = known
    } else {
      user = users.newestFirst.first { _ in true }?.value ?? specimen([:])
    }
    let session = activeSession(of: user)
    var claims = claims(of: user, session: session, issuer: issuer, lifetime: order.lifetime)
    if order.lifetime <= 0 {
      // A token that has expired was issued before that.
      claims["iat"] = .int(now.seconds + order.lifetime - 60)
      claims["nbf"] = .int(now.seconds + order.lifetime - 70)
    }
    if let party = order.authorizedParty { claims["azp"] = .string(party) }
    claims = claims.merging(order.claims) { _, given in given }.filter { $0.value != .null }
    let key = currentKey()
    var header = order.header
    header["alg"] = header["alg"] ?? .string(order.algorithm.rawValue)
    if let id = order.keyID { header["kid"] = .string(id) }
    return [
      "object": "token", "jwt": .string(try sign(order, header: header, claims: claims, with: key)),
      "claims": .object(claims), "user_id": user["id"] ?? .null,
    ]
  }

  private func sign(
    _ order: ClerkTokenOrder, header: Object, claims: Object, with key: SessionTokenKey
  ) throws(ControlError) -> String {
    let token: String
    switch order.algorithm {
    case .none: token = CompactToken.unsigned(claims, header: key.header(header))
    case .hs256:
      token = CompactToken.symmetric(
        claims, header: key.header(header), secret: key.publicPEM)
    case .rs256, .rs512:
      guard order.tampering == .key else {
        token = key.token(claims, header: header)
        break
      }
      guard let other = try? SessionTokenKey(id: key.id) else {
        throw ControlError(.serviceUnavailable, "No other key could be made. Try again.")
      }
      token = other.token(claims, header: header)
    }
    var parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    switch order.tampering {
    case .payload:
      var changed = claims
      changed["sub"] = .string((claims["sub"]?.string ?? "") + "x")
      parts[1] = JSONValue.object(changed).bytes.base64URL
    case .signature:
      var bytes = [UInt8](anyBase64: parts[2]) ?? []
      if !bytes.isEmpty { bytes[bytes.count / 2] ^= 1 }
      parts[2] = bytes.base64URL
    case .key, nil: break
    }
    return parts.joined(separator: ".")
  }
}
