/// Which event types a handler or destination wants: an exact type, a family such as `invoice.*`, or
/// `*` for all.
struct EventTypePattern: Sendable, Hashable {
  let text: String

  init(_ text: String) { self.text = text }

  func matches(_ type: String) -> Bool {
    if text == "*" { return true }
    guard text.hasSuffix(".*") else { return text == type }
    // `invoice.*` means what follows the dot: `invoice.paid`, but neither `invoice` nor `invoices.x`.
    return type.hasPrefix(text.dropLast()) && type.utf8.count > text.utf8.count - 1
  }

  /// Whether the text is of one of the three forms.
  static func isValid(_ text: String) -> Bool {
    guard !text.isEmpty, text.utf8.count <= 255 else { return false }
    if text == "*" { return true }
    let name = text.hasSuffix(".*") ? text.dropLast(2) : text[...]
    return !name.isEmpty && !name.contains("*")
      && name.unicodeScalars.allSatisfy { $0.isASCII && $0.value > 32 && $0.value != 127 }
  }
}
