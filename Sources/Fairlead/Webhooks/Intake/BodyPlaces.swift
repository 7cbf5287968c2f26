import Foundation

/// The values at a few dotted paths of a JSON body. The body is scanned once, and only what lies on
/// the way to a path is turned into values: a large event costs little more than its hash.
struct BodyPlaces: Sendable, Equatable {
  /// Scalars by path; a path that leads nowhere, or to an object or array, is left out.
  private var scalars: [String: JSONValue]

  /// - Throws: `DecodingError` when the body is no JSON, or nested more than 512 deep.
  init(_ paths: Set<String>, of body: [UInt8]) throws {
    scalars = try JSONDecoder().decode(Reader.self, from: Data(body), configuration: paths).scalars
  }

  subscript(path: String) -> JSONValue? { scalars[path] }
}

extension BodyPlaces {
  private struct Reader: DecodableWithConfiguration {
    var scalars: [String: JSONValue] = [:]

    init(from decoder: any Decoder, configuration paths: Set<String>) throws {
      for path in paths {
        scalars[path] = Self.scalar(at: path.split(separator: ".")[...], in: decoder)
      }
    }

    // The body is known to be JSON: a `try?` below only asks what kind of value stands there.

    private static func scalar(
      at steps: ArraySlice<Substring>, in decoder: any Decoder
    ) -> JSONValue? {
      guard let step = steps.first else { return leaf(decoder) }
      guard let child = child(String(step), of: decoder) else { return nil }
      return scalar(at: steps.dropFirst(), in: child)
    }

    private static func child(_ step: String, of decoder: any Decoder) -> (any Decoder)? {
      if let object = try? decoder.container(keyedBy: Step.self) {
        let key = Step(stringValue: step)
        return object.contains(key) ? try? object.superDecoder(forKey: key) : nil
      }
      guard let index = Int(step), var array = try? decoder.unkeyedContainer(), index >= 0,
        index < array.count ?? 0
      else { return nil }
      for _ in 0..<index {
        guard (try? array.superDecoder()) != nil else { return nil }
      }
      return try? array.superDecoder()
    }

    private static func leaf(_ decoder: any Decoder) -> JSONValue? {
      guard let value = try? decoder.singleValueContainer() else { return nil }
      if let text = try? value.decode(String.self) { return .string(text) }
      if value.decodeNil() { return .null }
      if let flag = try? value.decode(Bool.self) { return .bool(flag) }
      if let number = try? value.decode(Int64.self) { return .int(number) }
      if let number = try? value.decode(Double.self) { return .double(number) }
      return nil
    }
  }

  private struct Step: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}

extension ProviderDefinition.WebhookSettings {
  /// Every path into the body that the intake looks at.
  var bodyPaths: Set<String> {
    var paths: Set<String> = []
    for case .body(let path)? in [eventID, eventType, eventAction, connection] {
      paths.insert(path)
    }
    if let challenge {
      paths.formUnion(challenge.when.body.keys)
      paths.formUnion(challenge.when.bodyContains.keys)
      paths.insert(challenge.answer)
    }
    return paths
  }
}
