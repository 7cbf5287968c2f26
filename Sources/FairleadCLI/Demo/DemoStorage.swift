import Fairlead
import FairleadPostgres
import Foundation

/// Where the demo stores: a file in its temporary folder, or in a PostgreSQL database that it was
/// given a schema of its own, gone at the end.
struct DemoStorage: Sendable {
  let location: DatabaseLocation
  /// Whether a text stands anywhere in what is stored, as someone who has the storage would look.
  let contains: @Sendable (String) async throws -> Bool
  let remove: @Sendable () async throws -> Void

  static func file(in folder: URL) -> DemoStorage {
    let path = folder.appendingPathComponent("fairlead.db").path
    return DemoStorage(
      location: .sqlite(path: path),
      contains: { text in
        for path in [path, path + "-wal"] where FileManager.default.fileExists(atPath: path) {
          let data = try Data(contentsOf: URL(fileURLWithPath: path))
          if data.range(of: Data(text.utf8)) != nil { return true }
        }
        return false
      }, remove: {})
  }

  /// - Parameter url: of a database in which the user may make a schema.
  static func schema(in url: Secret, random: RandomSource = .system) async throws -> DemoStorage {
    guard !url.expose().contains("options=") else {
      throw FairleadError(
        .configurationError, "The demo sets the options of the database URL itself; leave them out."
      )
    }
    let schema = "fairlead_demo_\(random.bytes(6).map { String($0, radix: 16) }.joined())"
    let joint = url.expose().contains("?") ? "&" : "?"
    let inSchema = Secret("\(url.expose())\(joint)options=-c%20search_path%3D\(schema)")
    let database = try await PostgresDatabase.open(url)
    try await database.write { _ = try $0.execute("CREATE SCHEMA \(schema)") }
    return DemoStorage(
      location: .postgres(url: inSchema),
      contains: { text in
        try await database.read { try Self.contains(text, schema: schema, in: $0) }
      },
      remove: {
        try await database.write { _ = try $0.execute("DROP SCHEMA \(schema) CASCADE") }
        try await database.close()
      })
  }

  private static func contains(
    _ text: String, schema: String, in connection: any SQLConnection
  ) throws -> Bool {
    let columns = try connection.query(
      """
      SELECT table_name, column_name, data_type FROM information_schema.columns
      WHERE table_schema = $1 AND data_type IN ('text', 'bytea')
      """, [.text(schema)])
    for column in columns {
      let (table, name) = (try column.text(0), try column.text(1))
      let value =
        try column.text(2) == "bytea" ? "\"\(name)\"" : "convert_to(\"\(name)\", 'UTF8')"
      let found = try connection.first(
        "SELECT 1 FROM \(schema).\"\(table)\" WHERE position($1 IN \(value)) > 0 LIMIT 1",
        [.blob(Array(text.utf8))])
      if found != nil { return true }
    }
    return false
  }
}
