/// Where a SQLite database lives.
public enum SQLiteLocation: Sendable, Hashable {
  /// A file, made when it is missing (mode 0600); its folder must exist.
  case file(String)
  /// In memory, gone with the object. For tests and trials.
  case memory

  /// Reads a path; `:memory:` is the one in memory.
  public init(path: String) {
    self = path == ":memory:" ? .memory : .file(path)
  }
}
