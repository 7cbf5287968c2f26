import ArgumentParser
import Fairlead
import FairleadSandbox
import Foundation
import HTTPTypes
import NIOCore

struct WebhookCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "webhook", abstract: "Test events.", subcommands: [Send.self])

  struct Send: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "send",
      abstract: "Send a correctly signed test event.",
      discussion: """
        The event has its provider's own shape and is signed with this deployment's webhook secret, \
        so the server takes it for a genuine one.

          fairlead webhook send stripe payment_intent.succeeded
          fairlead webhook send stripe customer.created --data '{"email": "a@b.example"}'
        """)

    private static let bodyLimit = 25 << 20

    @Argument(help: "The integration, or the provider it is of.")
    var provider: String
    @Argument(help: "The event's type, as the provider names it.")
    var type: String
    @Option(help: "Where to; the running server's /webhooks/{integration} when absent.")
    var to: String?
    @Option(
      help: "Laid over the object the event is about: JSON, @FILE, or @- for standard input.")
    var data: String?
    @Option(help: "The whole body as it is: text, @FILE, or @- for standard input.")
    var body: String?
    @Option(
      help: ArgumentHelp(
        "What to sign with: config for the configured secret, or the name of a variable.",
        valueName: "source"))
    var secretFrom: String = "config"
    @Option(
      help: ArgumentHelp(
        "Sign as `serve --sandbox` expects it where no secret is configured.", valueName: "url"))
    var sandbox: String?
    @Option(help: "The configuration file; fairlead.yaml when it is there.")
    var config: String?
    @OptionGroup var output: OutputOptions

    func validate() throws {
      if data != nil, body != nil { throw ValidationError("Give either --data or --body.") }
      guard (1...200).contains(type.utf8.count), HTTPField.isValidValue(type) else {
        throw ValidationError("TYPE is an event type of 1 to 200 characters.")
      }
    }

    func run() async throws {
      var configuration = try Deployment.configuration(file: config)
      if let sandbox {
        try configuration.pointAtSandbox(
          sandbox == "in-process" ? "http://127.0.0.1:8090" : sandbox)
      }
      let integration = try WebhookTarget.integration(
        provider, in: try configuration.integrations(catalog: Deployment.definitions(configuration))
      )
      let settings = try WebhookTarget.settings(of: integration)
      let secret = try secret(of: integration)
      let url =
        try to ?? ServerAddress.url(of: configuration) + "/webhooks/\(integration.name.rawValue)"
      guard let parsed = URL(string: url), ["http", "https"].contains(parsed.scheme?.lowercased()),
        parsed.host()?.isEmpty == false
      else {
        throw CommandFailure("--to takes an absolute http or https URL.")
      }
      let clock = SystemClock()
      let event = try event(integration.definition, clock)
      var headers = try WebhookSigning(settings).headers(
        body: event.body, secret: secret, id: event.id, type: event.type, at: clock.now)
      headers[.contentType] = "application/json"
      headers[.userAgent] = "Fairlead/\(FairleadVersion.current) (test event)"
      let answer = try await Self.send(event.body, headers, to: url)
      try report(event, answer, url: url, known: settings.events)
    }

    private func event(
      _ definition: ProviderDefinition, _ clock: any FairleadClock
    ) throws -> TestEvent {
      if let body {
        return TestEvent(
          id: "evt_test_" + RandomSource.system.bytes(12).hex, type: type,
          body: try TextOrFile.read(body, limit: Self.bodyLimit))
      }
      var members: [String: JSONValue] = [:]
      if let data {
        let bytes = try TextOrFile.read(data, limit: Self.bodyLimit)
        guard let object = (try? JSONValue(parsing: bytes))?.object else {
          throw CommandFailure("--data is no JSON object.")
        }
        members = object
      }
      return try TestEvent.make(
        definition, type: type, data: members, clock: clock, random: .system)
    }

    private func secret(of integration: Integration) throws -> Secret {
      guard secretFrom != "config" else { return try WebhookTarget.secret(of: integration) }
      guard let text = ProcessInfo.processInfo.environment[secretFrom], !text.isEmpty else {
        throw CommandFailure("the variable \(secretFrom.printable) is not set.")
      }
      return Secret(text)
    }

    private static func send(
      _ body: [UInt8], _ headers: HTTPFields, to url: String
    ) async throws -> (status: Int, body: [UInt8]) {
      let transport = HTTPClientTransport(allowPrivateNetworks: true)
      let result: (status: Int, body: [UInt8])
      do {
        let response = try await transport.send(
          TransportRequest(
            method: .post, url: url, headers: headers, body: .bytes(ByteBuffer(bytes: body))),
          timeout: .seconds(30))
        var answer: [UInt8] = []
        for try await chunk in response.body where answer.count < 64 << 10 {
          answer += chunk.readableBytesView
        }
        result = (response.status, answer)
      } catch {
        // Why it was not sent is the error to tell.
        try? await transport.shutdown()
        guard let failure = error as? TransportError else { throw error }
        throw CommandFailure(
          failure.kind == .connect
            ? "nothing answers at \(url.printable). Start the server with `fairlead serve`, or name "
              + "another address with --to."
            : "the event was sent to \(url.printable), but the answer did not come "
              + "(\(failure.kind.rawValue)).")
      }
      try await transport.shutdown()
      return result
    }

    private func report(
      _ event: TestEvent, _ answer: (status: Int, body: [UInt8]), url: String, known: [String]
    ) throws {
      let text = String(decoding: answer.body, as: UTF8.self)
      if output.json {
        let shape: JSONValue = [
          "id": .string(event.id), "type": .string(event.type), "to": .string(url),
          "status": .int(Int64(answer.status)),
          "answer": (try? JSONValue(parsing: answer.body)) ?? .string(text),
        ]
        Console.answer(shape.bytes)
      } else {
        Console.line("Sent \(event.type.printable) \(event.id.printable) to \(url.printable)")
        Console.line(
          Console.styled(
            "\(answer.status)", (200..<300).contains(answer.status) ? .green : .red)
            + " " + PrintableText.line(String(text.prefix(2_000))))
        if !known.isEmpty, !known.contains(type) {
          Console.error("The definition does not list the type \(type.printable).")
        }
      }
      guard (200..<300).contains(answer.status) else {
        throw CommandFailure("the event was not taken: \(url.printable) answered \(answer.status).")
      }
    }
  }
}

