public import NIOCore

/// Tells public addresses from private, local and reserved ones, so that a URL somebody supplied
/// cannot make us talk to our own network. The ranges are IANA's special-purpose registries.
public enum AddressGuard {
  /// Whether a connection to this address leaves for the public internet. Addresses that embed an
  /// IPv4 one (mapped, NAT64, 6to4, Teredo) are judged by it as well.
  public static func isPublic(_ address: SocketAddress) -> Bool {
    // The address stands after family and port, in IPv6 after the flow label too.
    let bytes = address.withSockAddr { Array(UnsafeRawBufferPointer(start: $0, count: $1)) }
    switch address {
    case .v4:
      guard bytes.count >= 8 else { return false }
      return isPublic(v4: bytes[4..<8].reduce(0) { $0 << 8 | UInt32($1) })
    case .v6:
      guard bytes.count >= 24 else { return false }
      return isPublic(v6: Array(bytes[8..<24]))
    case .unixDomainSocket: return false
    }
  }

  /// - Parameter address: in host byte order.
  static func isPublic(v4 address: UInt32) -> Bool {
    !deniedV4.contains { address & $0.mask == $0.network }
  }

  /// - Parameter bytes: the 16 bytes of the address.
  static func isPublic(v6 bytes: [UInt8]) -> Bool {
    guard bytes.count == 16 else { return false }
    func v4(at index: Int) -> UInt32 {
      bytes[index..<index + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
    let upperZero = bytes[..<10].allSatisfy { $0 == 0 }
    if upperZero, bytes[10] == 0xFF, bytes[11] == 0xFF { return isPublic(v4: v4(at: 12)) }
    // ::, ::1 and the deprecated IPv4-compatible range.
    if upperZero, bytes[10] == 0, bytes[11] == 0 { return false }
    // NAT64 64:ff9b::/96; its local-use sibling 64:ff9b:1::/48 is private altogether.
    if bytes[..<4].elementsEqual([0, 0x64, 0xFF, 0x9B]) {
      return bytes[4..<12].allSatisfy { $0 == 0 } && isPublic(v4: v4(at: 12))
    }
    // 6to4 carries its IPv4 address after the prefix, Teredo the client's inverted at the end.
    if bytes[0] == 0x20, bytes[1] == 0x02 { return isPublic(v4: v4(at: 2)) }
    if bytes[..<4].elementsEqual([0x20, 0x01, 0, 0]) {
      return isPublic(v4: v4(at: 4)) && isPublic(v4: ~v4(at: 12))
    }
    // Only 2000::/3 is given out for global use; 2001::/23 and the documentation ranges lie in it.
    guard bytes[0] & 0xE0 == 0x20 else { return false }
    if bytes[..<2].elementsEqual([0x20, 0x01]) {
      if bytes[2] == 0x0D, bytes[3] == 0xB8 { return false }
      if bytes[2] < 0x02 { return false }
    }
    if bytes[..<2].elementsEqual([0x3F, 0xFF]), bytes[2] < 0x10 { return false }
    return true
  }

  private struct Range {
    let network: UInt32
    let mask: UInt32

    init(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ bits: UInt32) {
      mask = bits == 0 ? 0 : ~UInt32(0) << (32 - bits)
      network = (a << 24 | b << 16 | c << 8 | d) & mask
    }
  }

  private static let deniedV4 = [
    Range(0, 0, 0, 0, 8), Range(10, 0, 0, 0, 8), Range(100, 64, 0, 0, 10), Range(127, 0, 0, 0, 8),
    Range(169, 254, 0, 0, 16), Range(172, 16, 0, 0, 12), Range(192, 0, 0, 0, 24),
    Range(192, 0, 2, 0, 24), Range(192, 88, 99, 0, 24), Range(192, 168, 0, 0, 16),
    Range(198, 18, 0, 0, 15), Range(198, 51, 100, 0, 24), Range(203, 0, 113, 0, 24),
    Range(224, 0, 0, 0, 4), Range(240, 0, 0, 0, 4),
  ]
}
