import Fairlead
import FairleadTesting
import Foundation
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import FairleadServer

@Suite struct AlertPageTests {
  @Test func aMessageIsSplitAtTheRequestsItNames() {
    let parts = AlertSection.parts(
      of: "Bad. GET /v1/requests?integration=a lists them, GET /v1/events")
    #expect(
      parts.map(\.text) == [
        "Bad. ", "GET /v1/requests?integration=a", " lists them, ", "GET /v1/events",
      ])
    #expect(parts.map(\.code) == [false, true, false, true])
    #expect(AlertSection.parts(of: "Plain.").map(\.text) == ["Plain."])
  }

  @Test func aListOfAlertsCanBeFilteredByWhatThereIs() async throws {
    let harness = try await ServerHarness()
    try await harness.test { client in
      let empty = try await client.execute(
        uri: "/v1/alerts?rule=latency&state=firing&integration=acme", method: .get,
        headers: ServerHarness.admin)
      #expect(empty.status == .ok)
      #expect(empty.json == ["data": [], "next_cursor": nil])
      for query in ["rule=x", "state=x", "cursor=evt_1", "limit=0"] {
        let answer = try await client.execute(
          uri: "/v1/alerts?\(query)", method: .get, headers: ServerHarness.admin)
        #expect(answer.status == .badRequest, "\(query)")
      }
    }
  }

  @Test func theOverviewSaysThatNothingFires() async throws {
    let harness = try await ServerHarness()
    try await harness.test { _ in
      let overview = try await Overview.read(from: harness.fairlead)
      let section = try #require(overview.watched)
      #expect(section.calm && section.title == "No alerts")
      #expect(overview.summary == "The one integration is fine.")
    }
  }

  @Test func whatACardNotesHasAWordAndAShape() async throws {
    let harness = try await ServerHarness()
    try await harness.test { _ in
      var card = try #require(try await Overview.read(from: harness.fairlead).cards.first)
      #expect(!card.hasNotes)
      card.notes = [
        .init(text: "Calls paused", paused: true), .init(text: "Fallback in use", fallback: true),
      ]
      card.hasNotes = true
      let html = try PageRenderer().fragment("card", card)
      #expect(html.components(separatedBy: "<li><svg").count == 3)
      #expect(html.contains("</svg> Calls paused</li>"))
      #expect(html.contains("</svg> Fallback in use</li>"))
    }
  }
}
