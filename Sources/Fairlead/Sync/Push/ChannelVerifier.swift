/// Knows whose a notification is: asked by the inbox before it takes one.
struct ChannelVerifier: Sendable {
  static let digestPurpose = "push channel token"

  let database: any Database
  let vault: Vault

  /// Where the inbox finds whose a notification is: `webhook.connection.matches` of the channel
  /// scheme.
  static let connectionField = "channel.id"

  /// Whether a message came by one of our channels: the channel is known, its token is right, and
  /// the thing watched is the one that was asked for.
  /// - Throws: `FairleadError` (`serviceUnavailable`) when storage fails.
  func accepts(_ message: ChannelMessage, of integration: IntegrationName) async throws -> Bool {
    let found = try await database.guardedRead { connection in
      try PushChannelStore.find(message.id, of: integration, in: connection)
    }
    // Unknown channels cost the same work as known ones.
    let digests = vault.digests(of: message.token.exposeBytes(), purpose: Self.digestPurpose)
    let stored = found?.digest ?? []
    var isRight = false
    for digest in digests where constantTimeEquals(digest, stored) { isRight = true }
    guard let channel = found?.channel, isRight else { return false }
    // The first message may come before the answer that names the resource.
    return channel.resource.map { $0 == message.resource } ?? true
  }

  /// The connection a channel belongs to.
  func matches(
    _ integration: IntegrationName, channel id: String
  ) async throws -> [ConnectionMatch] {
    let found = try await database.guardedRead { connection in
      try PushChannelStore.find(id, of: integration, in: connection)?.channel
    }
    return found.map { [ConnectionMatch(connection: $0.place.connection, owner: $0.owner)] } ?? []
  }
}
