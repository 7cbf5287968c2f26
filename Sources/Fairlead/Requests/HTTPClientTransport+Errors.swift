import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

extension HTTPClientTransport {
  /// What an error of the client means: above all, whether anything was sent. Where that is not
  /// certain it was.
  static func mapped(_ error: any Error) -> any Error {
    if Task.isCancelled || error is CancellationError { return CancellationError() }
    switch error {
    case let error as TransportError: return error
    case is RefusedAddress:
      return TransportError(.refusedAddress, nothingSent: true, detail: "the address is private")
    case let failed as ExchangeGuard.ConnectionFailed: return established(failed.cause)
    case is Upload.Failed:
      return TransportError(.requestBody, nothingSent: false, detail: "the body stream failed")
    case is Upload.Stopped, is ExchangeGuard.UploadAbandoned:
      return disconnected("the upload was given up")
    case let error as HTTPClientError: return mapped(error)
    case is NIOConnectionError, is SocketAddressError:
      return TransportError(.connect, nothingSent: true, detail: "no connection: \(reason(error))")
    // Only connecting can fail so; by address instead of name there is no NIOConnectionError.
    case let error as IOError where [ECONNREFUSED, EADDRNOTAVAIL].contains(error.errnoCode):
      return TransportError(.connect, nothingSent: true, detail: "no connection: refused")
    case ChannelError.connectTimeout:
      return TransportError(.connect, nothingSent: true, detail: "connect timeout")
    default:
      // A TLS handshake that fails does so before the request; the types are not ours to import.
      let text = String(describing: error)
      if text.hasPrefix("handshakeFailed") || text.hasPrefix("NIOSSLExtraError") {
        return TransportError(.connect, nothingSent: true, detail: "TLS handshake failed")
      }
      return disconnected("\(type(of: error))")
    }
  }

  private static func mapped(_ error: HTTPClientError) -> TransportError {
    switch error {
    case .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout, .alreadyShutdown:
      TransportError(.connect, nothingSent: true, detail: error.shortDescription)
    case .deadlineExceeded, .readTimeout, .writeTimeout:
      TransportError(.timeout, nothingSent: false, detail: error.shortDescription)
    case .bodyLengthMismatch:
      TransportError(.requestBody, nothingSent: false, detail: error.shortDescription)
    case .invalidURL, .emptyHost, .emptyScheme, .missingSocketPath, .traceRequestWithBody:
      TransportError(.request, nothingSent: true, detail: error.shortDescription)
    default:
      // Cases with associated values cannot be named in a pattern; their values may be secrets.
      switch error.shortDescription {
      case "Unsupported scheme", "Invalid header field names", "Invalid header field values":
        TransportError(.request, nothingSent: true, detail: error.shortDescription)
      default: disconnected(error.shortDescription)
      }
    }
  }

  private static func established(_ error: any Error) -> TransportError {
    switch error {
    case let error as TransportError: error
    case HTTPParserError.invalidEOFState, HTTPParserError.closedConnection:
      disconnected("the answer was cut short")
    case let error as HTTPParserError:
      TransportError(.malformed, nothingSent: false, detail: "not HTTP: \(error)")
    default: disconnected("\(type(of: error))")
    }
  }

  private static func disconnected(_ detail: String) -> TransportError {
    TransportError(.disconnected, nothingSent: false, detail: detail)
  }

  /// The system's word for why no connection came about, without addresses.
  private static func reason(_ error: any Error) -> String {
    guard let error = error as? NIOConnectionError else { return "address unknown" }
    if let failure = error.connectionErrors.first?.error as? IOError {
      return failure.errnoCode == ECONNREFUSED ? "refused" : "errno \(failure.errnoCode)"
    }
    return error.connectionErrors.isEmpty ? "name not found" : "failed"
  }
}
