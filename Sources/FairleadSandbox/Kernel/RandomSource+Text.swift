import Fairlead

extension RandomSource {
  private static let alphanumerics = Array(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
  private static let capitals = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
  private static let digitCharacters = Array("0123456789".utf8)

  /// Letters of both cases and digits, as Stripe's ids have them.
  func alphanumeric(_ count: Int) -> String { text(count, Self.alphanumerics) }

  /// Capital letters and digits, as Slack's ids have them.
  func capitals(_ count: Int) -> String { text(count, Self.capitals) }

  func digits(_ count: Int) -> String { text(count, Self.digitCharacters) }

  /// Lower-case hexadecimal digits.
  func hexadecimal(_ count: Int) -> String {
    String(bytes((count + 1) / 2).hex.prefix(count))
  }

  private func text(_ count: Int, _ alphabet: [UInt8]) -> String {
    let characters = (0..<count).map { _ in alphabet[Int(next() % UInt64(alphabet.count))] }
    return String(decoding: characters, as: UTF8.self)
  }
}
