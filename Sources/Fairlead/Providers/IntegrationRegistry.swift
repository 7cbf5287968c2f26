/// The integrations of this deployment, fixed when it starts.
public struct IntegrationRegistry: Sendable {
  private let byName: [IntegrationName: Integration]

  public init(_ integrations: [Integration]) {
    byName = Dictionary(integrations.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
  }

  /// In the order of their names.
  public var all: [Integration] { byName.values.sorted { $0.name < $1.name } }

  public subscript(name: IntegrationName) -> Integration? { byName[name] }

  /// The integration called `name`.
  /// - Throws: `FairleadError` (`notFound`).
  public func require(_ name: IntegrationName) throws -> Integration {
    guard let integration = byName[name] else {
      throw FairleadError(
        .notFound,
        byName.isEmpty
          ? "No integration is configured here. Set its variables and restart."
          : "There is no integration named \(name) here.",
        integration: name)
    }
    return integration
  }
}
