import Fairlead
import Foundation

extension GoogleState {
  private static let channelCharacters = Set(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=".utf8)

  /// `POST /calendars/{id}/events/watch`. The first message goes out at once.
  mutating func watch(
    _ request: SimulatedRequest, _ caller: GoogleCaller, _ key: CalendarKey
  ) throws(GoogleError) -> SimulatedResponse {
    let body = try Self.body(request)
    guard let id = body["id"]?.string, (1...64).contains(id.utf8.count),
      id.utf8.allSatisfy(Self.channelCharacters.contains)
    else { throw .invalid("id", "Missing or invalid channel id.") }
    guard ["web_hook", "webhook"].contains(body["type"]?.string) else {
      throw GoogleError(
        400, "push.channelTypeUnknown", "Unknown channel type.", location: "type")
    }
    guard let address = body["address"]?.string, Self.accepts(address) else {
      throw GoogleError(
        400, "push.webhookUrlNotHttps",
        "WebHook callback must be HTTPS: \((body["address"]?.string ?? "").prefix(200))")
    }
    let token = body["token"]?.string
    guard (token?.utf8.count ?? 0) <= 256,
      token?.utf8.allSatisfy({ (33...126).contains($0) }) != false
    else { throw .invalid("token") }
    guard channels[id] == nil else {
      throw GoogleError(400, "channelIdNotUnique", "Channel id \(id) not unique", location: "id")
    }
    let channel = GoogleChannel(
      id: id, calendar: key, resourceID: calendars[key]?.resourceID ?? "", address: address,
      token: token, expires: Self.expiry(body, now: request.now), messages: 1)
    channels[id] = channel
    send(GooglePush(channel: channel, state: "sync", number: 1))
    return .json(channel.json)
  }

  /// Real addresses are public HTTPS; here one on this machine may be plain.
  private static func accepts(_ address: String) -> Bool {
    guard EventOrder.isWebURL(address), let url = URL(string: address) else { return false }
    return url.scheme?.lowercased() == "https"
      || ["localhost", "127.0.0.1", "::1"].contains(url.host() ?? "")
  }

  private static func expiry(_ body: [String: JSONValue], now: Timestamp) -> Timestamp {
    let longest = now + GoogleChannel.lifetime
    func number(_ value: JSONValue?) -> Int64? { value?.int ?? value?.string.flatMap { Int64($0) } }
    if let milliseconds = number(body["expiration"]), milliseconds > 0,
      milliseconds < longest.microseconds / 1_000
    {
      return Timestamp(microseconds: milliseconds * 1_000)
    }
    if let seconds = number(body["params"]?["ttl"]), seconds > 0,
      seconds < GoogleChannel.lifetime.components.seconds
    {
      return now + .seconds(seconds)
    }
    return longest
  }

  /// `POST /channels/stop`.
  mutating func stopChannel(
    _ request: SimulatedRequest
  ) throws(GoogleError) -> SimulatedResponse {
    let caller = try caller(of: request, GoogleScope.readEvents)
    let body = try Self.body(request)
    guard let id = body["id"]?.string, let channel = channels[id],
      channel.calendar.account == caller.account,
      body["resourceId"]?.string == channel.resourceID
    else {
      throw GoogleError(
        404, "notFound", "Channel '\((body["id"]?.string ?? "").prefix(64))' not found for project")
    }
    channels[id] = nil
    return SimulatedResponse(status: 204, body: .bytes([]))
  }

  /// One message to each channel that watches the calendar. Numbers grow, with gaps.
  mutating func notifyWatchers(_ key: CalendarKey, now: Timestamp) {
    dropExpiredChannels(now: now)
    let watching = channels.oldestFirst.map(\.value).filter { $0.calendar == key }
    for channel in watching { send(nextPush(channel, state: "exists")) }
  }

  private mutating func dropExpiredChannels(now: Timestamp) {
    let expired = channels.oldestFirst.filter { $0.value.expires <= now }.map(\.id)
    for id in expired { channels[id] = nil }
  }

  mutating func nextPush(_ channel: GoogleChannel, state: String) -> GooglePush {
    var channel = channel
    channel.messages += 1 + Int64(random.next() % 3)
    channels[channel.id] = channel
    return GooglePush(channel: channel, state: state, number: channel.messages)
  }

  private mutating func send(_ push: GooglePush) {
    sentPushes[push.id] = push
    guard losing == 0 else {
      losing -= 1
      lost += 1
      return
    }
    if outgoing.count < 1_000 { outgoing.append(push) }
  }

  /// Events by hand: a message to one channel, the one `data.channel` names or the newest.
  mutating func makeEvents(
    _ order: EventOrder, now: Timestamp
  ) throws(ControlError) -> [OutgoingEvent] {
    if let id = order.id {
      guard let push = sentPushes[id] else {
        throw ControlError(.notFound, "Google sent no notification \"\(id)\".")
      }
      return [OutgoingEvent(id: id, type: push.state, body: [])]
    }
    guard order.types.allSatisfy(["exists", "not_exists", "sync"].contains) else {
      throw ControlError(
        .invalidRequest, "\"type\" must be \"exists\", \"not_exists\" or \"sync\".")
    }
    var events: [OutgoingEvent] = []
    for type in order.typesToMake {
      let push = nextPush(try orderedChannel(order, now: now), state: type)
      sentPushes[push.id] = push
      events.append(OutgoingEvent(id: push.id, type: type, body: []))
    }
    return events
  }

  func orderedChannel(
    _ order: EventOrder, now: Timestamp
  ) throws(ControlError) -> GoogleChannel {
    let name = order.data["channel"]?.string
    if let id = order.id, let push = sentPushes[id] { return push.channel }
    guard
      let channel = name.flatMap({ channels[$0] })
        ?? channels.newestFirst.first(where: { _ in name == nil })?.value
    else {
      throw ControlError(
        .notFound, "No channel watches a calendar\(name.map { " as \"\($0)\"" } ?? "").")
    }
    return channel
  }
}
