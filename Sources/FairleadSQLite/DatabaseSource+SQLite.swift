public import Fairlead

extension DatabaseSource {
  /// A SQLite file, made when it is missing; `:memory:` is one that is gone with its process.
  public static func sqlite(_ path: String) -> DatabaseSource {
    DatabaseSource {
      try await SQLiteDatabase.open(path: path, knownMigrations: Fairlead.migrations)
    }
  }
}
