import Fairlead
import Foundation
import HTTPTypes

/// The OpenAPI 3.1 document of a route table.
/// Source: https://spec.openapis.org/oas/v3.1.0
enum OpenAPI {
  static func document(of routes: [Route], publicURL: String) -> JSONValue {
    var paths: [String: JSONValue] = [:]
    for route in routes {
      let path = route.path.replacing("…}", with: "}")
      var item = paths[path]?.object ?? [:]
      for method in route.methods {
        item[method.rawValue.lowercased()] = operation(route, method: method)
      }
      paths[path] = .object(item)
    }
    return [
      "openapi": "3.1.0",
      "info": [
        "title": "Fairlead",
        "version": .string(FairleadVersion.current),
        "description":
          "Accounts, calls, webhooks and health of the third-party APIs an application uses.",
        "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
      ],
      "servers": [["url": .string(publicURL)]],
      "paths": .object(paths),
      "components": [
        "securitySchemes": [
          "key": [
            "type": "http", "scheme": "bearer",
            "description": "A Fairlead API key (fl_…) or the admin key.",
          ],
          "endUser": [
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "A session token of an issuer this deployment trusts, such as Clerk's.",
          ],
          "session": ["type": "apiKey", "in": "cookie", "name": "fairlead_session"],
        ],
        "schemas": .object(
          Shapes.schemas.merging(Shapes.syncSchemas, uniquingKeysWith: { $1 }).mapValues(\.json)),
      ],
    ]
  }

  private static func operation(_ route: Route, method: HTTPRequest.Method) -> JSONValue {
    let documentation = route.documentation
    var operation: [String: JSONValue] = [
      "operationId": .string(
        route.methods.count > 1
          ? documentation.id + method.rawValue.capitalized : documentation.id),
      "summary": .string(documentation.summary),
      "tags": [.string(documentation.tag)],
      "responses": .object(responses(documentation)),
    ]
    if let details = documentation.details { operation["description"] = .string(details) }
    let parameters = pathParameters(route.path) + documentation.parameters
    if !parameters.isEmpty {
      operation["parameters"] = .array(
        parameters.map {
          [
            "name": .string($0.name), "in": .string($0.place.rawValue),
            "required": .bool($0.place == .path), "description": .string($0.summary),
            "schema": $0.schema.json,
          ]
        })
    }
    if let body = documentation.body {
      operation["requestBody"] = [
        "required": true, "content": ["application/json": ["schema": body.json]],
      ]
    }
    switch route.access {
    case .open: operation["security"] = .array([])
    case .key, .loopbackOrKey: operation["security"] = [["key": []]]
    case .session: operation["security"] = [["session": []]]
    case .endUser: operation["security"] = [["endUser": []]]
    }
    return .object(operation)
  }

  private static func responses(_ documentation: RouteDocumentation) -> [String: JSONValue] {
    var responses: [String: JSONValue] = [:]
    for (index, answer) in documentation.answers.enumerated() {
      var response: [String: JSONValue] = ["description": .string(answer.summary)]
      if let schema = answer.schema {
        response["content"] = ["application/json": ["schema": schema.json]]
      } else if index == 0, let mediaType = documentation.mediaType {
        response["content"] = .object([mediaType: ["schema": [:]]])
      }
      responses[String(answer.status)] = .object(response)
    }
    responses["default"] = [
      "description": "An error that says what to do.",
      "content": ["application/json": ["schema": ["$ref": "#/components/schemas/Error"]]],
    ]
    return responses
  }

  private static func pathParameters(_ path: String) -> [RouteDocumentation.Parameter] {
    path.split(separator: "/").filter { $0.first == "{" && $0.last == "}" }.map { segment in
      let name = String(segment.dropFirst().dropLast()).replacing("…", with: "")
      return RouteDocumentation.Parameter(
        name: name, place: .path, summary: pathSummaries[name] ?? name, schema: .string)
    }
  }

  private static let pathSummaries = [
    "id": "The id, as lists give it.",
    "integration": "The integration's name.",
    "name": "The integration's name.",
    "target": "A connection id, `integration`, or `integration:owner`.",
    "path": "The provider's own path from its root.",
    "model": "The model's name, as syncs have it.",
    "token": "The token of the connect link.",
  ]
}
