import Fairlead

extension GoogleState {
  /// All of Google's hosts share one origin here; their paths do not collide.
  mutating func respond(to request: SimulatedRequest) -> SimulatedResponse {
    let segments = request.segments
    do throws(GoogleOAuthError) {
      switch (request.method, segments) {
      case (_, ["o", "oauth2", "v2", "auth"]): return authorize(request)
      case ("POST", ["token"]): return try token(request)
      case ("POST", ["revoke"]): return try revoke(request)
      case ("GET", ["tokeninfo"]), ("POST", ["tokeninfo"]): return try tokenInfo(request)
      default: break
      }
    } catch {
      return error.response
    }
    do throws(GoogleError) {
      switch (request.method, segments) {
      case ("GET", ["oauth2", "v2", "userinfo"]): return try userInfo(request, version: 2)
      case ("GET", ["oauth2", "v3", "userinfo"]), ("GET", ["v1", "userinfo"]):
        return try userInfo(request, version: 3)
      default: break
      }
      guard segments.starts(with: ["calendar", "v3"]) else { throw .notFound }
      return try calendarAPI(request, Array(segments.dropFirst(2)))
    } catch {
      return error.response
    }
  }

  private mutating func calendarAPI(
    _ request: SimulatedRequest, _ segments: [String]
  ) throws(GoogleError) -> SimulatedResponse {
    switch (request.method, segments) {
    case ("GET", ["users", "me", "calendarList"]): return try listCalendars(request)
    case ("POST", ["channels", "stop"]): return try stopChannel(request)
    default: break
    }
    if request.method == "GET", segments.count == 4, segments.starts(with: ["users", "me"]),
      segments[2] == "calendarList"
    {
      return try calendarEntry(request, segments[3])
    }
    guard segments.count >= 2, segments[0] == "calendars" else { throw .notFound }
    let calendar = segments[1]
    if segments.count == 2 {
      guard request.method == "GET" else { throw .notFound }
      return try self.calendar(request, calendar)
    }
    guard segments[2] == "events" else { throw .notFound }
    switch (request.method, segments.count) {
    case ("GET", 3): return try listEvents(request, calendar: calendar)
    case ("POST", 3):
      let (caller, key) = try writer(request, calendar)
      return try insertEvent(request, caller, key)
    case ("POST", 4) where segments[3] == "watch":
      let (caller, key) = try reader(request, calendar)
      return try watch(request, caller, key)
    case ("GET", 4):
      let (caller, key) = try reader(request, calendar)
      return try getEvent(request, caller, key, segments[3])
    case ("PATCH", 4), ("PUT", 4):
      let (caller, key) = try writer(request, calendar)
      return try changeEvent(request, caller, key, segments[3])
    case ("DELETE", 4):
      let (_, key) = try writer(request, calendar)
      return try deleteEvent(request, key, segments[3])
    case ("GET", 5) where segments[4] == "instances":
      let (caller, key) = try reader(request, calendar)
      return try listInstances(caller, key, segments[3])
    default: throw .notFound
    }
  }

  private mutating func reader(
    _ request: SimulatedRequest, _ calendar: String
  ) throws(GoogleError) -> (GoogleCaller, CalendarKey) {
    let caller = try caller(of: request, GoogleScope.readEvents)
    return (caller, try key(caller.account, calendar))
  }

  private mutating func writer(
    _ request: SimulatedRequest, _ calendar: String
  ) throws(GoogleError) -> (GoogleCaller, CalendarKey) {
    let caller = try caller(of: request, GoogleScope.writeEvents)
    return (caller, try key(caller.account, calendar))
  }
}
