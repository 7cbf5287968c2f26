import Fairlead
import Foundation

/// Whether the server will be able to listen, asked before anything is written.
enum PortCheck {
  /// - Returns: the port, or the one the system chose for 0; known early, because links are made
  ///   with it.
  /// - Throws: `FairleadError` (`configurationError`) with one line that says what to do.
  static func settle(host: String, port: Int) throws -> Int {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_PASSIVE
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &found) == 0, let address = found else {
      throw FairleadError(
        .configurationError, "\(host) is no address of this machine. Check FAIRLEAD_HOST.")
    }
    defer { freeaddrinfo(found) }
    let descriptor = socket(
      address.pointee.ai_family, address.pointee.ai_socktype, address.pointee.ai_protocol)
    guard descriptor >= 0 else { throw failure(host: host, port: port, errno) }
    defer { close(descriptor) }
    var reuse: Int32 = 1
    setsockopt(
      descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
    guard bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0,
      listen(descriptor, 1) == 0
    else {
      throw failure(host: host, port: port, errno)
    }
    var bound = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let named = withUnsafeMutablePointer(to: &bound) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        getsockname(descriptor, $0, &length)
      }
    }
    guard named == 0 else { throw failure(host: host, port: port, errno) }
    // The port stands at the same place in both families.
    return withUnsafeBytes(of: &bound) { Int($0[2]) << 8 | Int($0[3]) }
  }

  private static func failure(host: String, port: Int, _ code: Int32) -> FairleadError {
    let reason =
      switch code {
      case EADDRINUSE:
        "port \(port) is taken by another program. Choose another with --port or FAIRLEAD_PORT."
      case EACCES: "port \(port) needs more rights than this process has. Choose one above 1023."
      case EADDRNOTAVAIL: "\(host) is no address of this machine. Check FAIRLEAD_HOST."
      default: "\(host):\(port) cannot be listened on (\(String(cString: strerror(code))))."
      }
    return FairleadError(.configurationError, "Cannot start: \(reason)")
  }
}
