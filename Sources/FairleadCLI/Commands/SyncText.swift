import Fairlead

/// A sync in words.
enum SyncText {
  /// `google events of user_42`.
  static func name(_ sync: JSONValue) -> String {
    let parts = [sync["integration"]?.string, sync["model"]?.string].compactMap(\.self)
    let owner = sync["owner"]?.string.map { " of \($0)" } ?? ""
    return (parts.joined(separator: " ") + owner).printable
  }

  static func tell(_ sync: JSONValue, now: Timestamp) {
    func text(_ name: String) -> TextTable.Cell? { sync[name]?.string.map { .init($0) } }
    func time(_ name: String) -> TextTable.Cell? {
      RelativeTime.text(sync[name], now: now).map { .init($0) }
    }
    Console.facts([
      ("id", text("id")), ("integration", text("integration")), ("model", text("model")),
      ("connection", text("connection")), ("owner", text("owner")),
      ("state", StatusWord.cell(sync["state"]?.string)), ("problem", text("error")),
      ("running", run(sync["run"], now: now).map { .init($0, .cyan) }),
      ("last run", last(sync["last_run"], now: now)),
      ("noticed", warnings(sync).isEmpty ? nil : .init(warnings(sync).joined(separator: " "))),
      ("records", NumberText.grouped(sync["records"]).map { .init($0) }),
      ("synced", time("last_synced_at")), ("next run", time("next_run_at")),
      ("next full run", time("next_full_at")),
      ("real time", sync["real_time"]?.bool.map { .init($0 ? "yes" : "no") }),
    ])
  }

  /// How the last run ended, in a sentence.
  static func outcome(_ sync: JSONValue) -> String {
    guard let run = sync["last_run"], run.object != nil else {
      return "Synced \(name(sync))."
    }
    return "Synced \(name(sync)): \(counts(run))\(duration(run).map { ", \($0)" } ?? "")."
  }

  /// What the last run noticed and went on in spite of.
  static func warnings(_ sync: JSONValue) -> [String] {
    (sync[path: "last_run.warnings"]?.array ?? []).map { ($0.scalarText ?? $0.text).printable }
  }

  private static func run(_ run: JSONValue?, now: Timestamp) -> String? {
    guard let run, run.object != nil else { return nil }
    let started = RelativeTime.text(run["started_at"], now: now).map { ", started \($0)" } ?? ""
    let kind = run["kind"]?.string ?? "run"
    let records = NumberText.grouped(run["records"]) ?? "0"
    let pages = NumberText.grouped(run["pages"]) ?? "0"
    return "\(kind), \(records) records in \(pages) pages\(started)"
  }

  private static func last(_ run: JSONValue?, now: Timestamp) -> TextTable.Cell? {
    guard let run, run.object != nil else { return nil }
    let status = run["status"]?.string
    var text = "\(status ?? "ended"), \(run["kind"]?.string ?? "run"), \(counts(run))"
    if let ended = RelativeTime.text(run["finished_at"], now: now) { text += ", \(ended)" }
    if let error = run["error"]?.string { text += ": \(error)" }
    return .init(text, StatusWord.style(status))
  }

  private static func counts(_ run: JSONValue) -> String {
    func count(_ name: String) -> String { NumberText.grouped(run[name]) ?? "0" }
    return "\(count("records")) records in \(count("pages")) pages, \(count("added")) added, "
      + "\(count("updated")) updated, \(count("deleted")) deleted"
  }

  private static func duration(_ run: JSONValue) -> String? {
    guard let start = run["started_at"]?.string.flatMap({ Timestamp(rfc3339: $0) }),
      let end = run["finished_at"]?.string.flatMap({ Timestamp(rfc3339: $0) }), end >= start
    else { return nil }
    return NumberText.milliseconds(.double((end - start).inSeconds * 1_000))
  }
}
