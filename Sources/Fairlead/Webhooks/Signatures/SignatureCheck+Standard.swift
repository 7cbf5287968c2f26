/// `standard`: Standard Webhooks and its `svix-*` twin. A code over `id.timestamp.body`, several
/// `v1,BASE64` between spaces. Source: standardwebhooks.com, "Signature scheme".
extension SignatureCheck {
  private static let families = ["svix", "webhook"]
  private static let maximumIDLength = 256

  func standard(keys: [[UInt8]]) throws(SignatureRejection) -> SignatureVerdict.Verified {
    // Both families mean the same. One whole family is used, never a mixture of the two.
    guard let family = Self.families.first(where: { hasHeader("\($0)-signature") }) else {
      throw .missingHeader
    }
    let id = try header("\(family)-id")
    let time = try header("\(family)-timestamp")
    let value = try header("\(family)-signature")
    // A full stop in the id would let one signed text be read as two different (id, time, body).
    guard id.utf8.count <= Self.maximumIDLength, !id.contains(".") else { throw .malformedHeader }
    let signedAt = try signedTime(time)

    let listed = value.split(separator: " ", maxSplits: Self.maximumCandidates)
    guard listed.count <= Self.maximumCandidates else { throw .malformedHeader }
    let candidates = listed.compactMap { item -> [UInt8]? in
      guard item.hasPrefix("v1,") else { return nil }
      return [UInt8](anyBase64: item.dropFirst("v1,".count))
    }
    let parts = StandardWebhooks.parts(id: id, timestamp: time, body: body)
    guard matches(candidates, keys: keys, parts: parts) else { throw .forged }
    return .init(signedAt: signedAt, signedID: id)
  }
}