/// Which integration a test event is for. Pure.
enum WebhookTarget {
  /// The integration of that name, else the only one of that provider.
  static func integration(_ name: String, in all: [Integration]) throws -> Integration {
    if let named = all.first(where: { $0.name.rawValue == name }) { return named }
    let ofProvider = all.filter { $0.definition.name == name }
    if ofProvider.count == 1 { return ofProvider[0] }
    if !ofProvider.isEmpty {
      throw CommandFailure(
        "several integrations are of \(name.printable): "
          + ofProvider.map(\.name.rawValue).joined(separator: ", ") + ". Name one of them.")
    }
    let known = all.filter { $0.definition.webhook != nil }.map(\.name.rawValue)
    throw CommandFailure(
      "there is no integration \(name.printable) here. "
        + (known.isEmpty
          ? "None is configured; with `serve --sandbox`, add --sandbox."
          : "Those with webhooks: \(known.joined(separator: ", "))."))
  }

  /// - Throws: `CommandFailure` where nothing can be signed.
  static func settings(
    of integration: Integration
  ) throws -> ProviderDefinition.WebhookSettings {
    guard let settings = integration.definition.webhook else {
      throw CommandFailure("\(integration.definition.displayName) sends no webhooks.")
    }
    guard WebhookSigning(settings).signsBodies else {
      throw CommandFailure(
        "\(integration.definition.displayName) signs no events: it pushes to channels it was asked "
          + "to open. Its simulator sends such pushes: `fairlead sandbox`, then POST "
          + "/_sandbox/\(integration.definition.name)/events.")
    }
    return settings
  }

  static func secret(of integration: Integration) throws -> Secret {
    guard let secret = integration.webhookSecrets.first(where: { !$0.isEmpty }) else {
      throw CommandFailure(
        "\(integration.name) has no webhook secret to sign with. Set it in .env; for a server that "
          + "runs with --sandbox, add --sandbox here too.")
    }
    return secret
  }
}
