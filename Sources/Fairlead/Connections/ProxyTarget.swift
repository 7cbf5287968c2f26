/// The proxy's first path segment, taken apart: `conn_…`, `stripe`, `stripe@files`, `slack:u1`,
/// `stripe@files:u1`. Pure.
struct ProxyTarget: Sendable, Hashable {
  enum Account: Sendable, Hashable {
    case connection(ConnectionID)
    case integration(IntegrationName)
    case owner(IntegrationName, Owner)
  }

  var account: Account
  /// A name from the definition's `hosts`.
  var host: String?

  /// - Parameter target: as it stands in the path; only the owner is percent-encoded.
  /// - Throws: `FairleadError` (`invalidRequest`).
  init(parsing target: String) throws {
    guard target.utf8.count <= 2_048 else { throw Self.malformed("it is too long") }
    let parts = target.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let head = parts[0].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(head[0])
    guard Self.isName(name) else {
      throw Self.malformed("an integration's name has letters, digits, `-` and `_` only")
    }
    if head.count > 1 {
      let host = String(head[1])
      guard Self.isName(host) else { throw Self.malformed("a host's name follows the @") }
      self.host = host
    }
    guard parts.count > 1 else {
      account =
        name.hasPrefix("\(ConnectionKind.prefix)_")
        ? .connection(ConnectionID(rawValue: name)) : .integration(IntegrationName(name))
      return
    }
    guard let owner = FormEncoding.unescape(parts[1]) else {
      throw Self.malformed("the owner after the colon must be percent-encoded UTF-8")
    }
    account = .owner(IntegrationName(name), try Owner(owner).validated())
  }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 128
      && text.utf8.allSatisfy {
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
          || $0 == 45 || $0 == 95 || $0 == 46
      }
  }

  private static func malformed(_ reason: String) -> FairleadError {
    FairleadError(
      .invalidRequest,
      "This is no target: \(reason). Write a connection's id, `integration` or "
        + "`integration:owner`.")
  }
}

extension Owner {
  /// The owner itself when storage and URLs can carry it: 1 to 512 bytes without control characters.
  /// - Throws: `FairleadError` (`invalidRequest`).
  func validated() throws -> Owner {
    let bytes = rawValue.utf8
    guard !bytes.isEmpty, bytes.count <= 512, !bytes.contains(where: { $0 < 32 || $0 == 127 })
    else {
      throw FairleadError(
        .invalidRequest,
        "An owner is your own id for a user: 1 to 512 bytes of text without control characters.")
    }
    return self
  }
}
