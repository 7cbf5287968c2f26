/// Takes what looks like a secret out of text that others wrote: a destination's answer, a handler's
/// error. Patterns of PROVIDERS section 10.
enum SecretRedaction {
  static let maximumLength = 1_024
  private static let redacted = "[redacted]"
  private static let prefixes = [
    "xoxa-", "xoxb-", "xoxe", "xoxp-", "xoxr-", "xoxs-", "sk_live_", "sk_test_", "rk_live_",
    "rk_test_", "whsec_", "sk-", "gho_", "ghp_", "ghr_", "ghs_", "ghu_", "github_pat_", "ya29.",
    "shpat_", "shpca_", "shppa_", "shpss_", "fl_",
  ]

  /// The text without secrets and control characters, cut to 1,024 characters.
  static func excerpt(_ text: String) -> String {
    var result = ""
    var word = ""
    func flush() {
      result += isSecret(word) ? redacted : word
      word = ""
    }
    for scalar in text.unicodeScalars.prefix(4 * maximumLength) {
      if isWordScalar(scalar) {
        word.unicodeScalars.append(scalar)
      } else {
        flush()
        if scalar.value >= 32 || scalar == "\n" || scalar == "\t" {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    flush()
    return String(result.prefix(maximumLength))
  }

  private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", "/", "+": true
    default: false
    }
  }

  private static func isSecret(_ word: String) -> Bool {
    if prefixes.contains(where: { word.hasPrefix($0) && word.utf8.count > $0.utf8.count + 6 }) {
      return true
    }
    // A JSON web token.
    return word.hasPrefix("eyJ") && word.split(separator: ".").count == 3
  }
}
