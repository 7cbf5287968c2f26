import Fairlead
import FairleadSQLite
import FairleadTesting
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import ServiceLifecycle

@testable import FairleadServer

/// A whole deployment on a database in memory, with a provider of the test's choosing behind it.
struct ServerHarness {
  static let adminKey = "test-admin-key-0123456789"
  static let webhookSecret = "whsec_test_0123456789"

  let fairlead: Fairlead
  let server: WebServer

  /// - Parameter origin: where the integration `acme` is; the test answers there.
  init(
    origin: String = "http://127.0.0.1:9", port: Int = 0,
    onListening: @escaping @Sendable (Int) -> Void = { _ in },
    define: (inout ProviderDefinition) -> Void = { _ in }
  )
    async throws
  {
    var definition = ProviderDefinition(
      name: "acme", displayName: "Acme", purpose: "Orders", baseURL: origin, auth: .apiKey)
    definition.apply = .header(name: "Authorization", value: "Bearer {api_key}")
    definition.retry.attempts = 1
    var webhook = ProviderDefinition.WebhookSettings(scheme: .stripe, header: "Stripe-Signature")
    webhook.rejectStatus = 400
    webhook.eventID = .body("id")
    webhook.eventType = .body("type")
    definition.webhook = webhook
    define(&definition)
    var settings = Settings(adminKey: Secret(Self.adminKey))
    settings.allowPrivateNetworks = true
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    fairlead = try await Fairlead(
      database: .sqlite(":memory:"), vault: .keys(Secret(try KeyRing.generate(id: "test"))),
      integrations: [
        Integration(
          name: "acme", definition: definition, webhookSecrets: [Secret(Self.webhookSecret)],
          defaultCredential: .apiKey(key: Secret("acme-key"), secret: nil))
      ], settings: settings, logger: logger)
    server = WebServer(
      fairlead, host: "127.0.0.1", port: port, logger: logger, onListening: { onListening($0) })
  }

  /// Runs `body` against the routes, with everything in the background running.
  func test(_ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void) async throws
  {
    try await withThrowingTaskGroup(of: Void.self) { group in
      let background = ServiceGroup(services: [fairlead], logger: fairlead.logger)
      group.addTask { try await background.run() }
      try await server.application().test(.router) { try await body($0) }
      await background.triggerGracefulShutdown()
      try await group.waitForAll()
    }
    try await fairlead.close()
  }

  static let admin: HTTPFields = [.authorization: "Bearer \(adminKey)"]
}

extension TestResponse {
  var json: JSONValue { (try? JSONValue(parsing: body.readableBytesView)) ?? .null }
  var errorCode: String? { json[path: "error.code"]?.string }
}
