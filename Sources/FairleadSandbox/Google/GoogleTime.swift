import Fairlead
import Foundation

/// The `start` or `end` of an event: a day or a moment.
struct GoogleTime: Sendable, Equatable {
  var moment: Timestamp
  var isAllDay: Bool
  var zone: String?
  var json: JSONValue

  /// - Throws: what Google answers to a time that is none.
  init(_ json: JSONValue?, name: String) throws(GoogleError) {
    guard let json, let members = json.object, !members.isEmpty else {
      throw GoogleError(400, "required", "Missing \(name) time.")
    }
    zone = members["timeZone"]?.string
    let timeZone = zone.flatMap(TimeZone.init(identifier:))
    guard zone == nil || timeZone != nil else {
      throw .invalid("timeZone", "Invalid time zone definition for \(name) time.")
    }
    let date = members["date"]?.string
    let dateTime = members["dateTime"]?.string
    guard (date == nil) != (dateTime == nil) else {
      throw .invalid(name, "Invalid \(name) time: give either date or dateTime.")
    }
    if let date {
      guard date.utf8.count == 10, let moment = Timestamp(rfc3339: date + "T00:00:00Z") else {
        throw .invalid(name, "Invalid value for: Invalid format: \"\(date.prefix(40))\"")
      }
      (self.moment, isAllDay) = (moment, true)
    } else {
      let text = dateTime ?? ""
      isAllDay = false
      if let moment = Timestamp(rfc3339: text) {
        self.moment = moment
      } else if let timeZone, let local = Timestamp(rfc3339: text + "Z") {
        // Without an offset it is the local time of its zone.
        moment = local - .seconds(timeZone.secondsFromGMT(for: local.date))
      } else {
        throw .invalid(name, "Invalid value for: Invalid format: \"\(text.prefix(40))\"")
      }
    }
    self.json = json
  }

  /// The same kind of time at another moment.
  func moved(to moment: Timestamp) -> Self {
    var time = self
    time.moment = moment
    var members: [String: JSONValue] = [:]
    if isAllDay {
      members["date"] = .string(String(moment.rfc3339.prefix(10)))
    } else {
      members["dateTime"] = .string(Self.wholeSeconds(moment))
      if let zone { members["timeZone"] = .string(zone) }
    }
    time.json = .object(members)
    return time
  }

  /// `2026-11-21T08:30:00Z`.
  static func wholeSeconds(_ moment: Timestamp) -> String {
    String(moment.rfc3339.prefix(19)) + "Z"
  }

  /// What an instance's id ends with: `20261121` or `20261121T083000Z`.
  var stamp: String {
    let digits = moment.rfc3339.prefix(isAllDay ? 10 : 19).filter { $0 != "-" && $0 != ":" }
    return isAllDay ? digits : digits + "Z"
  }
}
