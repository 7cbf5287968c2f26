extension DefinitionParser {
  func webhook(_ reader: YAMLReader) -> ProviderDefinition.WebhookSettings? {
    guard let mapping = YAMLMapping<WebhookKey>(reader),
      let scheme = mapping.require(.scheme, "hmac, stripe, standard or channel")?
        .choice(ProviderDefinition.WebhookSettings.Scheme.self)
    else { return nil }
    var settings = ProviderDefinition.WebhookSettings(
      scheme: scheme, header: signatureHeader(mapping, scheme: scheme))
    if scheme == .hmac {
      signature(mapping, &settings)
    } else {
      let own: [WebhookKey] = [
        .algorithm, .encoding, .prefix, .signed, .timestampHeader, .timestamped,
      ]
      for key in own {
        mapping[key]?.report("is fixed by the scheme \(scheme.rawValue); remove it.")
      }
      if scheme == .standard { settings.encoding = .base64 }
      if scheme == .channel { channel(mapping, &settings) }
    }
    if scheme != .channel {
      mapping[.channel]?.report("belongs to the scheme channel; remove it.")
    }
    if let tolerance = mapping[.tolerance]?.duration(in: .seconds(1)...(.seconds(86_400))) {
      settings.tolerance = tolerance
    }
    events(mapping, &settings)
    return settings
  }

  private func signatureHeader(
    _ mapping: YAMLMapping<WebhookKey>, scheme: ProviderDefinition.WebhookSettings.Scheme
  ) -> String {
    let usual: String?
    switch scheme {
    case .hmac, .channel: usual = nil
    case .stripe: usual = "Stripe-Signature"
    case .standard: usual = "webhook-signature"
    }
    if mapping[.header] == nil, let usual { return usual }
    return mapping.require(.header, "the header that carries the signature or token").flatMap(
      headerName)
      ?? ""
  }

  /// A channel says itself which message of which connection it is.
  private func channel(
    _ mapping: YAMLMapping<WebhookKey>, _ settings: inout ProviderDefinition.WebhookSettings
  ) {
    for key in [WebhookKey.eventID, .connection, .tolerance, .challenge] {
      mapping[key]?.report("is fixed by the scheme channel; remove it.")
    }
    let headers = mapping.require(.channel, "the headers of a channel's id and message number")
      .flatMap { YAMLMapping<ChannelKey>($0) }
    guard let headers,
      let id = headers.require(.id, "the header of the channel's id").flatMap(headerName),
      let number = headers.require(.number, "the header of the message's number")
        .flatMap(headerName)
    else { return }
    settings.channel = ProviderDefinition.ChannelHeaders(
      id: id, resource: headers[.resource].flatMap(headerName), number: number)
  }

  private func signature(
    _ mapping: YAMLMapping<WebhookKey>, _ settings: inout ProviderDefinition.WebhookSettings
  ) {
    typealias Settings = ProviderDefinition.WebhookSettings
    settings.algorithm = mapping[.algorithm]?.choice(Settings.Algorithm.self) ?? .sha256
    settings.encoding = mapping[.encoding]?.choice(Settings.Encoding.self) ?? .hex
    settings.prefix = mapping[.prefix]?.text(max: 50) ?? ""
    settings.timestampHeader = mapping[.timestampHeader].flatMap(headerName)
    settings.timestamped = mapping[.timestamped]?.bool() ?? true
    guard let reader = mapping[.signed], let signed = reader.text(max: 200) else { return }
    guard let names = Self.placeholders(in: signed) else {
      reader.report("has a { without a }; write {body} and {timestamp}.")
      return
    }
    if let unknown = names.first(where: { $0 != "body" && $0 != "timestamp" }) {
      reader.report("names {\(unknown)}; only {body} and {timestamp} can be signed.")
    }
    if names.filter({ $0 == "body" }).count != 1 {
      reader.report("must hold {body} exactly once: a signature without the body proves nothing.")
    }
    if names.contains("timestamp"), settings.timestampHeader == nil {
      reader.report("names {timestamp}, but `timestamp_header` is missing; add it.")
    }
    settings.signed = signed
  }

  private func events(
    _ mapping: YAMLMapping<WebhookKey>, _ settings: inout ProviderDefinition.WebhookSettings
  ) {
    settings.eventType = mapping[.eventType].flatMap(location)
    settings.eventAction = mapping[.eventAction].flatMap(location)
    if mapping[.eventAction] != nil, mapping[.eventType] == nil {
      mapping[.eventAction]?.report("adds to `event_type`, which is missing; add it.")
    }
    if let channel = settings.channel {
      settings.connection = .header(channel.id.lowercased())
      settings.connectionMatches = ChannelVerifier.connectionField
    }
    guard settings.scheme != .channel else {
      choices(mapping, &settings)
      return
    }
    settings.eventID = mapping[.eventID].flatMap(location)
    if let connection = mapping.mapping(.connection, WebhookConnectionKey.self) {
      settings.connection = location(
        header: connection[.header], body: connection[.body], in: connection)
      let matches = connection.require(.matches, "identity.id or params.NAME")
      settings.connectionMatches = matches.flatMap(connectionField)
    }
    settings.ownerDeleted = ownerDeletion(mapping)
    choices(mapping, &settings)
    if let challenge = mapping.mapping(.challenge, ChallengeKey.self) {
      let when = challenge.require(.when, "what the request looks like").flatMap(condition)
      let answer = challenge.require(.answer, "where the value to answer stands").flatMap(
        dottedPath)
      if let when, let answer {
        settings.challenge = ProviderDefinition.Challenge(when: when, answer: answer)
      }
    }
  }

  private func ownerDeletion(
    _ mapping: YAMLMapping<WebhookKey>
  ) -> ProviderDefinition.OwnerDeletion? {
    guard let deletion = mapping.mapping(.ownerDeleted, OwnerDeletedKey.self) else { return nil }
    let events = deletion.require(.events, "the event types, such as [user.deleted]")?
      .texts(max: 20, each: 200)
    let owner = deletion.require(.owner, "where the owner stands, { body: data.id }")
      .flatMap(location)
    guard let events, let owner else { return nil }
    guard !events.isEmpty, events.allSatisfy({ !$0.contains("*") && !$0.isEmpty }) else {
      deletion.report("takes exact event types: it deletes, so nothing is left to a pattern.")
      return nil
    }
    return ProviderDefinition.OwnerDeletion(events: events, owner: owner)
  }

  private func choices(
    _ mapping: YAMLMapping<WebhookKey>, _ settings: inout ProviderDefinition.WebhookSettings
  ) {
    settings.events = mapping[.events]?.texts(max: 1_000, each: 200) ?? []
    settings.configuration = mapping[.configuration]?.texts(max: 20) ?? []
    if let status = mapping[.rejectStatus]?.int(in: 400...499) { settings.rejectStatus = status }
  }

  private func location(_ reader: YAMLReader) -> ProviderDefinition.WebhookSettings.Location? {
    guard let mapping = YAMLMapping<LocationKey>(reader) else { return nil }
    return location(header: mapping[.header], body: mapping[.body], in: mapping)
  }

  private func location<Key>(
    header: YAMLReader?, body: YAMLReader?, in mapping: YAMLMapping<Key>
  ) -> ProviderDefinition.WebhookSettings.Location? {
    switch (header, body) {
    case (let header?, nil): return headerName(header).map { .header($0.lowercased()) }
    case (nil, let body?): return dottedPath(body).map { .body($0) }
    default:
      mapping.report("write either `header` or `body`, the place where the value stands.")
      return nil
    }
  }

  private func connectionField(_ reader: YAMLReader) -> String? {
    guard let text = reader.text(max: 100) else { return nil }
    let steps = text.split(separator: ".", omittingEmptySubsequences: false)
    guard steps.count == 2, steps[0] == "identity" || steps[0] == "params", !steps[1].isEmpty
    else {
      reader.report("is \(reader.shown); write identity.id, identity.label or params.NAME.")
      return nil
    }
    return text
  }
}
