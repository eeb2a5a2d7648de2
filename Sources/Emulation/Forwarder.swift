import Glibc
import Sockets
import Synchronization
import Timeline

/// The thread that moves frames between the two sides of all lanes.
final class Forwarder: @unchecked Sendable {
  // Used by the thread alone, from start to stop.
  private let pipes: [LinkPipe]
  private var pen: JournalPen?
  private var loop: EventLoop

  private let wake: WakeDescriptor
  private let isStopping = Atomic(false)
  private let underWay = Atomic(0)
  private let usedTime = Atomic<Int64>(0)
  private let waitedTime = Atomic<Int64>(0)
  private var thread: pthread_t?

  /// So long before the next copy is due the thread wakes, and waits for the rest awake: a timer alone is as late as the
  /// system is slow to wake a thread.
  private static let lead = Interval.microseconds(60)
  /// How often the clocks are compared, by which the kernel's stamps are read.
  private static let clockInterval = Interval.milliseconds(500)

  init(_ pipes: [LinkPipe], journal: PacketJournal?) throws(SocketError) {
    self.pipes = pipes
    pen = journal.map(JournalPen.init)
    wake = try WakeDescriptor()
    loop = try EventLoop()
    try loop.add(wake.descriptor, token: UInt64(pipes.count), read: true, write: false)
    for (index, pipe) in pipes.enumerated() {
      try loop.add(pipe.input.raw, token: UInt64(index), read: true, write: false)
    }
  }

  /// Copies under way in all lanes, a moment ago.
  var inFlight: Int { underWay.load(ordering: .relaxed) }

  /// The processor's time that the thread took, once it has ended.
  var processorTime: Interval { Interval(nanoseconds: usedTime.load(ordering: .relaxed)) }

  /// The time for which the thread was ready and the system gave it no processor, once it has ended.
  var processorWait: Interval { Interval(nanoseconds: waitedTime.load(ordering: .relaxed)) }

  /// Starts the thread, in the calling thread's namespaces; false when the system won't.
  func start() -> Bool {
    var thread = pthread_t()
    let this = Unmanaged.passRetained(self)
    let code = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Forwarder>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, this.toOpaque())
    guard code == 0 else {
      this.release()
      return false
    }
    self.thread = thread
    return true
  }

  /// Ends the thread, and returns the records in the order of the pipes; what is under way then never arrives.
  func stop() -> [DirectionRecord] {
    if let thread {
      isStopping.store(true, ordering: .releasing)
      wake.wake()
      pthread_join(thread, nil)
      self.thread = nil
    }
    return pipes.map { $0.currentRecord() }
  }

  private func run() {
    var clock = ClockOffset.sample()
    var nextClock = MonotonicClock.now() + Self.clockInterval
    var events: [ReadyEvent] = []
    while !isStopping.load(ordering: .acquiring) {
      let now = MonotonicClock.now()
      if now >= nextClock {
        clock = ClockOffset.sample()
        nextClock = now + Self.clockInterval
      }
      var moved = 0
      var inFlight = 0
      var next: Instant?
      for pipe in pipes {
        moved += pipe.deliver(at: now, &pen)
        moved += pipe.read(at: now, by: clock, &pen)
        next = Instant.earliest(next, pipe.nextDelivery)
        inFlight += pipe.inFlight
      }
      underWay.store(inFlight, ordering: .relaxed)
      pen?.turn(at: now)
      if moved > 0 { continue }
      wait(for: next, into: &events)
    }
    pen?.finish()
    var used = timespec()
    if clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) == 0 {
      usedTime.store(Int64(used.tv_sec) * 1_000_000_000 + Int64(used.tv_nsec), ordering: .relaxed)
    }
    // Time on a processor, time without one, turns.
    let fields = String(decoding: Isolation.read("/proc/thread-self/schedstat") ?? [], as: UTF8.self).split(
      separator: " ")
    if fields.count > 1, let waited = Int64(fields[1]) { waitedTime.store(waited, ordering: .relaxed) }
  }

  private func wait(for next: Instant?, into events: inout [ReadyEvent]) {
    if let next, next - MonotonicClock.now() < Self.lead {
      while MonotonicClock.now() < next {}
      return
    }
    // With a journal it turns now and then, so that what was written is seen soon.
    let turn = pen == nil ? nil : MonotonicClock.now() + .milliseconds(60)
    guard (try? loop.wait(until: Instant.earliest(next.map { $0 - Self.lead }, turn), into: &events)) != nil else {
      // No reason is known for which it fails; if there is one, the thread goes on without taking a whole processor.
      usleep(1_000)
      return
    }
    if events.contains(where: { $0.token == UInt64(pipes.count) }) { wake.drain() }
  }
}
