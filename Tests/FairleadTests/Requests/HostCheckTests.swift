import Testing

@testable import Fairlead

@Suite struct HostCheckTests {
  /// Before anything connects: the address is looked up, however it is written.
  @Test(arguments: [
    "https://localhost/x", "https://127.0.0.1:8443/", "https://[::1]/", "https://2130706433/",
    "https://0x7f.1/", "https://169.254.169.254/latest/meta-data",
  ])
  func aPrivateHostIsRefusedBeforeAHandshake(url: String) async {
    await #expect(
      throws: TransportError(
        .refusedAddress, nothingSent: true, detail: "the address is private")
    ) { try await HostCheck().require(url) }
  }

  @Test(arguments: ["https://8.8.8.8/", "https://[2606:4700:4700::1111]/", "https://a.invalid/"])
  func aPublicOneAndOneThatIsNotFoundPass(url: String) async throws {
    try await HostCheck().require(url)
  }
}
