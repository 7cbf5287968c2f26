import ArgumentParser
import Fairlead
import FairleadSandbox
import FairleadServer
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Walk the main job end to end, against the simulators, with nothing to set up.")

  @Flag(help: "Stop after the tour: exit 0 when every step held, 1 otherwise.")
  var once = false

  @Option(help: "Port of the server; 0 lets the system choose.")
  var port: Int = 0

  @Option(
    help: ArgumentHelp(
      "A postgres:// URL to run on, in a schema that is dropped at the end; SQLite otherwise.",
      valueName: "url"))
  var database: String?

  func validate() throws {
    guard (0...65_535).contains(port) else {
      throw ValidationError("--port must be a number from 0 to 65535.")
    }
    if let database, !database.hasPrefix("postgres://"), !database.hasPrefix("postgresql://") {
      throw ValidationError("--database takes a URL such as postgres://user@localhost/test.")
    }
  }

  func run() async throws {
    Deployment.bootstrapLogging(level: .error)
    let logger = Logger(label: "fairlead")
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("fairlead-demo-\(RandomSource.system.token(bytes: 6))")
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    // A demo leaves nothing behind, whatever happened; a folder that cannot go stays in /tmp.
    defer { try? FileManager.default.removeItem(at: folder) }

    let storage: DemoStorage
    if let database {
      storage = try await .schema(in: Secret(database))
    } else {
      storage = .file(in: folder)
    }
    let outcome: Result<Bool, any Error>
    do { outcome = .success(try await walk(storage, logger)) } catch { outcome = .failure(error) }
    try await storage.remove()
    if try !outcome.get() { throw ExitCode(1) }
  }

  /// - Returns: whether every step held.
  private func walk(_ storage: DemoStorage, _ logger: Logger) async throws -> Bool {
    let sandbox = Sandbox(port: 0, logger: logger)
    let simulators = ServiceGroup(services: [sandbox], logger: logger)
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await simulators.run() }
      let held = try await serve(
        sandboxURL: "http://127.0.0.1:\(try await sandbox.boundPort)", storage: storage,
        logger: logger)
      await simulators.triggerGracefulShutdown()
      try await tasks.waitForAll()
      return held
    }
  }

  private func serve(
    sandboxURL: String, storage: DemoStorage, logger: Logger
  ) async throws -> Bool {
    let adminKey = Secret(RandomSource.system.token(bytes: 18))
    var configuration = FairleadConfiguration()
    configuration.database = storage.location
    configuration.vaultKeys = Secret(try KeyRing.generate(id: "demo"))
    configuration.adminKey = adminKey
    configuration.port = port
    configuration.allowPrivateNetworks = true
    configuration.alerts = Self.alerts
    configuration.integrations = [Self.openAI]
    let deployment = try await Deployment(
      configuration, sandboxURL: sandboxURL, logger: logger)
    deployment.fairlead.inbox.on("*", from: "stripe", name: "tour") { _, _ in }

    let (addresses, address) = AsyncStream<String>.makeStream()
    return try await withThrowingTaskGroup(of: Bool?.self) { tasks in
      tasks.addTask {
        defer { address.finish() }
        try await deployment.run(signals: [.sigterm, .sigint]) { url in
          address.yield(url)
        }
        return nil
      }
      guard let url = await addresses.first(where: { _ in true }) else {
        while try await tasks.next() != nil {}
        return false
      }
      let transport = HTTPClientTransport(allowPrivateNetworks: true)
      let held = await Tour(
        client: DemoClient(
          server: url, sandbox: sandboxURL, adminKey: adminKey, transport: transport),
        storage: storage, clock: SystemClock()
      ).introduced(once: once, adminKey: adminKey)
      if once {
        await deployment.shutDown()
      } else {
        Console.line()
        Console.line("The server stays up. Press Ctrl-C to stop it.")
      }
      try await transport.shutdown()
      while try await tasks.next() != nil {}
      return held
    }
  }
}

extension DemoCommand {
  /// An alert that a minute of watching sees fire and resolve; a deployment has longer windows.
  private static var alerts: AlertSettings {
    var alerts = AlertSettings()
    alerts.interval = .seconds(1)
    alerts.resolveAfter = .seconds(1)
    alerts.limits = [
      .successRate: AlertLimit(threshold: 0.6, window: .seconds(60), minimumCalls: 20)
    ]
    return alerts
  }

  /// As `integrations: { openai: { fallback: { message: … } } }` would say it.
  private static var openAI: IntegrationSettings {
    var openAI = IntegrationSettings(name: "openai", provider: "openai")
    openAI.apiKey = Secret(Sandbox.credentials.openAIAPIKey)
    var fallback = ProviderDefinition.FallbackSettings()
    fallback.message = "Our assistant is resting. Please ask again in a few minutes."
    openAI.fallback = .settings(fallback)
    return openAI
  }
}

extension Tour {
  /// The tour with its heading, and where to look afterwards.
  fileprivate func introduced(once: Bool, adminKey: Secret) async -> Bool {
    Console.line(
      Console.styled("Fairlead \(FairleadVersion.current): the main job, end to end", .bold))
    Console.line(
      Console.styled(
        "Against simulators of six providers at \(client.sandbox); no account is used.",
        .dim))
    let held = await run()
    Console.line()
    Console.line("Dashboard         \(Console.styled(client.server + "/", .cyan))")
    Console.line("Sign in with      \(adminKey.expose())")
    return held
  }
}
