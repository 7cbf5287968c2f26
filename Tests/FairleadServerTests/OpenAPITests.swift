import Fairlead
import HTTPTypes
import Testing

@testable import FairleadServer

@Suite struct OpenAPITests {
  @Test func everyRouteHasItsOwnEntry() async throws {
    let harness = try await ServerHarness()
    let routes = harness.fairlead.routes.table
    let document = OpenAPI.document(of: routes, publicURL: "http://localhost")
    let paths = try #require(document["paths"]?.object)
    var operations: Set<String> = []
    for route in routes {
      let item = try #require(paths[route.path.replacing("…}", with: "}")], "\(route.path)")
      for method in route.methods {
        let operation = try #require(item[method.rawValue.lowercased()], "\(route.path)")
        let id = try #require(operation["operationId"]?.string)
        #expect(operations.insert(id).inserted, "\(id) names two operations")
        #expect(operation["summary"]?.string?.isEmpty == false)
      }
    }
    try await harness.fairlead.close()
  }

  @Test func theContractsRoutesAreThere() async throws {
    let harness = try await ServerHarness()
    let served = Set(
      harness.fairlead.routes.table.flatMap { route in
        route.methods.map { "\($0.rawValue) \(route.path)" }
      })
    for route in [
      "GET /healthz", "GET /readyz", "GET /metrics", "GET /openapi.json",
      "POST /v1/connect/sessions", "GET /oauth/callback/{integration}", "POST /v1/connections",
      "GET /v1/connections", "GET /v1/connections/{id}", "DELETE /v1/connections/{id}",
      "POST /v1/connections/{id}/refresh", "GET /v1/connections/{id}/token",
      "POST /v1/proxy/{target}/{path…}", "POST /webhooks/{integration}",
      "POST /api/webhooks/{integration}", "GET /v1/events", "GET /v1/events/{id}",
      "POST /v1/events/{id}/replay", "GET /v1/deliveries", "POST /v1/destinations",
      "PATCH /v1/destinations/{id}", "DELETE /v1/destinations/{id}", "GET /v1/integrations",
      "GET /v1/integrations/{name}", "GET /v1/health", "GET /v1/requests", "GET /v1/stream",
      "GET /v1/syncs", "GET /v1/syncs/{id}", "POST /v1/syncs/{id}/run",
      "POST /v1/syncs/{id}/pause", "POST /v1/syncs/{id}/resume", "POST /v1/syncs/{id}/reset",
      "GET /v1/records/{model}",
      "GET /v1/me", "GET /v1/me/connections", "GET /v1/me/connections/{id}",
      "DELETE /v1/me/connections/{id}", "POST /v1/me/connect", "GET /",
    ] {
      #expect(served.contains(route), "\(route)")
    }
    try await harness.fairlead.close()
  }
}
