import Glibc
import Racing
import Sockets
import Timeline

/// What the thread of the race hands to the one that plays and shows.
final class RaceMailbox: @unchecked Sendable {
  /// A packet that has arrived in a lane.
  struct Arrival: Sendable {
    var lane: Int
    var bytes: [UInt8]
    var at: Instant
  }

  /// What has come since it was asked last.
  struct Letter: Sendable {
    var arrivals: [Arrival] = []
    /// Everything that arrived by then has been handed over.
    var readUpTo = Instant.zero
    /// Packets sent so far.
    var sent = 0
    /// How late packets were sent at most, of those since it was asked last.
    var worstSending = Interval.zero
    var isOver = false
    var failure: String?
  }

  /// Readable when something was handed over that can't wait: the end.
  let wake: WakeDescriptor
  /// Readable for the thread of the race when it is to stop.
  let stop: WakeDescriptor
  private var letter = Letter()
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  init() throws(SocketError) {
    wake = try WakeDescriptor()
    stop = try WakeDescriptor()
    pthread_mutex_init(lock, nil)
  }

  deinit {
    pthread_mutex_destroy(lock)
    lock.deallocate()
  }

  /// Changes what lies in the mailbox.
  func write(_ body: (inout Letter) -> Void) {
    pthread_mutex_lock(lock)
    body(&letter)
    pthread_mutex_unlock(lock)
  }

  /// Takes what lies there.
  func take() -> Letter {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    let taken = letter
    letter.arrivals = []
    letter.worstSending = .zero
    return taken
  }
}

/// The thread that sends and receives in all lanes by one clock: nothing in it blocks, and nothing in it decodes.
///
/// Every lane gets packet n at the same instant, when it is due. Where a lane can't take it, that lane's carrier keeps
/// it; the others go on.
final class RaceThread: @unchecked Sendable {
  // What is in here belongs to the thread from its start to `isOver`, and to its maker before and after.
  let lanes: [(stream: RaceStream, carrier: any RaceCarrier)]
  let mailbox: RaceMailbox
  let start: Instant
  /// The longest that is waited for what is still on its way when everything has been sent.
  let grace: Interval
  private var next: [Int]
  private var isStopped = false
  private var scratch: [UInt8] = []
  private var watched: [[(descriptor: CInt, read: Bool, write: Bool)]]

  init(
    _ lanes: [(stream: RaceStream, carrier: any RaceCarrier)], start: Instant, grace: Interval, mailbox: RaceMailbox
  ) {
    self.lanes = lanes
    self.start = start
    self.grace = grace
    self.mailbox = mailbox
    next = lanes.map { _ in 0 }
    watched = lanes.map { _ in [] }
  }

  /// Runs to the end, in a thread of its own.
  func run() {
    do throws(SocketError) { try race() } catch {
      mailbox.write { $0.failure = error.description }
    }
    mailbox.write { $0.isOver = true }
    mailbox.wake.wake()
  }

  private func race() throws(SocketError) {
    var loop = try EventLoop()
    var events: [ReadyEvent] = []
    try loop.add(mailbox.stop.descriptor, token: 0, read: true, write: false)
    var arrivals: [RaceMailbox.Arrival] = []
    while true {
      let now = MonotonicClock.now()
      sendDue(at: now)
      for (_, carrier) in lanes { carrier.advance(at: now) }
      for place in lanes.indices {
        lanes[place].carrier.receive { bytes, instant in
          arrivals.append(RaceMailbox.Arrival(lane: place, bytes: bytes.withUnsafeBytes { [UInt8]($0) }, at: instant))
        }
      }
      // Every socket was read after `now`.
      mailbox.write { letter in
        letter.arrivals += arrivals
        letter.readUpTo = now
        letter.sent = next.max() ?? 0
      }
      arrivals.removeAll(keepingCapacity: true)
      if isOver(at: now) { return }
      try watch(&loop)
      try loop.wait(until: wake(at: now), into: &events)
      if events.contains(where: { $0.token == 0 }) { isStopped = true }
    }
  }

  /// Sends every packet that is due, in every lane.
  private func sendDue(at now: Instant) {
    for place in lanes.indices {
      let (stream, carrier) = lanes[place]
      while !isStopped, next[place] < stream.frames.count, start + stream.due(next[place]) <= now {
        stream.write(next[place], into: &scratch)
        let bytes = scratch
        let sentAt = MonotonicClock.now()
        let late = sentAt - (start + stream.due(next[place]))
        carrier.send(bytes.span.bytes, index: next[place], at: sentAt)
        next[place] += 1
        mailbox.write { $0.worstSending = max($0.worstSending, late) }
      }
    }
  }

  /// When there is something to do again; 50 ms at most, so that what has been read is known to be read.
  private func wake(at now: Instant) -> Instant {
    var wake = now + .milliseconds(50)
    for place in lanes.indices {
      let (stream, carrier) = lanes[place]
      if next[place] < stream.frames.count { wake = min(wake, start + stream.due(next[place])) }
      if let instant = carrier.nextInstant { wake = min(wake, instant) }
    }
    return wake
  }

  private func isOver(at now: Instant) -> Bool {
    if isStopped { return true }
    let ends = lanes.map { $0.stream.frames.isEmpty ? start : start + $0.stream.due($0.stream.frames.count - 1) }
    guard let end = ends.max(), end <= now, zip(lanes, next).allSatisfy({ $0.stream.frames.count == $1 }) else {
      return false
    }
    return now >= end + grace || !lanes.contains { $0.carrier.isPending }
  }

  /// Brings the loop up to date with what the lanes watch.
  private func watch(_ loop: inout EventLoop) throws(SocketError) {
    for (place, lane) in lanes.enumerated() {
      let wanted = lane.carrier.watched
      guard wanted.count != watched[place].count || !zip(wanted, watched[place]).allSatisfy(==) else { continue }
      for old in watched[place] { try? loop.remove(old.descriptor) }
      for new in wanted {
        try loop.add(new.descriptor, token: UInt64(place + 1), read: new.read, write: new.write)
      }
      watched[place] = wanted
    }
  }
}
