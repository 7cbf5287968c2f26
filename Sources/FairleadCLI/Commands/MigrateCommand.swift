import ArgumentParser
import Fairlead
import FairleadSQLite

struct MigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate", abstract: "Bring the database's tables up to date.",
    discussion: "`serve` does this at its start as well.")

  @Option(name: .long, help: "The configuration file; fairlead.yaml when it is there.")
  var config: String?

  func run() async throws {
    let configuration = try Deployment.configuration(file: config)
    let database = try await Deployment.openDatabase(configuration)
    let before = try await Migrator.applied(in: database)
    try await Migrator.apply(Fairlead.migrations, to: database, clock: SystemClock())
    let after = try await Migrator.applied(in: database)
    try await database.close()
    Console.line(
      after.count == before.count
        ? "The database is up to date: \(after.count) migrations."
        : "Applied \(after.count - before.count) migrations; the database is up to date.")
  }
}
