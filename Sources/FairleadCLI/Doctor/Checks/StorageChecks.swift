import Fairlead
import Foundation

/// Checks of the database: nothing is made, nothing is changed.
struct StorageChecks {
  let configuration: FairleadConfiguration

  /// What was found, and how many connections there are where they could be read.
  func run() async -> ([Finding], ConnectionCounts?) {
    if case .sqlite(let path) = configuration.database {
      var findings = file(path)
      if findings.contains(where: { $0.verdict == .fail || $0.verdict == .skip }) {
        return (findings, nil)
      }
      let (more, counts) = await opened()
      findings += more
      return (findings, counts)
    }
    return await opened()
  }

  // MARK: - The file

  private func file(_ path: String) -> [Finding] {
    guard path != ":memory:" else {
      return [
        Finding(
          "storage", .warn, "The database is in memory: everything is lost at the next stop.",
          advice: "Set FAIRLEAD_DATABASE to sqlite:PATH.")
      ]
    }
    let files = FileManager.default
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    guard files.fileExists(atPath: path) else {
      guard files.isWritableFile(atPath: folder) else {
        return [
          Finding(
            "storage", .fail, "The folder of the database \(path) is missing or cannot be written.",
            advice: "Make it, or set FAIRLEAD_DATABASE to another path.")
        ]
      }
      return [
        Finding(
          "storage", .skip, "There is no database at \(path) yet; the first start makes it.")
      ]
    }
    var findings: [Finding] = []
    if let permissions = FileFacts.permissions(of: path), permissions & 0o077 != 0 {
      findings.append(
        Finding(
          "storage.mode", .warn,
          "The database \(path) can be read by others on this machine.",
          advice: "chmod 600 \(path)"))
    }
    if let free = FileFacts.freeBytes(at: folder) { findings += Self.space(free: free) }
    return findings
  }

  /// Pure.
  static func space(free: Int64) -> [Finding] {
    let megabytes = free >> 20
    guard megabytes < 1_024 else { return [] }
    return [
      Finding(
        "storage.space", megabytes < 64 ? .fail : .warn,
        "The disk of the database has \(megabytes) MiB left; webhooks are refused when it is full.",
        advice: "Free some space, or shorten retention in fairlead.yaml.")
    ]
  }

  // MARK: - The database

  private func opened() async -> ([Finding], ConnectionCounts?) {
    let database: any Database
    do {
      database = try await Deployment.openDatabase(configuration)
    } catch {
      return ([Self.failure("storage", error)], nil)
    }
    var findings: [Finding] = []
    var counts: ConnectionCounts?
    do {
      let applied = try await Migrator.applied(in: database)
      findings += Self.migrations(applied: applied, known: Fairlead.migrations)
      if !applied.isEmpty {
        findings.append(await writable(database))
        findings += await vaultFits(database)
        // Without the table there are no connections to count.
        counts = try? await ConnectionCounts.read(from: database)
      }
      findings += await durable(database)
    } catch {
      findings.append(Self.failure("storage", error))
    }
    // Nothing was written that a failing close could lose.
    try? await database.close()
    return (findings, counts)
  }

  /// Pure.
  static func migrations(applied: [String], known: [Migration]) -> [Finding] {
    do {
      try Migrator.refuseUnknown(applied: applied, known: known)
    } catch {
      return [failure("storage.migrations", error)]
    }
    let names = Set(applied)
    let pending = known.map(\.name).filter { !names.contains($0) }
    guard pending.isEmpty else {
      return [
        Finding(
          "storage.migrations", .warn,
          "The database lacks \(pending.count == 1 ? "1 migration" : "\(pending.count) migrations").",
          advice: "fairlead migrate; `serve` does it at its start as well.")
      ]
    }
    return [.ok("storage.migrations", "The database has all \(applied.count) migrations.")]
  }

  private func writable(_ database: any Database) async -> Finding {
    do {
      _ = try await database.write { connection in
        try connection.execute(
          "UPDATE \(Migrator.table) SET applied_at = applied_at WHERE name = $1", [.text("")])
      }
      return .ok("storage.writable", "The database can be written.")
    } catch {
      return Self.failure("storage.writable", error)
    }
  }

  /// Asks the engine whether a commit waits until it is on disk.
  private func durable(_ database: any Database) async -> [Finding] {
    let engine = database.dialect.engine
    let question =
      engine == .sqlite ? "PRAGMA synchronous" : "SELECT current_setting('synchronous_commit')"
    do {
      let row = try await database.write { connection in try connection.first(question) }
      let isDurable =
        engine == .sqlite ? try row?.int(0) == 2 : try row.map { try $0.text(0) != "off" } ?? false
      return [Self.durability(engine, isDurable: isDurable)]
    } catch {
      return [Self.failure("storage.durable", error)]
    }
  }

  /// Pure.
  static func durability(_ engine: Dialect.Engine, isDurable: Bool) -> Finding {
    let setting = engine == .sqlite ? "synchronous=FULL" : "synchronous_commit"
    guard isDurable else {
      return Finding(
        "storage.durable", .fail,
        "A commit does not wait for the disk (\(setting)): a power cut loses events.",
        advice: engine == .sqlite
          ? "Use another build of SQLite." : "Set synchronous_commit = on in PostgreSQL.")
    }
    return .ok("storage.durable", "Every commit waits for the disk (\(setting)).")
  }

  private func vaultFits(_ database: any Database) async -> [Finding] {
    // A missing or bad key is told by its own check.
    guard let source = try? Deployment.vault(configuration), let vault = try? source.vault() else {
      return []
    }
    do {
      try await VaultCheck.verify(vault, in: database)
      return [.ok("vault.fits", "The vault keys are those this database was sealed with.")]
    } catch {
      return [Self.failure("vault.fits", error)]
    }
  }

  private static func failure(_ check: String, _ error: any Error) -> Finding {
    if let error = error as? FairleadError { return Finding(check, .fail, error.message) }
    if let error = error as? StorageError {
      return Finding(check, .fail, "The database cannot be used (\(error)).")
    }
    return Finding(check, .fail, "The database cannot be used.")
  }
}

/// What the file system says about a file.
enum FileFacts {
  static func permissions(of path: String) -> Int? {
    attribute(.posixPermissions, of: path)?.intValue
  }

  static func changed(_ path: String) -> Timestamp? {
    // A file that cannot be looked at has no known age.
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.modificationDate] as? Date).map { Timestamp($0) }
  }

  static func freeBytes(at path: String) -> Int64? {
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: path)
    return (attributes?[.systemFreeSize] as? NSNumber)?.int64Value
  }

  private static func attribute(_ key: FileAttributeKey, of path: String) -> NSNumber? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return attributes?[key] as? NSNumber
  }
}
