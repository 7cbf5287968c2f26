/// `hmac`: a code over a template such as `v0:{timestamp}:{body}` or `{body}`, in one header.
extension SignatureCheck {
  func templateHMAC() throws(SignatureRejection) -> SignatureVerdict.Verified {
    let value = try header(settings.header)
    var signedAt: Timestamp?
    var timestamp: String?
    if let name = settings.timestampHeader {
      let text = try header(name)
      signedAt = try signedTime(text)
      timestamp = text
    }
    guard
      let parts = SignedContent.template(settings.signed, timestamp: timestamp, body: body)
    else { throw .missingHeader }
    let candidates = try candidates(in: value)
    guard
      matches(
        candidates, keys: secrets.map { $0.exposeBytes() }, parts: parts,
        algorithm: settings.algorithm)
    else { throw .forged }
    return .init(signedAt: signedAt)
  }

  /// The signatures in a header, which may list several between commas while a secret rotates.
  private func candidates(in value: String) throws(SignatureRejection) -> [[UInt8]] {
    let listed = value.split(
      separator: ",", maxSplits: Self.maximumCandidates, omittingEmptySubsequences: true)
    guard listed.count <= Self.maximumCandidates else { throw .malformedHeader }
    var candidates: [[UInt8]] = []
    for item in listed {
      let text = item.trimmingPrefix(while: \.isWhitespace)
      guard text.hasPrefix(settings.prefix) else { continue }
      let encoded = text.dropFirst(settings.prefix.count)
      let decoded: [UInt8]? =
        switch settings.encoding {
        case .hex: [UInt8](hex: encoded)
        case .base64: [UInt8](anyBase64: encoded)
        }
      if let decoded { candidates.append(decoded) }
    }
    return candidates
  }
}
