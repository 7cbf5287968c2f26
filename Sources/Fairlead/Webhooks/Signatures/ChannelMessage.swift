import HTTPTypes

/// What a notification of a watch says beside its state: it has no signature, so it proves itself by
/// the token we gave the channel.
struct ChannelMessage: Sendable {
  var id: String
  var resource: String?
  var token: Secret
  /// Grows from message to message, with gaps.
  var number: String

  /// What the event is called: the same message again has the same name.
  var eventID: String { "\(id):\(number)" }

  /// The channel of an event.
  static func channelID(_ eventID: String) -> String? {
    eventID.lastIndex(of: ":").map { String(eventID[..<$0]) }
  }
}

/// Whether a message came by a channel of ours. Asked of storage.
typealias ChannelCheck =
  @Sendable (_ message: ChannelMessage, _ integration: IntegrationName) async throws -> Bool

extension SignatureCheck {
  /// Longer ids and numbers are none of ours.
  private static let maximumIDLength = 128

  /// Reads the headers of the channel scheme.
  func channelMessage() throws(SignatureRejection) -> ChannelMessage {
    guard let headers = settings.channel else { throw .missingHeader }
    var message = ChannelMessage(
      id: try header(headers.id), token: Secret(try header(settings.header)),
      number: try header(headers.number))
    if let resource = headers.resource { message.resource = try header(resource) }
    guard message.id.utf8.count <= Self.maximumIDLength,
      message.number.utf8.count <= 20, message.number.utf8.allSatisfy({ (48...57).contains($0) }),
      message.id.utf8.allSatisfy({ (33...126).contains($0) && $0 != 58 })
    else { throw .malformedHeader }
    return message
  }
}
