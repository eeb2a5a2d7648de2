import Glibc
import Sockets
import Testing
import Timeline

struct EventLoopTests {
  @Test func `the loop never wakes before the deadline, whatever was armed before`() throws {
    var loop = try EventLoop()
    var events: [ReadyEvent] = []
    for microseconds in [0, 300, -50, 1_000, 20, 700, 700, 5] as [Int64] {
      let deadline = MonotonicClock.now() + .microseconds(microseconds)
      try loop.wait(until: deadline, into: &events)
      #expect(MonotonicClock.now() >= deadline)
      #expect(events.isEmpty)
    }
  }

  @Test func `an earlier event leaves a later deadline standing`() throws {
    var loop = try EventLoop()
    let wake = try WakeDescriptor()
    try loop.add(wake.descriptor, token: 7, read: true, write: false)
    var events: [ReadyEvent] = []
    let deadline = MonotonicClock.now() + .milliseconds(20)
    wake.wake()
    wake.wake()
    try loop.wait(until: .distantFuture, into: &events)
    #expect(events == [ReadyEvent(token: 7, readable: true, writable: false, failed: false)])
    wake.drain()
    try loop.wait(until: deadline, into: &events)
    #expect(events.isEmpty)
    #expect(MonotonicClock.now() >= deadline)
  }

  @Test func `another thread wakes a loop that waits for ever`() throws {
    var loop = try EventLoop()
    let wake = try WakeDescriptor()
    try loop.add(wake.descriptor, token: 1, read: true, write: false)
    var thread = pthread_t()
    let body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { raw in
      if let raw { Unmanaged<WakeDescriptor>.fromOpaque(raw).takeRetainedValue().wake() }
      return nil
    }
    try #require(pthread_create(&thread, nil, body, Unmanaged.passRetained(wake).toOpaque()) == 0)
    var events: [ReadyEvent] = []
    try loop.wait(until: nil, into: &events)
    pthread_join(thread, nil)
    #expect(events.map(\.token) == [1])
  }

  @Test func `a descriptor is watched for what was asked last, and no more once removed`() throws {
    var loop = try EventLoop()
    let socket = try DatagramSocket(listeningOn: loopback4)
    let descriptor = socket.descriptor
    var events: [ReadyEvent] = []
    try loop.add(descriptor, token: 3, read: true, write: true)
    try loop.wait(until: .zero, into: &events)
    #expect(events == [ReadyEvent(token: 3, readable: false, writable: true, failed: false)])
    try loop.modify(descriptor, token: 4, read: true, write: false)
    try loop.wait(until: .zero, into: &events)
    #expect(events.isEmpty)
    #expect(try socket.send([1], to: socket.localAddress) == .sent)
    try loop.wait(until: MonotonicClock.now() + .seconds(10), into: &events)
    #expect(events.map(\.token) == [4])
    try loop.remove(descriptor)
    try loop.wait(until: .zero, into: &events)
    #expect(events.isEmpty)
  }

  @Test func `a socket watched for nothing reports its error once and doesn't spin`() throws {
    let port: UInt16
    do {
      let closed = try DatagramSocket(listeningOn: loopback4)
      port = try #require(closed.localAddress.port)
    }
    let sender = try DatagramSocket(sendingTo: .ipv4(.loopback, port: port))
    var loop = try EventLoop()
    try loop.add(sender.descriptor, token: 5, read: false, write: false)
    #expect(try sender.send([1]) == .sent)
    var events: [ReadyEvent] = []
    try loop.wait(until: MonotonicClock.now() + .seconds(10), into: &events)
    #expect(events == [ReadyEvent(token: 5, readable: true, writable: true, failed: true)])
    try loop.wait(until: .zero, into: &events)
    #expect(events.isEmpty)
  }

  @Test func `a signal arrives as an event and kills nobody`() throws {
    let signals = try SignalDescriptor([Signal(rawValue: SIGUSR1), .windowChange])
    #expect(try signals.next() == nil)
    // Sent to this very thread, where it is blocked.
    raise(SIGUSR1)
    #expect(try isReady(signals.descriptor, read: true))
    #expect(try signals.next() == Signal(rawValue: SIGUSR1))
    raise(SIGWINCH)
    #expect(try signals.next() == .windowChange)
    #expect(try signals.next() == nil)
    raise(SIGUSR1)
    let sent = try #require(try signals.nextWithOrigin())
    #expect(sent.signal == Signal(rawValue: SIGUSR1) && sent.isSent)
    #expect(try signals.nextWithOrigin() == nil)
    // Ignored: this would end the process otherwise.
    raise(SIGPIPE)
    try SignalDescriptor.unblock([Signal(rawValue: SIGUSR1), .windowChange])
  }

  @Test func `the offset converts the time of day to the monotonic clock`() {
    let offset = ClockOffset.sample()
    let before = MonotonicClock.now()
    let converted = offset.instant(unixNanoseconds: RealtimeClock.unixNanoseconds())
    let after = MonotonicClock.now()
    // Widened by what the sample says it may be wrong by, and a microsecond for rounding.
    #expect(converted >= before - offset.uncertainty - .microseconds(1))
    #expect(converted <= after + offset.uncertainty + .microseconds(1))
  }
}
