/// The colour that goes with a word of ours; the word itself always stands there too.
enum StatusWord {
  static func style(_ word: String?) -> Console.Style? {
    switch word {
    case "active", "healthy", "processed", "succeeded", "resolved", "ok", "ready", "closed",
      "added":
      .green
    case "needs_reauth", "degraded", "failed", "waiting", "warn", "paused", "half_open", "updated":
      .yellow
    case "down", "dead", "quarantined", "blocked", "firing", "fail", "open", "deleted": .red
    case "revoked", "idle", "cancelled", "skip": .dim
    default: nil
    }
  }

  static func cell(_ word: String?) -> TextTable.Cell { TextTable.Cell(word, style(word)) }
}
