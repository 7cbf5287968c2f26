import Fairlead

/// A JSON Schema (2020-12), as far as the API's shapes need one.
public indirect enum Schema: Sendable {
  case string
  case timestamp
  case integer
  case number
  case boolean
  case anything
  case oneOf([String])
  case nullable(Schema)
  case array(Schema)
  case map(Schema)
  case object([(name: String, schema: Schema)], optional: Set<String> = [])
  case reference(String)
  case described(Schema, String)

  var json: JSONValue {
    switch self {
    case .string: return ["type": "string"]
    case .timestamp: return ["type": "string", "format": "date-time"]
    case .integer: return ["type": "integer"]
    case .number: return ["type": "number"]
    case .boolean: return ["type": "boolean"]
    case .anything: return .object([:])
    case .oneOf(let values):
      return ["type": "string", "enum": .array(values.map { .string($0) })]
    case .nullable(let schema):
      guard case .object(var members) = schema.json, case .string(let type)? = members["type"]
      else { return ["anyOf": [schema.json, ["type": "null"]]] }
      members["type"] = [.string(type), "null"]
      return .object(members)
    case .array(let element): return ["type": "array", "items": element.json]
    case .map(let value): return ["type": "object", "additionalProperties": value.json]
    case .object(let members, let optional):
      let required = members.map(\.name).filter { !optional.contains($0) }
      return [
        "type": "object",
        "properties": .object(
          Dictionary(members.map { ($0.name, $0.schema.json) }, uniquingKeysWith: { $1 })),
        "required": .array(required.map { .string($0) }),
      ]
    case .reference(let name): return ["$ref": .string("#/components/schemas/\(name)")]
    case .described(let schema, let text):
      guard case .object(var members) = schema.json else { return schema.json }
      members["description"] = .string(text)
      return .object(members)
    }
  }

  /// `{data: […], next_cursor}`.
  static func page(of element: Schema) -> Schema {
    .object([("data", .array(element)), ("next_cursor", .nullable(.string))])
  }
}
