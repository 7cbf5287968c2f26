import Crypto

/// A page made fit for storage: bounded, one change for each id, with what was left out counted.
struct SyncBatch: Sendable {
  let changes: [RecordChange]
  let outline: SyncRun.PageOutline

  init(_ page: SyncPage) {
    var warnings = page.warnings
    var changes: [RecordChange] = []
    var hash = SHA256()
    for change in page.changes {
      switch change {
      case .upsert(let record):
        guard Self.isUsable(record.id, &warnings) else { continue }
        let text = record.data.text
        let fits = text.utf8.count <= RecordChange.maximumSize
        if !fits {
          let limit = "\(RecordChange.maximumSize / 1_024) KiB"
          warnings["records larger than \(limit)", default: 0] += 1
        }
        changes.append(
          RecordChange(
            id: record.id, content: fits ? .data(text) : .seen, sourceAt: record.updatedAt))
        hash.update(data: Array("+\(record.id)\n\(text)\n".utf8))
      case .delete(let deletion):
        guard Self.isUsable(deletion.id, &warnings) else { continue }
        changes.append(
          RecordChange(id: deletion.id, content: .deleted, sourceAt: deletion.deletedAt))
        hash.update(data: Array("-\(deletion.id)\n".utf8))
      }
    }
    self.changes = RecordChange.deduplicated(changes)
    outline = SyncRun.PageOutline(
      fingerprint: changes.isEmpty ? nil : Array(hash.finalize()).prefix(16).hex,
      records: page.changes.count, nextCursor: page.nextCursor,
      checkpoint: page.checkpoint, warnings: warnings)
  }

  private static func isUsable(_ id: String, _ warnings: inout [String: Int]) -> Bool {
    guard !id.isEmpty, !id.utf8.contains(0) else {
      warnings[SyncWarning.noID, default: 0] += 1
      return false
    }
    guard id.utf8.count <= RecordChange.maximumIDLength else {
      warnings[SyncWarning.longID, default: 0] += 1
      return false
    }
    return true
  }
}

/// What people are told was left out.
enum SyncWarning {
  static let noID = "records without an id"
  static let longID = "ids longer than \(RecordChange.maximumIDLength) bytes"
  /// Beside one of the two above: what was not seen may be what could not be recognised.
  static let keptUnseen =
    "records kept although they were not seen, as some could not be recognised"
  static let noToken = "lists that ended without a sync token"
}
