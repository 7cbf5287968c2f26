import Fairlead

/// The definitions that Google's and Clerk's own files have, as far as syncs go.
enum SyncSamples {
  static let calendar = """
    name: google
    display_name: Google
    purpose: Calendars
    base_url: https://www.googleapis.example
    auth: { type: api_key }
    retry: { attempts: 1 }
    errors:
      - { when: { status: 410 }, class: cursor_expired, effect: none }
      - { when: { status: 429 }, class: rate_limited, effect: none }
    syncs:
      calendar_events:
        path: /calendar/v3/calendars/{calendar}/events
        params: { calendar: primary }
        query: { singleEvents: "false" }
        pagination:
          style: cursor
          param: pageToken
          next: nextPageToken
          items: items
          size: { param: maxResults, max: 2500 }
        id: id
        updated: updated
        incremental:
          param: syncToken
          next: nextSyncToken
          drop: [iCalUID, orderBy, privateExtendedProperty, q, sharedExtendedProperty, timeMin, timeMax, updatedMin]
        deleted: { when: { status: cancelled }, unless: [recurringEventId] }
    """

  static let clerk = """
    name: clerk
    display_name: Clerk
    purpose: Users
    base_url: https://api.clerk.example
    auth: { type: api_key }
    retry: { attempts: 1 }
    webhook:
      scheme: standard
      event_id: { header: svix-id }
      event_type: { body: type }
    syncs:
      users:
        path: /v1/users
        query: { order_by: "+created_at" }
        pagination: { style: offset, param: offset, items: ".", size: { param: limit, max: 3 } }
        id: id
        updated: updated_at
        map:
          id: id
          email: email_addresses.0.email_address
          first_name: first_name
          created_at: { path: created_at, cast: time }
        events:
          upsert: [user.created, user.updated]
          delete: [user.deleted]
          data: data
          time: timestamp
        schedule: { full: "0 0 * * *" }
    """

  static func integration(_ yaml: String, webhookSecret: String? = nil) throws -> Integration {
    let definition = try DefinitionLoader.load(yaml: yaml, file: "sample.yaml")
    return Integration(
      name: IntegrationName(definition.name), definition: definition,
      webhookSecrets: webhookSecret.map { [Secret($0)] } ?? [],
      defaultCredential: .apiKey(key: Secret("key"), secret: nil))
  }
}
