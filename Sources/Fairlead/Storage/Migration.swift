/// One step of the schema. Applied once, in one transaction, and never changed afterwards: a later
/// change is a new migration.
public struct Migration: Sendable {
  /// Unique, and sorted by: `020_jobs`.
  public let name: String
  /// The statements for an engine, run in this order.
  public let statements: @Sendable (Dialect) -> [String]

  public init(name: String, statements: @escaping @Sendable (Dialect) -> [String]) {
    self.name = name
    self.statements = statements
  }
}
