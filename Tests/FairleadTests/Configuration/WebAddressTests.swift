import Testing

@testable import Fairlead

@Suite struct WebAddressTests {
  @Test(arguments: [
    ("https://Example.COM", "https://example.com", ""),
    ("HTTP://localhost:8080/a?b#c", "http://localhost:8080", "/a?b#c"),
    ("https://[::1]:9/x", "https://[::1]:9", "/x"),
    ("https://10.0.0.1", "https://10.0.0.1", ""),
    ("https://a_b.example?x=1", "https://a_b.example", "?x=1"),
  ])
  func takesAddressesApart(text: String, origin: String, rest: String) throws {
    let address = try WebAddress(text)
    #expect(address.origin == origin)
    #expect(address.rest == rest)
  }

  @Test(arguments: [
    "", "example.com", "//example.com", "ftp://example.com", "https://", "https:///path",
    "https://user@example.com", "https://user:pass@example.com", "https://example.com:",
    "https://example.com:0", "https://example.com:65536", "https://example.com:8o",
    "https://exa mple.com", "https://example.com\\@evil.com", "https://ex\u{e4}mple.com",
    "https://-a.example", "https://a..b", "https://.a", "https://a.", "https://1.2.3",
    "https://01.2.3.4", "https://1.2.3.256", "https://0x7f.1", "https://[::1", "https://[zz]",
    "https://{a}.example", "https://[::1]x", "https://example.com:80:80", "https://a%2eb",
  ])
  func refusesWhatParsersDisagreeAbout(text: String) {
    #expect(throws: SettingFault.self) { try WebAddress(text) }
  }

  @Test(arguments: [
    "https://{a.example", "https://a}.example", "https://{}.example", "https://{a{b}}.c",
  ])
  func bracesMustMatch(text: String) {
    #expect(throws: SettingFault.self) { try WebAddress(text, placeholders: true) }
  }

  @Test func namesItsPlaceholders() throws {
    let address = try WebAddress("https://{shop}.x.{region}.example", placeholders: true)
    #expect(address.placeholders == ["shop", "region"])
  }

  @Test(arguments: [
    ("http://localhost", true), ("http://app.localhost:3", true), ("http://127.9.9.9", true),
    ("http://[::1]", true), ("http://128.0.0.1", false), ("http://127.0.0.1.evil.com", false),
    ("http://localhost.evil.com", false), ("http://notlocalhost", false),
  ])
  func loopbackIsThisMachineOnly(text: String, loopback: Bool) throws {
    #expect(try WebAddress(text).isLoopback == loopback)
    #expect(try WebAddress(text).isSecure == loopback)
  }
}
