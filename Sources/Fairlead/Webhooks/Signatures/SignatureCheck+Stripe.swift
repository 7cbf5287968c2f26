/// `stripe`: `Stripe-Signature: t=SECONDS,v1=HEX[,v1=HEX…]`, a code over `t.body` whose key is the
/// whole `whsec_…` text. Source: docs.stripe.com/webhooks, "Verify webhook signatures manually".
extension SignatureCheck {
  func stripe() throws(SignatureRejection) -> SignatureVerdict.Verified {
    let value = try header(settings.header)
    var time: Substring?
    var candidates: [[UInt8]] = []
    for item in value.split(separator: ",") {
      let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2 else { throw .malformedHeader }
      switch pair[0].trimmingPrefix(while: \.isWhitespace) {
      case "t":
        guard time == nil else { throw .malformedHeader }
        time = pair[1]
      case "v1":
        guard candidates.count < Self.maximumCandidates else { throw .malformedHeader }
        if let code = [UInt8](hex: pair[1]) { candidates.append(code) }
      // Other schemes may stand beside v1 (test events carry a v0); only v1 counts.
      default: continue
      }
    }
    guard let time else { throw .malformedHeader }
    let signedAt = try signedTime(time)
    let parts = SignedContent.stripe(timestamp: time, body: body)
    guard matches(candidates, keys: secrets.map { $0.exposeBytes() }, parts: parts) else {
      throw .forged
    }
    return .init(signedAt: signedAt)
  }
}
