/// How the simulator cuts text into tokens: words with the space before them, in pieces of at most
/// six characters. Joined, the tokens are the text again.
enum OpenAITokens {
  private static let length = 6

  static func split(_ text: String) -> [String] {
    var tokens: [String] = []
    var token = ""
    var count = 0
    for character in text {
      let startsWord = character.isWhitespace && !(token.last?.isWhitespace ?? true)
      if startsWord || count == length {
        tokens.append(token)
        token = ""
        count = 0
      }
      token.append(character)
      count += 1
    }
    if !token.isEmpty { tokens.append(token) }
    return tokens
  }

  static func count(_ text: String) -> Int { split(text).count }
}
