import Fairlead

/// Checks of secrets that need nothing but the secrets. Pure; no finding holds a value.
enum SecretChecks {
  /// A file with secrets that others on this machine can read.
  static func mode(of file: String, permissions: Int) -> Finding {
    guard permissions & 0o077 != 0 else {
      return .ok("secrets.mode", "\(file) can be read by its owner alone.")
    }
    let digits = String(permissions & 0o777, radix: 8)
    return Finding(
      "secrets.mode", .warn, "\(file) has mode \(digits): others on this machine can read it.",
      advice: "chmod 600 \(file)")
  }

  private static let longest = 365

  /// How long ago a file with secrets was changed; what is in it may be older.
  static func age(of file: String, changed: Timestamp, now: Timestamp) -> Finding? {
    let days = (now.seconds - changed.seconds) / 86_400
    guard days > longest else { return nil }
    return Finding(
      "secrets.age", .warn, "\(file) was last changed \(days) days ago, so its secrets are as old.",
      advice:
        "Replace long-lived keys once a year: make new ones at the provider, then end the old.")
  }

  /// Vault keys whose id says when they were made (`k2026-11`), as ours do.
  static func vaultKeys(_ ids: [String], now: Timestamp) -> [Finding] {
    guard let active = ids.first else { return [] }
    var findings = [
      Finding.ok(
        "vault.keys",
        ids.count == 1
          ? "The vault key is \(active)."
          : "The vault key \(active) encrypts; \(ids.dropFirst().joined(separator: ", ")) can still "
            + "decrypt.")
    ]
    if let months = monthsOld(active, now: now), months > 12 {
      findings.append(
        Finding(
          "vault.age", .warn, "The vault key \(active) is \(months) months old.",
          advice:
            "Put a new one in front: fairlead keys generate-vault-key. Keep the old behind it.")
      )
    }
    return findings
  }

  /// The age that a key's id tells; `nil` when it tells none.
  static func monthsOld(_ id: String, now: Timestamp) -> Int? {
    guard id.utf8.count == 8, id.hasPrefix("k") else { return nil }
    let parts = id.dropFirst().split(separator: "-")
    guard parts.count == 2, let year = Int(parts[0]), let month = Int(parts[1]),
      (2_000...9_999).contains(year), (1...12).contains(month)
    else { return nil }
    let today = now.rfc3339.split(separator: "-")
    guard today.count >= 2, let thisYear = Int(today[0]), let thisMonth = Int(today[1]) else {
      return nil
    }
    let months = (thisYear - year) * 12 + thisMonth - month
    return months >= 0 ? months : nil
  }

  private static let shortest = 20

  /// Whether the admin key could be guessed.
  static func adminKey(_ key: Secret?) -> Finding {
    let advice =
      "Set FAIRLEAD_ADMIN_KEY to a long random text, for example: openssl rand -base64 24"
    guard let key else {
      return Finding(
        "admin_key", .warn,
        "There is no admin key: the dashboard and these commands have nothing to sign in with.",
        advice: advice)
    }
    let text = key.expose()
    guard text.utf8.count >= shortest else {
      return Finding(
        "admin_key", .fail, "The admin key has fewer than \(shortest) characters.", advice: advice)
    }
    let kinds = Set(text)
    guard kinds.count >= 8 else {
      return Finding(
        "admin_key", .fail, "The admin key repeats a few characters, so it can be guessed.",
        advice: advice)
    }
    let tame = text.lowercased()
    if ["password", "changeme", "change-me", "change_me", "example", "123456789"].contains(
      where: { tame.contains($0) })
    {
      return Finding(
        "admin_key", .warn, "The admin key looks like one from an example.", advice: advice)
    }
    return .ok("admin_key", "The admin key is long enough.")
  }

  /// Test and live keys side by side: of one provider that is a mistake, of several it may be one.
  static func modes(_ keys: [ModedKey]) -> [Finding] {
    var findings: [Finding] = []
    let groups = Dictionary(grouping: keys, by: \.group)
    for (_, members) in groups.sorted(by: { $0.key < $1.key }) {
      let live = members.filter { $0.mode == .live }.map(\.name)
      let test = members.filter { $0.mode == .test }.map(\.name)
      if !live.isEmpty, !test.isEmpty {
        findings.append(
          Finding(
            "keys.mixed", .fail,
            "\(live.joined(separator: ", ")) is a live key, but \(test.joined(separator: ", ")) is a "
              + "test key.", advice: "Use keys of one mode; the provider refuses the mixture."))
      }
    }
    guard findings.isEmpty else { return findings }
    let live = keys.filter { $0.mode == .live }.map(\.name)
    let test = keys.filter { $0.mode == .test }.map(\.name)
    if !live.isEmpty, !test.isEmpty {
      return [
        Finding(
          "keys.mixed", .warn,
          "Live keys (\(live.joined(separator: ", "))) stand beside test keys "
            + "(\(test.joined(separator: ", "))).",
          advice: "That is right only when those providers are still being tried out.")
      ]
    }
    guard let mode = keys.first?.mode else { return [] }
    return [.ok("keys.mixed", "All keys that say so are \(mode.rawValue) keys.")]
  }
}
