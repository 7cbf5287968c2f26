import Fairlead

/// The models the simulated OpenAI offers.
struct OpenAIModel: Sendable {
  enum Kind: Sendable {
    case text
    /// With the length of its vectors and whether callers may shorten them.
    case embedding(dimensions: Int, shortens: Bool)
  }

  var id: String
  var created: Int64
  var kind: Kind

  static let all: [OpenAIModel] = [
    OpenAIModel(id: "gpt-4o", created: 1_715_367_049, kind: .text),
    OpenAIModel(id: "gpt-4o-mini", created: 1_721_172_741, kind: .text),
    OpenAIModel(id: "gpt-4.1", created: 1_744_316_542, kind: .text),
    OpenAIModel(id: "gpt-4.1-mini", created: 1_744_318_173, kind: .text),
    OpenAIModel(id: "gpt-5", created: 1_754_425_777, kind: .text),
    OpenAIModel(id: "gpt-5-mini", created: 1_754_425_928, kind: .text),
    OpenAIModel(
      id: "text-embedding-3-small", created: 1_705_948_997,
      kind: .embedding(dimensions: 1_536, shortens: true)),
    OpenAIModel(
      id: "text-embedding-3-large", created: 1_705_953_180,
      kind: .embedding(dimensions: 3_072, shortens: true)),
    OpenAIModel(
      id: "text-embedding-ada-002", created: 1_671_217_299,
      kind: .embedding(dimensions: 1_536, shortens: false)),
  ]

  /// The model a request names.
  static func named(_ body: OpenAIBody) throws(OpenAIError) -> OpenAIModel {
    guard let id = try body.text("model"), !id.isEmpty else {
      throw .invalid("You must provide a model parameter.", param: "model")
    }
    guard let model = all.first(where: { $0.id == id }) else { throw .noSuchModel(id) }
    return model
  }

  var json: JSONValue {
    [
      "id": .string(id), "object": "model", "created": .int(created), "owned_by": "system",
    ]
  }
}
