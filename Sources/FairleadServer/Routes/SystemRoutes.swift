import Fairlead
import HTTPTypes
import Hummingbird

/// Liveness, readiness and metrics.
struct SystemRoutes: Sendable {
  let fairlead: Fairlead

  var routes: [Route] {
    [
      .get(
        "/healthz", access: .open,
        RouteDocumentation(
          "healthz", tag: "System", "Is the process alive",
          answers: [(200, "It is.", .object([("status", .string)]))])
      ) { _ in .json(["status": "ok"]) },
      .get(
        "/readyz", access: .open,
        RouteDocumentation(
          "readyz", tag: "System", "Can it take work",
          answers: [
            (200, "Storage can be written.", .object([("status", .string)])),
            (503, "Storage cannot be written.", .reference("Error")),
          ])
      ) { _ in
        try await fairlead.checkReadiness()
        return .json(["status": "ready"])
      },
      .get(
        "/metrics", access: .loopbackOrKey(.read),
        RouteDocumentation(
          "metrics", tag: "System", "Prometheus metrics", details: "Needs a key off loopback.",
          answers: [(200, "Prometheus text format 0.0.4.", nil)], mediaType: "text/plain")
      ) { _ in
        .text(
          try await fairlead.renderMetrics(), type: "text/plain; version=0.0.4; charset=utf-8")
      },
    ]
  }
}
