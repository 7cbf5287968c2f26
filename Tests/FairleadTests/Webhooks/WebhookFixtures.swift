import Fairlead
import FairleadTesting
import HTTPTypes

typealias WebhookSettings = ProviderDefinition.WebhookSettings

extension WebhookSettings {
  static var stripe: Self {
    var settings = Self(scheme: .stripe, header: "Stripe-Signature")
    settings.eventID = .body("id")
    settings.eventType = .body("type")
    settings.connection = .body("account")
    settings.connectionMatches = "identity.id"
    settings.rejectStatus = 400
    return settings
  }

  static var slack: Self {
    var settings = Self(scheme: .hmac, header: "X-Slack-Signature")
    settings.prefix = "v0="
    settings.signed = "v0:{timestamp}:{body}"
    settings.timestampHeader = "X-Slack-Request-Timestamp"
    settings.eventID = .body("event_id")
    settings.eventType = .body("event.type")
    var when = ProviderDefinition.Condition()
    when.body = ["type": ["url_verification"]]
    settings.challenge = ProviderDefinition.Challenge(when: when, answer: "challenge")
    return settings
  }

  static var github: Self {
    var settings = Self(scheme: .hmac, header: "X-Hub-Signature-256")
    settings.prefix = "sha256="
    settings.eventID = .header("X-GitHub-Delivery")
    settings.eventType = .header("X-GitHub-Event")
    return settings
  }

  static var clerk: Self {
    var settings = Self(scheme: .standard, header: "svix-signature")
    settings.eventID = .header("svix-id")
    settings.eventType = .body("type")
    return settings
  }
}

extension Integration {
  static func webhook(
    _ name: String, _ settings: WebhookSettings?, secrets: [String]
  ) -> Integration {
    var definition = ProviderDefinition(
      name: name, displayName: name, purpose: "Tests",
      baseURL: "https://api.example.test", auth: .apiKey)
    definition.webhook = settings
    return Integration(
      name: IntegrationName(name), definition: definition,
      webhookSecrets: secrets.map { Secret($0) }
    )
  }
}

enum WebhookSecrets {
  static let stripe = "whsec_0123456789abcdefghijklmnop"
  static let slack = "8f742231b10e8888abcd99yyyzzz85a5"
  static let github = "It's a Secret to Everybody"
  static let clerk = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
}

extension HTTPFields {
  init(_ pairs: [(String, String)]) {
    self.init()
    for (name, value) in pairs {
      if let name = HTTPField.Name(name) { append(HTTPField(name: name, value: value)) }
    }
  }
}
