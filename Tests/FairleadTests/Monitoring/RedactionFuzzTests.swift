import Fairlead
import Testing

@Suite(.timeLimit(.minutes(1))) struct RedactionFuzzTests {
  /// Pieces that provoke the scanner: beginnings of credentials, names, delimiters, broken escapes.
  private static let pieces = [
    "xoxb-", "xox", "sk_live_", "sk-", "eyJ", ".", "1//", "ya29.", "ghp_", "token", "code", "state",
    "authorization", "Cookie", "password", "=", ":", "=>", "%3D", "%22", "%", "\"", "'", "\\\"",
    "\\", " ", "\n", "&", "?", "#", ",", "{", "}", "[", "]", "://", "@", "Bearer ", "basic ",
    "-----BEGIN ", "PRIVATE KEY-----", "-----END ", "null", "***", "a", "Zz9", "_", "-", "é", "🙂",
    "\0", "42", "tokens",
  ]

  private static func noise(_ random: RandomSource, _ count: Int) -> String {
    (0..<count).map { _ in pieces[Int(random.next() % UInt64(pieces.count))] }.joined()
  }

  @Test func maskingTwiceIsMaskingOnce() {
    let random = RandomSource(seed: 11)
    for _ in 0..<4_000 {
      let text = Self.noise(random, 1 + Int(random.next() % 30))
      let once = Redaction.text(text)
      #expect(
        Redaction.text(once) == once, "\(text.debugDescription) gives \(once.debugDescription)")
    }
  }

  /// A secret under a telling name, or of a telling form, is gone whatever stands around it.
  @Test func aPlantedSecretNeverSurvives() {
    let random = RandomSource(seed: 12)
    for _ in 0..<4_000 {
      let secret = "S3" + random.bytes(12).hex
      let planted = [
        "\"access_token\":\"\(secret)\"", "?code=\(secret)&", " client_secret=\(secret) ",
        " xoxb-\(secret) ", " sk_live_\(secret) ", "\nAuthorization: Bearer \(secret)\n",
        "{\\\"api_key\\\":\\\"\(secret)\\\"}", " https://user:\(secret)@host/ ",
        " Bearer \(secret) ", "&refresh_token%3D\(secret) ",
      ]
      let index = Int(random.next() % UInt64(planted.count))
      // Whole words before it: half a name or quote in front would make another text of it.
      let before = ["", "The call failed: ", "a=b ", "{\"x\":1}, ", "state: active; ", "é🙂 "]
      let text =
        before[Int(random.next() % 6)] + planted[index] + Self.noise(random, Int(random.next() % 9))
      #expect(!Redaction.text(text).contains(secret), "\(text.debugDescription)")
    }
  }

  @Test func formsAndURLsAcceptAnyText() {
    let random = RandomSource(seed: 13)
    for _ in 0..<2_000 {
      let text = Self.noise(random, 1 + Int(random.next() % 20))
      _ = Redaction.url(text)
      _ = Redaction.form(text)
      _ = Redaction.header("X-Any", text)
      _ = Redaction.json(.object([text: .string(text)]))
    }
  }

  /// A quadratic scanner would take minutes for a megabyte of any of these.
  @Test(arguments: [
    "eyJ", "eyJa.", "a", "token", "://", "://a", "-----BEGIN ", "-----BEGIN A", "\"", "code:", " ",
    "bearer ", "%3D", "sk-", "1//", "token: ", "[", "\\\"", "basic a", "xoxb-",
  ])
  func timeIsLinear(piece: String) {
    let text = String(repeating: piece, count: 1_000_000 / piece.utf8.count)
    #expect(Redaction.text(text).utf8.count <= text.utf8.count * 2)
  }
}
