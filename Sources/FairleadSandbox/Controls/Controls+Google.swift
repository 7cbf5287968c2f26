import Fairlead

extension Controls {
  static let googleControls =
    "google/consent, google/calendar, google/calendar/edit, google/sync-tokens/expire, "
    + "google/notifications, google/quota"

  /// Google's own controls; `nil` when the path is none of them.
  func googleControl(
    _ request: SimulatedRequest
  ) async throws(ControlError) -> SimulatedResponse? {
    switch (request.method, Array(request.segments.dropFirst(2))) {
    case ("POST", ["consent"]): return try googleConsent(request.body)
    case ("POST", ["calendar"]): return try await seedCalendar(request.body)
    case ("GET", ["calendar"]): return try calendarEvents(request.queryPairs ?? [])
    case ("POST", ["calendar", "edit"]): return try await editCalendar(request.body)
    case ("POST", ["sync-tokens", "expire"]):
      let expired = try google.control { state in state.expireSyncTokens() }.result
      return .json(["affected": .int(Int64(expired))])
    case ("POST", ["notifications"]):
      let body = try ControlBody(request.body, allowed: ["lose"])
      let count = try body.number("lose", in: 0...1_000_000) ?? 1
      _ = try google.control { state in state.losing = count }
      return .json(["lose": .int(Int64(count))])
    case ("POST", ["quota"]):
      let body = try ControlBody(request.body, allowed: ["per_minute"])
      let quota = try body.number("per_minute", in: 0...1_000_000)
      _ = try google.control { state in state.quota = quota }
      return .json(["per_minute": quota.map { .int(Int64($0)) } ?? .null])
    default: return nil
    }
  }

  private func googleConsent(_ bytes: [UInt8]) throws(ControlError) -> SimulatedResponse {
    let body = try ControlBody(bytes, allowed: ["decision", "account", "scopes"])
    guard let name = try body.text("decision"), let decision = ConsentDecision(rawValue: name)
    else {
      throw body.wrong("decision", "\"approve\", \"deny\" or \"ask\"")
    }
    var consent = GoogleConsent(decision: decision, account: try body.text("account"))
    if let value = body["scopes"] {
      guard let list = value.array, list.count <= 200 else {
        throw body.wrong("scopes", "a list of the scopes that are granted")
      }
      consent.scopes = list.compactMap(\.string)
    }
    let chosen = consent
    _ = try google.control { state in state.consent = chosen }
    return .json(["decision": .string(decision.rawValue)])
  }

  private func seedCalendar(_ bytes: [UInt8]) async throws(ControlError) -> SimulatedResponse {
    let body = try ControlBody(bytes, allowed: ["account", "calendar", "events", "recurring"])
    guard let events = try body.number("events", in: 1...20_000) else {
      throw ControlError(.invalidRequest, "\"events\" is missing: how many to add.")
    }
    let series = try body.number("recurring", in: 0...1_000) ?? 0
    let (account, calendar) = (try body.text("account"), try body.text("calendar") ?? "primary")
    let now = clock.now
    let (added, pushes) = try google.control { state throws(GoogleError) in
      let account = state.account(named: account)
      let key = try state.key(account, calendar)
      let ids = try state.seed(events: events, series: series, in: key, now: now)
      state.notifyWatchers(key, now: now)
      return (key: key, count: ids.count)
    }
    return .json(
      [
        "account": .string(added.key.account), "calendar": .string(added.key.id),
        "events": .int(Int64(added.count)), "notifications": await notify(pushes),
      ], status: 201)
  }

  /// Every event that is not deleted, as the API shows it, in the order they were made.
  private func calendarEvents(_ query: [FormPair]) throws(ControlError) -> SimulatedResponse {
    let found = try google.control { state throws(GoogleError) in
      let account = state.account(named: query["account"])
      let key = try state.key(account, query["calendar"] ?? "primary")
      return (state.calendars[key]?.live ?? []).map { $0.json(account: key.account) }
    }.result
    return .json(["data": .array(found)])
  }

  private func editCalendar(_ bytes: [UInt8]) async throws(ControlError) -> SimulatedResponse {
    let body = try ControlBody(
      bytes, allowed: ["account", "calendar", "insertions", "edits", "deletions"])
    let insertions = try body.number("insertions", in: 0...1_000) ?? 0
    let edits = try body.number("edits", in: 0...1_000) ?? 0
    let deletions = try body.number("deletions", in: 0...1_000) ?? 0
    let (account, calendar) = (try body.text("account"), try body.text("calendar") ?? "primary")
    let now = clock.now
    let (done, pushes) = try google.control { state throws(GoogleError) in
      let account = state.account(named: account)
      let key = try state.key(account, calendar)
      return try state.edit(
        insertions: insertions, edits: edits, deletions: deletions, in: key, now: now)
    }
    var answer = done.json.object ?? [:]
    answer["notifications"] = await notify(pushes)
    return .json(.object(answer))
  }

  /// Delivers notifications and tells what each got; a failed one is repeated in the background.
  private func notify(_ pushes: [GooglePush]) async -> JSONValue {
    var answers: [JSONValue] = []
    for push in pushes {
      let outcome = await sender.send(push)
      if GooglePushQueue.isRetried(outcome) { google.pushes.send([push], attempts: 1) }
      var answer = outcome.json.object ?? [:]
      answer["channel"] = .string(push.channel.id)
      answer["number"] = .int(push.number)
      answers.append(.object(answer))
    }
    return .array(answers)
  }
}
