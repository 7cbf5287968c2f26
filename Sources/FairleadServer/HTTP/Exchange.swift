public import Fairlead
import Foundation
import HTTPTypes
public import Hummingbird
public import Logging
import NIOCore

/// One request on its way through a route, with what the access check found out.
public struct Exchange: Sendable {
  public let request: Request
  public let parameters: Parameters
  public let requestID: Identifier<RequestKind>
  public let logger: Logger
  /// Who calls; `nil` on open routes and dashboard pages.
  public let principal: Principal?
  /// The header that carried the caller's Fairlead key, so that the proxy does not pass it on.
  public let presentedIn: HTTPField.Name?
  /// The person who calls, on routes that are for end users.
  public let endUser: EndUser?
  /// Whether the request came from this machine, and not through a reverse proxy on it.
  let isLocal: Bool

  /// A path parameter.
  /// - Throws: `FairleadError` (`notFound`) when the route has none of that name.
  func parameter(_ name: String) throws -> String {
    guard let value = parameters.get(name) else {
      throw FairleadError(.notFound, "There is nothing at this address.")
    }
    guard !value.utf8.contains(0) else {
      throw FairleadError(.notFound, "There is nothing at this address.")
    }
    return value
  }

  /// A query parameter, decoded; the first when it repeats.
  func query(_ name: String) -> String? {
    // No name or id holds a NUL, so one that does matches nothing.
    queryItems.first { $0.0 == name }?.1.replacing("\0", with: "\u{FFFD}")
  }

  /// All query parameters, decoded, in their order.
  var queryItems: [(String, String)] {
    guard let query = request.uri.query else { return [] }
    return FormEncoding.decode(query)
  }

  /// The page of a list whose cursors are ids.
  /// - Throws: as `page()`, and for a cursor that is no such id.
  func page<Kind: IdentifierKind>(of kind: Kind.Type) throws -> PageRequest {
    let page = try page()
    if let cursor = page.cursor, !cursor.hasPrefix(Kind.prefix + "_") || cursor.utf8.count > 128 {
      throw FairleadError(
        .invalidRequest, "cursor must be the next_cursor of the page before.")
    }
    return page
  }

  /// The page of a list that is asked for.
  /// - Throws: `FairleadError` (`invalidRequest`) for a limit that is no number from 1 to 200.
  func page() throws -> PageRequest {
    guard let text = query("limit") else { return PageRequest(cursor: query("cursor")) }
    guard let limit = Int(text), (1...200).contains(limit) else {
      throw FairleadError(.invalidRequest, "limit must be a number from 1 to 200.")
    }
    return PageRequest(cursor: query("cursor"), limit: limit)
  }

  /// The body as JSON.
  /// - Throws: `FairleadError`: `payloadTooLarge` above `limit` bytes, `invalidRequest` when it is no
  ///   JSON object.
  func json(limit: Int = 1 << 20) async throws -> JSONValue {
    let bytes = try await body(limit: limit)
    do {
      let value = try JSONValue(parsing: bytes.readableBytesView)
      guard case .object = value else {
        throw FairleadError(.invalidRequest, "The body must be a JSON object.")
      }
      return value
    } catch is DecodingError {
      throw FairleadError(
        .invalidRequest, "The body is not valid JSON. Send an object as application/json.")
    }
  }

  /// The body as JSON with no member but these: a slip of the pen must not go unnoticed.
  /// - Throws: as `json()`, and `invalidRequest` naming an unknown member.
  func json(members: Set<String>) async throws -> JSONValue {
    let value = try await json()
    let unknown = (value.object ?? [:]).keys.filter { !members.contains($0) }.sorted()
    guard unknown.isEmpty else {
      throw FairleadError(
        .invalidRequest,
        "\(unknown[0].prefix(64)) is not known here. It takes \(members.sorted().joined(separator: ", "))."
      )
    }
    return value
  }

  /// The body as form fields.
  func form(limit: Int = 1 << 16) async throws -> [(String, String)] {
    FormEncoding.decode(String(buffer: try await body(limit: limit)))
  }

  /// The whole body.
  /// - Throws: `FairleadError` (`payloadTooLarge`) above `limit` bytes.
  func body(limit: Int) async throws -> ByteBuffer {
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
      throw Self.tooLarge(limit)
    }
    do {
      return try await request.body.collect(upTo: limit)
    } catch is NIOTooManyBytesError {
      throw Self.tooLarge(limit)
    }
  }

  static func tooLarge(_ limit: Int) -> FairleadError {
    let size = limit >= 1 << 20 ? "\(limit >> 20) MiB" : "\(limit >> 10) KiB"
    return FairleadError(.payloadTooLarge, "The body is larger than the \(size) taken here.")
  }
}
