extension WatchChannels {
  /// Has the model that a notification is about brought up to date.
  ///
  /// The first message of a watch counts as well: what changed between the last run and the opening
  /// of the watch was announced to nobody.
  func handle(_ event: Event) async throws {
    guard let id = event.providerEventID.flatMap(ChannelMessage.channelID) else { return }
    let channel = try await database.guardedRead { connection in
      try PushChannelStore.find(id, of: event.integration, in: connection)?.channel
    }
    guard let channel, channel.state != .closed else { return }
    try await trigger(channel.place.connection, channel.place.model)
  }
}
