import HTTPTypes

/// What a signature scheme decides about one delivery.
enum SignatureVerdict: Equatable, Sendable {
  case verified(Verified)
  case rejected(SignatureRejection)

  /// What the signature vouches for beside the body.
  struct Verified: Equatable, Sendable {
    /// When the sender signed, where the scheme signs a time.
    var signedAt: Timestamp?
    /// The event id, where the scheme signs one outside the body (Standard Webhooks).
    var signedID: String?
  }
}

/// Why a delivery was refused. Each is counted apart.
public enum SignatureRejection: String, Sendable, Hashable, CaseIterable {
  /// A header the scheme needs is not there.
  case missingHeader = "missing_header"
  /// A header came twice, is too long, or cannot be read.
  case malformedHeader = "malformed_header"
  /// Signed too long ago: a replay, or a sender whose clock is slow.
  case stale
  /// Signed too far in the future.
  case future
  /// No signature matches any active secret.
  case forged
}

/// One delivery on its way through a scheme. The check is pure: the same input gives the same
/// verdict, and nothing of the body is parsed before it.
struct SignatureCheck: Sendable {
  /// Longer signature headers are refused unread; the longest real ones stay below 1 KiB.
  static let maximumHeaderLength = 4_096
  /// More candidate signatures than this are refused: rotation needs two.
  static let maximumCandidates = 16

  var headers: HTTPFields
  var body: [UInt8]
  var secrets: [Secret]
  var now: Timestamp
  var settings: ProviderDefinition.WebhookSettings

  /// - Throws: `FairleadError` (`configurationError`) when there is no secret that could verify
  ///   anything: without one the answer is never yes.
  func verdict() throws(FairleadError) -> SignatureVerdict {
    guard secrets.contains(where: { !$0.isEmpty }) else { throw Self.noSecret }
    do {
      switch settings.scheme {
      case .hmac: return .verified(try templateHMAC())
      // Channels are known to storage alone, see `Inbox`: nothing is verified here.
      case .channel: return .rejected(.forged)
      case .stripe: return .verified(try stripe())
      case .standard:
        let keys = secrets.compactMap(StandardWebhooks.key(of:))
        guard !keys.isEmpty else { throw Self.unusableSecret }
        return .verified(try standard(keys: keys))
      }
    } catch let rejection as SignatureRejection {
      return .rejected(rejection)
    } catch let error as FairleadError {
      throw error
    } catch {
      return .rejected(.forged)
    }
  }

  private static let noSecret = FairleadError(
    .configurationError,
    "No webhook signing secret is configured for this integration, so nothing can be verified. "
      + "Set it and restart.")
  private static let unusableSecret = FairleadError(
    .configurationError,
    "The webhook signing secret of this integration is not of the form whsec_ and base64. "
      + "Copy it again from the provider's dashboard.")
}

extension SignatureRejection: Error {}

// MARK: - What the schemes share

extension SignatureCheck {
  /// The one value of a header.
  func header(_ name: String) throws(SignatureRejection) -> String {
    guard let name = HTTPField.Name(name) else { throw .missingHeader }
    let values = headers[values: name]
    guard let value = values.first, !value.isEmpty else { throw .missingHeader }
    guard values.count == 1, value.utf8.count <= Self.maximumHeaderLength else {
      throw .malformedHeader
    }
    return value
  }

  func hasHeader(_ name: String) -> Bool {
    HTTPField.Name(name).map { headers.contains($0) } ?? false
  }

  /// Reads whole seconds since the epoch and checks them against the tolerance, both ways.
  func signedTime(_ text: some StringProtocol) throws(SignatureRejection) -> Timestamp {
    let digits = text.utf8
    guard (1...11).contains(digits.count), digits.allSatisfy({ (48...57).contains($0) }),
      let seconds = Int64(text)
    else { throw .malformedHeader }
    let time = Timestamp(seconds: seconds)
    if time < now - settings.tolerance { throw .stale }
    if time > now + settings.tolerance { throw .future }
    return time
  }

  /// Whether any candidate equals the code that any key makes of `parts`. Each key's code is made
  /// once however many candidates there are, and every pair is compared to the end.
  func matches(
    _ candidates: [[UInt8]], keys: [[UInt8]], parts: [[UInt8]],
    algorithm: ProviderDefinition.WebhookSettings.Algorithm = .sha256
  ) -> Bool {
    var found = false
    for key in keys where !key.isEmpty {
      let code = MessageCode.make(algorithm, key: key, parts: parts)
      for candidate in candidates where constantTimeEquals(code, candidate) { found = true }
    }
    return found
  }
}
