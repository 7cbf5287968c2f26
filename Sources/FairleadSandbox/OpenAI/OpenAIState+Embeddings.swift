import Fairlead

extension OpenAIState {
  private static let inputLimit = 2_048
  private static let inputTokenLimit = 8_192
  private static let totalTokenLimit = 300_000

  mutating func embed(_ body: OpenAIBody) throws(OpenAIError) -> SimulatedResponse {
    let model = try OpenAIModel.named(body)
    guard case .embedding(let length, let shortens) = model.kind else {
      throw OpenAIError(
        status: 403, type: "invalid_request_error", code: nil, param: "model",
        message: "\(model.id) does not make embeddings.")
    }
    let asked = try body.integer("dimensions", in: 1...Int64(length))
    guard asked == nil || shortens else {
      throw .invalid("\(model.id) has a fixed number of dimensions.", param: "dimensions")
    }
    let format = try body.text("encoding_format") ?? "float"
    guard ["float", "base64"].contains(format) else {
      throw .invalid("'encoding_format' must be float or base64.", param: "encoding_format")
    }
    let inputs = try inputs(body)
    let tokens = inputs.reduce(0) { $0 + $1.tokens }
    guard tokens <= Self.totalTokenLimit else {
      throw .invalid("The inputs have more than \(Self.totalTokenLimit) tokens.", param: "input")
    }
    try spend(model, tokens: tokens)
    let data = inputs.enumerated().map { index, input in
      let vector = OpenAIEmbedding.vector(
        input.text, model: model.id, dimensions: asked ?? length)
      let shown: JSONValue =
        format == "base64"
        ? .string(OpenAIEmbedding.base64(vector)) : .array(vector.map { .double(Double($0)) })
      return ["object": "embedding", "index": .int(Int64(index)), "embedding": shown] as JSONValue
    }
    return .json([
      "object": "list", "data": .array(data), "model": .string(model.id),
      "usage": ["prompt_tokens": .int(Int64(tokens)), "total_tokens": .int(Int64(tokens))],
    ])
  }

  /// A text, texts, token ids or lists of token ids.
  private func inputs(
    _ body: OpenAIBody
  ) throws(OpenAIError) -> [(text: String, tokens: Int)] {
    let refusal = OpenAIError.invalid(
      "'input' must be a string, a list of strings, token ids or lists of token ids; none empty.",
      param: "input")
    guard let input = body["input"] else { throw refusal }
    let elements: [JSONValue]
    if let list = input.array, list.first?.int == nil {
      elements = list
    } else {
      elements = [input]
    }
    guard !elements.isEmpty, elements.count <= Self.inputLimit else { throw refusal }
    var inputs: [(text: String, tokens: Int)] = []
    for element in elements {
      if let text = element.string, !text.isEmpty {
        inputs.append((text, OpenAITokens.count(text)))
      } else if let ids = element.array, !ids.isEmpty, ids.allSatisfy({ $0.int != nil }) {
        inputs.append((element.text, ids.count))
      } else {
        throw refusal
      }
      guard let last = inputs.last, last.tokens <= Self.inputTokenLimit else {
        throw .invalid("An input has more than \(Self.inputTokenLimit) tokens.", param: "input")
      }
    }
    return inputs
  }
}
