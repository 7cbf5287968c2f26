import Fairlead

/// An API version: a date, and since 2024 a release name after it.
struct StripeVersion: Sendable {
  static let current = StripeVersion(text: "2026-10-28.endive")
  let text: String

  private init(text: String) { self.text = text }

  init(header: String?) throws(StripeError) {
    guard let header else {
      self = .current
      return
    }
    let date = header.utf8.prefix(10)
    let shape =
      header.utf8.count <= 60 && date.count == 10
      && date.enumerated().allSatisfy { index, byte in
        [4, 7].contains(index) ? byte == 45 : (48...57).contains(byte)
      }
    let end = header.utf8.dropFirst(10)
    guard shape, end.isEmpty || end.first == 46 else {
      throw .invalid("Invalid Stripe API version: \(header.prefix(60))")
    }
    text = header
  }

  /// Since 2025-03-31 billing periods are on subscription items and invoices name their payments
  /// through `confirmation_secret` and `parent`.
  var hasItemPeriods: Bool { String(text.prefix(10)) >= "2025-03-31" }
}
