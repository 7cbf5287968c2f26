import NIOCore
import NIOHTTP1

/// Sits in each upstream connection below AsyncHTTPClient's own handler and takes care of what the
/// client does not: an answer that is complete before the upload is, bodies that stall, and uploads
/// that run ahead of the socket.
///
/// An answer that ends while the upload is still going leaves the client's body task suspended for
/// ever when it happens to wait for the socket, and with it the connection's memory. Such an
/// exchange is therefore ended here, by an error that the transport reads as the end of the body.
final class ExchangeGuard: ChannelDuplexHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias InboundOut = HTTPClientResponsePart
  typealias OutboundIn = HTTPClientRequestPart
  typealias OutboundOut = HTTPClientRequestPart

  /// The answer is complete; the rest of the upload was given up.
  struct UploadAbandoned: Error {}

  /// An error on a connection that was established, as opposed to one while establishing it.
  struct ConnectionFailed: Error {
    let cause: any Error
  }

  private let idleTimeout: TimeAmount
  private let uploads: UploadRegistry
  /// Of the request on this connection, when its body is a stream.
  private var upload: Upload?
  private var uploading = false
  private var answering = false
  private var abandonAtReadComplete = false
  /// Whether the client has asked for more and nothing has come yet. It has from the start: a fresh
  /// connection's first read was asked for before this handler was there to see it.
  private var wantsMore = true
  private var lastActivity: NIODeadline = .now()
  private var idleTimer: Scheduled<Void>?

  init(idleTimeout: TimeAmount, uploads: UploadRegistry) {
    self.idleTimeout = idleTimeout
    self.uploads = uploads
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    stopTimer()
    upload = nil
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(var head):
      uploading = true
      answering = false
      upload = nil
      if let name = head.headers.first(name: UploadRegistry.header) {
        head.headers.remove(name: UploadRegistry.header)
        upload = uploads.take(name)
        context.write(wrapOutboundOut(.head(head)), promise: promise)
        return
      }
    case .body(let part):
      if let upload {
        let bytes = part.readableBytes
        let promise = promise ?? context.eventLoop.makePromise()
        promise.futureResult.whenComplete { _ in upload.written(bytes) }
        context.write(data, promise: promise)
        return
      }
    case .end:
      uploading = false
      upload = nil
    }
    context.write(data, promise: promise)
  }

  func read(context: ChannelHandlerContext) {
    if !wantsMore {
      wantsMore = true
      lastActivity = .now()
    }
    context.read()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    lastActivity = .now()
    switch unwrapInboundIn(data) {
    case .head(let head):
      // 1xx are announcements, not the answer.
      if head.status.code >= 200 { answering = true }
    case .body: break
    case .end:
      answering = false
      stopTimer()
      // Only in a read that the client asked for are the parts before this one sure to be passed on
      // by the coming channelReadComplete.
      if uploading, wantsMore {
        abandonAtReadComplete = true
        return
      }
    }
    context.fireChannelRead(data)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    wantsMore = false
    context.fireChannelReadComplete()
    if abandonAtReadComplete {
      abandonAtReadComplete = false
      uploading = false
      context.fireErrorCaught(UploadAbandoned())
    } else if answering, idleTimer == nil {
      schedule(in: idleTimeout, context: context)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    stopTimer()
    upload = nil
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // The client knows how to go on after TLS ended without a goodbye, if it gets to see that.
    if String(describing: error) == "uncleanShutdown" {
      context.fireErrorCaught(error)
    } else {
      context.fireErrorCaught(ConnectionFailed(cause: error))
    }
  }

  // MARK: - Stalls

  private func schedule(in delay: TimeAmount, context: ChannelHandlerContext) {
    idleTimer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { [self] in
      idleTimer = nil
      guard answering else { return }
      let idle = NIODeadline.now() - lastActivity
      if wantsMore, idle >= idleTimeout {
        context.fireErrorCaught(
          TransportError(
            .timeout, nothingSent: false,
            detail: "no data for \(idleTimeout.nanoseconds / 1_000_000) ms"))
      } else {
        schedule(in: wantsMore ? idleTimeout - idle : idleTimeout, context: context)
      }
    }
  }

  private func stopTimer() {
    idleTimer?.cancel()
    idleTimer = nil
  }
}

@available(*, unavailable)
extension ExchangeGuard: Sendable {}
