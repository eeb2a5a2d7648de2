internal import CLinux
import Glibc
public import Timeline

/// A descriptor that something can be done with.
public struct ReadyEvent: Hashable, Sendable {
  /// What the descriptor was added under.
  public var token: UInt64
  /// A read gives something: data, the end, or the error that waits.
  public var readable: Bool
  /// A write goes through, or gives the error that waits.
  public var writable: Bool
  /// An error or a hang-up waits; `readable` and `writable` are set then too, because the next call tells which.
  public var failed: Bool

  /// Makes an event.
  public init(token: UInt64, readable: Bool, writable: Bool, failed: Bool) {
    self.token = token
    self.readable = readable
    self.writable = writable
    self.failed = failed
  }
}

/// Waits for descriptors and for instants in one thread, by epoll.
///
/// Readiness is level-triggered: a descriptor is reported in every turn until it has been read or written to the end.
/// Instants are waited for by a timer descriptor on `CLOCK_MONOTONIC`, which isn't subject to the slack of 50 µs that
/// Linux adds to the timeouts of poll and epoll.
public struct EventLoop: ~Copyable {
  private let epoll: Descriptor
  private let timer: Descriptor
  /// What the timer is set to and hasn't yet told.
  private var armed: Instant?

  /// Opens the loop.
  public init() throws(SocketError) {
    let epoll = Descriptor(owning: try opened(clinux_epoll_create()))
    let timer = Descriptor(owning: try opened(clinux_timer_create()))
    let interest = UInt32(CLINUX_READ | CLINUX_EDGE)
    try waiting(clinux_epoll_add(epoll.raw, timer.raw, interest, timerToken))
    self.epoll = epoll
    self.timer = timer
  }

  /// Watches a descriptor, which must be removed before it is closed.
  ///
  /// With neither `read` nor `write` an error is still reported, once. A plain file can't be watched: it is always
  /// ready.
  ///
  /// `token` comes back with the event; `UInt64.max` is the loop's own.
  public func add(_ descriptor: CInt, token: UInt64, read: Bool, write: Bool) throws(SocketError) {
    precondition(token != timerToken, "this token is the loop's own")
    try waiting(clinux_epoll_add(epoll.raw, descriptor, interest(read, write), token))
  }

  /// Changes what a descriptor is watched for.
  public func modify(_ descriptor: CInt, token: UInt64, read: Bool, write: Bool) throws(SocketError) {
    precondition(token != timerToken, "this token is the loop's own")
    try waiting(clinux_epoll_modify(epoll.raw, descriptor, interest(read, write), token))
  }

  /// Watches a descriptor no more.
  public func remove(_ descriptor: CInt) throws(SocketError) {
    try waiting(clinux_epoll_remove(epoll.raw, descriptor))
  }

  /// Waits until something is ready or `deadline` has come, whichever is first, and never wakes for nothing.
  ///
  /// A deadline in the past only asks what is ready now; nil waits for ever.
  ///
  /// `events` is emptied, then filled with what is ready (at most 64; the rest comes in the next turn).
  public mutating func wait(until deadline: Instant?, into events: inout [ReadyEvent]) throws(SocketError) {
    events.removeAll(keepingCapacity: true)
    while true {
      var milliseconds: CInt = -1
      if let deadline {
        if deadline <= MonotonicClock.now() {
          milliseconds = 0
        } else if armed != deadline {
          try waiting(clinux_timer_arm(timer.raw, deadline.nanoseconds))
          armed = deadline
        }
      }
      try collect(milliseconds, into: &events)
      if !events.isEmpty { return }
      if let deadline, deadline <= MonotonicClock.now() { return }
    }
  }

  private mutating func collect(_ milliseconds: CInt, into events: inout [ReadyEvent]) throws(SocketError) {
    let capacity = CLINUX_READY_CAPACITY
    let descriptor = epoll.raw
    var timerFired = false
    let result = withUnsafeTemporaryAllocation(of: clinux_ready.self, capacity: capacity) { ready in
      let count = clinux_epoll_wait(descriptor, ready.baseAddress, CInt(capacity), milliseconds)
      for index in 0..<max(Int(count), 0) {
        if ready[index].token == timerToken {
          timerFired = true
        } else {
          events.append(ReadyEvent(ready[index]))
        }
      }
      return count
    }
    // The timer is edge-triggered, so it needs no read; setting it anew clears it.
    if timerFired { armed = nil }
    if result != -EINTR { try waiting(result) }
  }

  private func interest(_ read: Bool, _ write: Bool) -> UInt32 {
    // Errors are always reported; edge-triggered they are so once instead of spinning where nobody reads.
    if !read && !write { return UInt32(CLINUX_EDGE) }
    return UInt32((read ? CLINUX_READ : 0) | (write ? CLINUX_WRITE : 0))
  }
}

extension ReadyEvent {
  fileprivate init(_ ready: clinux_ready) {
    let flags = Int(ready.flags)
    let failed = flags & (CLINUX_FAILED | CLINUX_HANGUP) != 0
    self.init(
      token: ready.token, readable: failed || flags & CLINUX_READ != 0,
      writable: failed || flags & CLINUX_WRITE != 0, failed: failed)
  }
}

private let timerToken = UInt64.max

/// The descriptor that a call of ours gave, or the error.
func opened(_ result: CInt) throws(SocketError) -> CInt {
  guard result >= 0 else { throw .system(.open, code: -result, address: nil) }
  return result
}

private func waiting(_ result: CInt) throws(SocketError) {
  guard result >= 0 else { throw .system(.wait, code: -result, address: nil) }
}
