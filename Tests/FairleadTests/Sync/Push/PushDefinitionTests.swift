import Testing

@testable import Fairlead

@Suite struct PushDefinitionTests {
  private static let yaml = """
    name: acme
    display_name: Acme
    purpose: Meetings
    base_url: https://api.acme.example
    auth: { type: api_key }
    pagination: { style: cursor, param: page, next: next, items: items }
    webhook:
      scheme: channel
      header: X-Acme-Token
      channel: { id: X-Acme-Channel, resource: X-Acme-Resource, number: X-Acme-Number }
      event_type: { header: X-Acme-State }
    syncs:
      meetings:
        path: /rooms/{room}/meetings
        params: { room: main }
        id: id
        push:
          watch: { path: "/rooms/{room}/watch", body: { id: "{channel_id}", to: { url: "{address}" }, token: "{token}", n: 3 } }
          stop: { method: DELETE, path: /watch, body: { id: "{channel_id}", what: "{resource}" } }
          resource: data.what
          expires: { path: data.until, unit: ms }
          lifetime: 2d
    """

  private func problems(_ old: String, _ new: String) -> String {
    let changed = Self.yaml.replacing(old, with: new)
    do {
      _ = try DefinitionLoader.read(yaml: changed, file: "acme.yaml")
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func aWatchIsReadAsItIsWritten() throws {
    let definition = try DefinitionLoader.read(yaml: Self.yaml, file: "acme.yaml").definition
    let push = try #require(definition.syncs["meetings"]?.push)
    #expect(push.watch.method == "POST")
    #expect(
      push.watch.body
        == ["id": "{channel_id}", "to": ["url": "{address}"], "token": "{token}", "n": 3])
    #expect(push.stop?.method == "DELETE")
    #expect(push.resource == "data.what")
    #expect(push.expires?.path == "data.until")
    #expect(push.expires?.unit == .milliseconds)
    #expect(push.lifetime == .seconds(2 * 86_400))
    let webhook = try #require(definition.webhook)
    #expect(webhook.channel?.id == "X-Acme-Channel")
    #expect(webhook.connection == .header("x-acme-channel"))
    #expect(webhook.connectionMatches == "channel.id")
  }

  @Test(arguments: [
    ("token: \"{token}\", ", "", "must send {channel_id}, {address} and {token}"),
    ("{address}", "{adress}", "names {adress}"),
    ("\"{resource}\"", "\"{token}\"", "names {token}"),
    ("/rooms/{room}/watch", "/rooms/{hall}/watch", "names {hall}"),
    ("n: 3", "n: [3]", "write mappings and single values"),
    ("lifetime: 2d", "lifetime: 2s", "lifetime"), ("unit: ms", "unit: weeks", "unit"),
    (
      "      channel: { id: X-Acme-Channel, resource: X-Acme-Resource, number: X-Acme-Number }\n",
      "", "is missing"
    ),
    ("scheme: channel", "scheme: stripe", "belongs to the scheme channel"),
    ("event_type:", "event_id: { header: X-Acme-ID }\n      event_type:", "is fixed by the scheme"),
  ])
  func whatWouldNotWorkIsSaid(old: String, new: String, message: String) {
    let text = problems(
      old.replacing("\n      ", with: "\n  ").replacing("      channel", with: "  channel"),
      new.replacing("\n      ", with: "\n  "))
    #expect(text.contains(message), "\(text)")
  }

  @Test func googleWatchesTheEventsThatAreSynced() throws {
    let google = try #require(try DefinitionLoader.catalog().first { $0.name == "google" })
    let sync = try #require(google.syncs["calendar_events"])
    #expect(sync.push?.watch.path == "/calendar/v3/calendars/{calendar}/events/watch")
    #expect(sync.push?.expires?.unit == .milliseconds)
    #expect(sync.incremental == .token(param: "syncToken", next: "nextSyncToken", drop: []))
    #expect(sync.deleted?.unless == ["recurringEventId"])
    #expect(google.webhook?.scheme == .channel)
  }
}
