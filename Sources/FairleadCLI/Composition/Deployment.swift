import Fairlead
import FairleadPostgres
import FairleadSQLite
import FairleadSandbox
import FairleadServer
import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

/// The one composition root: what was configured, put together and running.
final class Deployment: Sendable {
  /// How long requests and handlers under way may take to finish after SIGTERM.
  private static let drainTime: Duration = .seconds(28)

  let fairlead: Fairlead
  private let configuration: FairleadConfiguration
  private let logger: Logger
  private let running = Mutex<ServiceGroup?>(nil)

  /// - Parameter sandboxURL: where the simulators are, when every integration is to be pointed at
  ///   them.
  /// - Throws: `FairleadError` with one line that says what to do; nothing is written then.
  init(
    _ configuration: FairleadConfiguration, sandboxURL: String?, logger: Logger
  ) async throws {
    var configuration = configuration
    self.logger = logger
    let vault = try Self.vault(configuration)
    let source = Self.databaseSource(configuration)
    if let sandboxURL { try configuration.pointAtSandbox(sandboxURL) }
    let integrations = try configuration.integrations(catalog: Self.definitions(configuration))
    try Destinations.check(configuration.configuredDestinations)
    configuration.port = try PortCheck.settle(host: configuration.host, port: configuration.port)
    self.configuration = configuration
    for notice in configuration.notices {
      logger.notice("configuration", metadata: ["notice": .string(notice)])
    }
    fairlead = try await Fairlead(
      database: source, vault: vault, integrations: integrations,
      settings: configuration.settings, logger: logger)
    do {
      try await fairlead.destinations.configure(configuration.configuredDestinations)
    } catch {
      // The first error is the one to tell.
      try? await fairlead.close()
      throw error
    }
  }

  /// Serves until a signal or `shutDown()`, then drains.
  /// - Parameter onListening: called with the server's URL.
  func run(signals: [UnixSignal], onListening: @escaping @Sendable (String) -> Void) async throws {
    let host = configuration.host
    let server = WebServer(
      fairlead, host: host, port: configuration.port, corsOrigins: configuration.corsOrigins,
      logger: logger
    ) { port in
      onListening("http://\(host.contains(":") ? "[\(host)]" : host):\(port)")
    }
    // Services stop in the reverse order: the server first, then what its requests rely on.
    var group = ServiceGroupConfiguration(
      services: [fairlead, server], gracefulShutdownSignals: signals, logger: logger)
    group.maximumGracefulShutdownDuration = Self.drainTime
    let services = ServiceGroup(configuration: group)
    running.withLock { $0 = services }
    do {
      try await services.run()
    } catch {
      // Why it stopped is the error to tell.
      try? await fairlead.close()
      if (error as? ServiceGroupError)?.errorCode == .serviceFinishedUnexpectedly {
        throw CommandFailure("the server stopped by itself; its log says why")
      }
      throw error
    }
    try await fairlead.close()
  }

  /// Ends `run` as a signal would.
  func shutDown() async {
    await running.withLock { $0 }?.triggerGracefulShutdown()
  }
}

// MARK: - From the configuration

extension Deployment {
  /// Reads the configuration of the current folder.
  static func configuration(file: String?) throws -> FairleadConfiguration {
    try FairleadConfiguration.load(
      directory: FileManager.default.currentDirectoryPath, configFile: file)
  }

  /// The catalog and the configured folder's definitions.
  static func definitions(_ configuration: FairleadConfiguration) throws -> [ProviderDefinition] {
    do {
      return try DefinitionLoader.definitions(folder: configuration.definitionsFolder)
    } catch let problems as DefinitionProblems {
      throw CommandFailure("\(problems)")
    }
  }

  static func vault(_ configuration: FairleadConfiguration) throws -> VaultSource {
    if let keys = configuration.vaultKeys { return .keys(keys) }
    if let path = configuration.vaultKeyFile { return .file(path) }
    throw VaultSource.missingVaultKey
  }

  static func databaseSource(_ configuration: FairleadConfiguration) -> DatabaseSource {
    switch configuration.database {
    case .sqlite(let path): .sqlite(path)
    case .postgres(let url): .postgres(url)
    }
  }

  static func openDatabase(_ configuration: FairleadConfiguration) async throws -> any Database {
    try await databaseSource(configuration).open()
  }

  /// Logs go to standard error, redacted, one line each: text on a terminal, JSON otherwise.
  static func bootstrapLogging(level: Logger.Level) {
    let format: LogFormat = isatty(STDERR_FILENO) == 1 ? .human : .json
    LoggingSystem.bootstrap(
      StandardErrorLogHandler.redacted(level: level, format: format), metadataProvider: nil)
  }
}

extension FairleadConfiguration {
  var configuredDestinations: [ConfiguredDestination] {
    destinations.map {
      ConfiguredDestination(
        NewDestination(url: $0.url, integrations: $0.integrations ?? [], types: $0.types),
        secret: $0.secret)
    }
  }

  var settings: Settings {
    var settings = Settings(
      publicURL: publicURL(boundPort: port), adminKey: adminKey,
      connectRedirectOrigins: connectRedirectOrigins,
      allowPrivateNetworks: allowPrivateNetworks, tokenIssuers: tokenIssuers,
      eventPayloadRetention: retention.eventPayloads, eventIDRetention: retention.eventIDs,
      requestRetention: retention.requests, syncs: syncs)
    settings.alerts = alerts
    settings.alerts.retention = retention.alerts
    return settings
  }
}
