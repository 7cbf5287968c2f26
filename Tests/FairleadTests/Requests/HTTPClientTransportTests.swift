import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import Fairlead

@Suite(.serialized, .timeLimit(.minutes(3))) struct HTTPClientTransportTests {
  private func request(
    _ port: Int, _ method: HTTPRequest.Method = .get, path: String = "/x",
    body: RequestBody = .none,
    headers: HTTPFields = [:]
  ) -> TransportRequest {
    TransportRequest(
      method: method, url: "http://127.0.0.1:\(port)\(path)", headers: headers, body: body)
  }

  private func failure(
    _ body: @Sendable () async throws -> some Sendable
  ) async -> TransportError? {
    await #expect(throws: TransportError.self) { _ = try await body() }
  }

  @Test func requestAndAnswerPassUnchanged() async throws {
    let heads = Box<[String]>([])
    try await LoopbackServer.run { connection in
      let head = try await connection.readHead()
      heads.withLock { $0.append(head) }
      try await connection.write(
        "HTTP/1.1 201 Created\r\nContent-Length: 5\r\nX-Odd: a, b\r\nContent-Encoding: gzip\r\n\r\nhello"
      )
      await connection.drain()
    } while: { port in
      try await LoopbackServer.withTransport { transport in
        let response = try await transport.send(
          request(
            port, .post, path: "/a/b%2Fc?x=%20y", body: .bytes(ByteBuffer(string: "a=1")),
            headers: [.acceptEncoding: "gzip", .contentType: "text/plain"]),
          timeout: .seconds(60))
        #expect(response.status == 201)
        #expect(response.headers[HTTPField.Name("x-odd")!] == "a, b")
        #expect(try await response.body.text() == "hello")
        let again = await failure { try await response.body.text() }
        #expect(again?.detail == "body read twice")
      }
    }
    let head = try #require(heads.current.first)
    #expect(head.hasPrefix("POST /a/b%2Fc?x=%20y HTTP/1.1\r\n"))
    #expect(head.lowercased().contains("\r\naccept-encoding: gzip\r\n"))
    #expect(head.lowercased().contains("\r\ncontent-length: 3\r\n"))
    #expect(head.lowercased().contains("\r\nhost: 127.0.0.1:"))
    #expect(head.hasSuffix("a=1"))
  }

  @Test func redirectsAreAnswersAndNotFollowed() async throws {
    try await LoopbackServer.run { connection in
      _ = try await connection.readHead()
      try await connection.write(
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
      await connection.drain()
    } while: { port in
      try await LoopbackServer.withTransport { transport in
        let response = try await transport.send(request(port), timeout: .seconds(60))
        #expect(response.status == 302)
      }
    }
  }

  @Test func aRefusedConnectionSentNothing() async throws {
    let port = try await LoopbackServer.run { _ in
    } while: {
      $0
    }
    try await LoopbackServer.withTransport { transport in
      let clock = SystemClock()
      let started = clock.uptime
      let error = await failure {
        try await transport.send(request(port, .post), timeout: .seconds(60))
      }
      #expect(error?.kind == .connect && error?.nothingSent == true)
      #expect(clock.uptime - started < .seconds(5))
    }
  }

  @Test func anUnknownHostSentNothing() async throws {
    try await LoopbackServer.withTransport { transport in
      let error = await failure {
        try await transport.send(
          TransportRequest(method: .get, url: "http://no-such-host.invalid/"), timeout: .seconds(20)
        )
      }
      #expect(error?.kind == .connect && error?.nothingSent == true)
    }
  }

  @Test func aResetAfterTheRequestMayHaveHadItsEffect() async throws {
    try await LoopbackServer.run { connection in
      _ = try await connection.readHead()
      try await connection.reset()
    } while: { port in
      try await LoopbackServer.withTransport { transport in
        let error = await failure {
          try await transport.send(
            request(port, .post, body: .bytes(ByteBuffer(string: "x"))), timeout: .seconds(60))
        }
        #expect(error?.kind == .disconnected && error?.nothingSent == false)
      }
    }
  }

  @Test func aCloseWithoutAnAnswerIsADisconnect() async throws {
    try await LoopbackServer.run { connection in
      _ = try await connection.readHead()
    } while: { port in
      try await LoopbackServer.withTransport { transport in
        let error = await failure { try await transport.send(request(port), timeout: .seconds(60)) }
        #expect(error?.kind == .disconnected && error?.nothingSent == false)
      }
    }
  }

  @Test func garbageIsAnErrorAndTheTransportGoesOn() async throws {
    let count = Box(0)
    try await LoopbackServer.run { connection in
      _ = try await connection.readHead()
      if count.withLock({
        $0 += 1; return $0
      }) == 1 {
        try await connection.write("SSH-2.0-OpenSSH_9.6\r\n\u{1}\u{2}garbage\r\n\r\n")
      } else {
        try await connection.write("HTTP/1.1 204 No Content\r\n\r\n")
      }
      await connection.drain()
    } while: { port in
      try await LoopbackServer.withTransport { transport in
        let error = await failure { try await transport.send(request(port), timeout: .seconds(60)) }
        #expect(error?.kind == .malformed && error?.nothingSent == false)
        let response = try await transport.send(request(port), timeout: .seconds(60))
        #expect(response.status == 204)
      }
    }
  }

  @Test(arguments: [
    "Content-Length: 100\r\n\r\nshort", "Transfer-Encoding: chunked\r\n\r\n5\r\nsho",
  ])
  func aTruncatedBodyIsAnError(rest: String) async throws {
    try await LoopbackServer.run { connection in
      _ = try await connection.readHead()
      try await connection.write("HTTP/1.1 200 OK\r\n\(rest)")
    } while: { port in
      try await LoopbackServer.withTransport { transport in
        let response = try await transport.send(request(port), timeout: .seconds(60))
        let error = await failure { try await response.body.text() }
        #expect(error?.kind == .disconnected)
      }
    }
  }

  @Test func silenceIsATimeout() async throws {
    try await LoopbackServer.run { connection in
      await connection.drain()
    } while: { port in
      try await LoopbackServer.withTransport { transport in
        let error = await failure {
          try await transport.send(request(port, .post), timeout: .milliseconds(200))
        }
        #expect(error?.kind == .timeout && error?.nothingSent == false)
      }
    }
  }

  @Test func aBodyThatStallsIsATimeoutButASlowReaderIsNot() async throws {
    try await LoopbackServer.run { connection in
      let head = try await connection.readHead()
      let rest = head.hasPrefix("GET /whole") ? "world" : ""
      try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello\(rest)")
      await connection.drain()
    } while: { port in
      try await LoopbackServer.withTransport(idleTimeout: .seconds(1)) { transport in
        let stalled = try await transport.send(request(port), timeout: .seconds(60))
        let error = await failure { try await stalled.body.text() }
        #expect(error?.kind == .timeout)
        let whole = try await transport.send(request(port, path: "/whole"), timeout: .seconds(60))
        try await SystemClock().sleep(for: .seconds(2))
        #expect(try await whole.body.text() == "helloworld")
      }
    }
  }

  @Test func aPrivateAddressIsRefusedAndNothingIsSent() async throws {
    let received = Box(0)
    try await LoopbackServer.run { connection in
      while let chunk = await connection.read() {
        received.withLock { $0 += chunk.readableBytes }
      }
    } while: { port in
      try await LoopbackServer.withTransport(allowPrivateNetworks: false) { transport in
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
          let error = await failure {
            try await transport.send(
              TransportRequest(method: .post, url: "http://\(host):\(port)/"),
              timeout: .seconds(60))
          }
          #expect(error?.kind == .refusedAddress && error?.nothingSent == true)
        }
      }
    }
    #expect(received.current == 0)
  }

  @Test func aRequestThatHTTPDoesNotAllowIsNotSent() async throws {
    try await LoopbackServer.withTransport { transport in
      for url in ["ftp://x.example/", "http://", "not a url"] {
        let error = await failure {
          try await transport.send(TransportRequest(method: .get, url: url), timeout: .seconds(60))
        }
        #expect(error?.kind == .request && error?.nothingSent == true)
      }
    }
  }

  @Test func cancellingEndsTheExchangeAtOnce() async throws {
    let ended = Box(false)
    try await LoopbackServer.run { connection in
      await connection.drain()
      ended.withLock { $0 = true }
    } while: { port in
      try await LoopbackServer.withTransport { transport in
        let call = Task { try await transport.send(request(port), timeout: .seconds(60)) }
        try await SystemClock().sleep(for: .milliseconds(50))
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        try await eventually { ended.current }
      }
    }
  }

  @Test func droppingABodyUnreadClosesTheExchange() async throws {
    let ended = Box(false)
    try await LoopbackServer.run { connection in
      _ = try await connection.readHead()
      try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")
      await connection.drain()
      ended.withLock { $0 = true }
    } while: { port in
      try await LoopbackServer.withTransport { transport in
        _ = try await transport.send(request(port), timeout: .seconds(60))
        try await eventually { ended.current }
      }
    }
  }

  @Test func connectionsAreReused() async throws {
    let connections = Box(0)
    try await LoopbackServer.run { connection in
      connections.withLock { $0 += 1 }
      while try await !connection.readHead().isEmpty {
        try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
      }
    } while: { port in
      try await LoopbackServer.withTransport { transport in
        for _ in 0..<20 {
          let response = try await transport.send(request(port), timeout: .seconds(60))
          #expect(try await response.body.text() == "ok")
        }
      }
    }
    #expect(connections.current <= 2)
  }

  private func eventually(_ condition: () -> Bool) async throws {
    let clock = SystemClock()
    let limit = clock.uptime + .seconds(20)
    while !condition() {
      try #require(clock.uptime < limit, "it did not happen in time")
      try await clock.sleep(for: .milliseconds(2))
    }
  }
}
