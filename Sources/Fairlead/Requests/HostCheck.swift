import Foundation
import NIOCore
import NIOPosix

/// Refuses hosts with a private address before anything connects to them, so that not even a TLS
/// handshake tells what listens there. The connection itself is checked again: a name may point
/// elsewhere by then.
final class HostCheck: Sendable {
  private let verdicts = BriefCache<String, Bool>(
    lifetime: .seconds(30), capacity: 10_000, clock: SystemClock())

  /// - Throws: `TransportError` (`refusedAddress`). A name that is not found passes: connecting to
  ///   it fails with the better reason.
  func require(_ url: String) async throws {
    guard var host = URLComponents(string: url)?.host else { return }
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    let name = host
    let isPublic = try await verdicts.value(name) {
      try await NIOThreadPool.singleton.runIfActive {
        Self.addresses(of: name).allSatisfy(AddressGuard.isPublic)
      }
    }
    guard isPublic != false else {
      throw TransportError(.refusedAddress, nothingSent: true, detail: "the address is private")
    }
  }

  /// Every address of a host, odd spellings of IPv4 included, as the system resolves them. Blocks.
  private static func addresses(of host: String) -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var first: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, nil, &hints, &first) == 0 else { return [] }
    defer { freeaddrinfo(first) }
    var addresses: [SocketAddress] = []
    var next = first
    while let entry = next?.pointee {
      next = entry.ai_next
      guard let address = entry.ai_addr else { continue }
      if entry.ai_family == AF_INET {
        address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
          addresses.append(SocketAddress($0.pointee, host: ""))
        }
      } else if entry.ai_family == AF_INET6 {
        address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
          addresses.append(SocketAddress($0.pointee, host: ""))
        }
      }
    }
    return addresses
  }
}
