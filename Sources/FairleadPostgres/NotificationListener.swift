import CLibPQ
import Fairlead
import Foundation
import Logging
import Synchronization

/// Hears what other nodes announce, on a connection and a thread of its own, for as long as someone
/// listens. A lost connection is made again; then every listener is woken, as it may have missed
/// something.
final class NotificationListener: Sendable {
  private struct State {
    var channels: Set<Channel> = []
    var isRunning = false
    var isStopped = false
    var ended: CheckedContinuation<Void, Never>?
  }

  private enum Ending: Error { case stopped }

  private let address: PostgresAddress
  private let hub: NotificationHub
  /// Whether a server process is ours: what it announced was heard in this process already.
  private let isOwn: @Sendable (Int32) -> Bool
  private let logger: Logger
  private let wakeup = WakeupPipe()
  private let state = Mutex(State())

  init(
    address: PostgresAddress, hub: NotificationHub, isOwn: @escaping @Sendable (Int32) -> Bool,
    logger: Logger
  ) {
    self.address = address
    self.hub = hub
    self.isOwn = isOwn
    self.logger = logger
  }

  func add(_ channel: Channel) {
    let (isNew, starts) = state.withLock { state in
      guard !state.isStopped else { return (false, false) }
      let isNew = state.channels.insert(channel).inserted
      let starts = !state.isRunning
      state.isRunning = true
      return (isNew, starts)
    }
    if starts {
      Thread.detachNewThread { self.run() }
    } else if isNew {
      wakeup.signal()
    }
  }

  /// Ends the thread and waits for it.
  func stop() async {
    await withCheckedContinuation { continuation in
      let isDone = state.withLock { state in
        state.isStopped = true
        if state.isRunning { state.ended = continuation }
        return !state.isRunning
      }
      if isDone { continuation.resume() } else { wakeup.signal() }
    }
  }

  // MARK: - On the thread

  private func run() {
    var pause = 250
    var wasAway = false
    while !isStopped {
      do {
        let session = try PostgresSession.connect(address)
        try listen(on: session, waking: wasAway) { pause = 250 }
      } catch Ending.stopped {
        break
      } catch {
        if !wasAway {
          logger.warning("The connection that hears of other nodes' work broke; trying again")
        }
        wasAway = true
        wakeup.wait(milliseconds: pause)
        pause = min(pause * 2, 5_000)
      }
    }
    let ended = state.withLock { state in
      state.isRunning = false
      return state.ended.take()
    }
    ended?.resume()
  }

  private var isStopped: Bool { state.withLock { $0.isStopped } }

  /// - Throws: `Ending.stopped`, or why the connection is of no more use.
  private func listen(
    on session: PostgresSession, waking: Bool, _ onConnected: () -> Void
  ) throws {
    var heard: [String: Channel] = [:]
    var isFirst = true
    while true {
      let (channels, isStopped) = state.withLock { ($0.channels, $0.isStopped) }
      if isStopped { throw Ending.stopped }
      for channel in channels where heard[session.serverName(of: channel)] == nil {
        let name = session.serverName(of: channel)
        try session.command("LISTEN \"\(name.replacing("\"", with: "\"\""))\"")
        heard[name] = channel
      }
      if isFirst, waking {
        hub.publish(channels.map { DatabaseNotification(channel: $0, payload: "") })
      }
      if isFirst { onConnected() }
      isFirst = false
      // Before waiting: some may have come along with the answers to LISTEN.
      while let notice = PQnotifies(session.link) {
        defer { PQfreemem(notice) }
        guard !isOwn(notice.pointee.be_pid),
          let channel = heard[String(cString: notice.pointee.relname)]
        else { continue }
        hub.publish([
          DatabaseNotification(channel: channel, payload: String(cString: notice.pointee.extra))
        ])
      }
      wakeup.wait(milliseconds: -1, or: PQsocket(session.link))
      guard PQconsumeInput(session.link) == 1 else { throw StatementFailure.broken }
    }
  }
}

/// Interrupts a thread that waits for a socket.
private final class WakeupPipe: Sendable {
  private let reading: Int32
  private let writing: Int32

  /// Without descriptors left, waits last their time.
  init() {
    var ends: [Int32] = [-1, -1]
    if pipe(&ends) == 0 {
      for end in ends {
        _ = fcntl(end, F_SETFL, O_NONBLOCK)
        _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      }
    }
    (reading, writing) = (ends[0], ends[1])
  }

  deinit {
    if reading >= 0 { close(reading) }
    if writing >= 0 { close(writing) }
  }

  func signal() {
    var byte: UInt8 = 1
    // A full pipe wakes as well.
    _ = write(writing, &byte, 1)
  }

  /// Waits for a signal, for input on `socket` or for the time; less than 0 is a minute.
  func wait(milliseconds: Int, or socket: Int32 = -1) {
    var descriptors = [
      pollfd(fd: reading, events: Int16(POLLIN), revents: 0),
      pollfd(fd: socket, events: Int16(POLLIN), revents: 0),
    ]
    _ = poll(
      &descriptors, nfds_t(descriptors.count), Int32(milliseconds < 0 ? 60_000 : milliseconds))
    var bytes = [UInt8](repeating: 0, count: 64)
    while read(reading, &bytes, bytes.count) > 0 {}
  }
}
