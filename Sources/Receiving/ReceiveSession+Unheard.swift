import Buffering
import Pictures
import Statistics
public import Timeline

/// Outputs for whoever only wants the counts: nothing is handed out.
extension ReceiveSession {
  /// Plays all that is due by `now`: as if `pollPlayout` was asked until it has nothing more.
  public mutating func playOut(until now: Instant) {
    var wake: Instant?
    for place in streams.indices where streams[place].isOpen {
      var timeout = timeout(of: place)
      if let instant = timeout, instant <= now {
        expire(place, at: now)
        timeout = nil
      }
      let rest =
        streams[place].track == nil
        ? streams[place].playOut(until: now, telling: &trace)
        : streams[place].playOutFrames(until: now, telling: &trace)
      reporter.noteRequest(due: streams[place].track?.nextRequest(after: now))
      while let (event, time) = streams[place].buffer.pollEvent() { announce(.buffer(event), of: place, at: time) }
      if rest.isOver {
        finish(place, at: now)
      } else {
        wake = Instant.earliest(wake, Instant.earliest(rest.wake, timeout))
      }
    }
    nextPlayout = wake
  }

  /// Lets go of what happened so far, for whoever doesn't ask.
  public mutating func forgetEvents() {
    if !events.isEmpty { events.removeAll() }
  }
}

extension ReceiveStream {
  /// Plays all that is due by `now`; when to look again, and whether everything has been played for good.
  mutating func playOut(until now: Instant, telling trace: inout FateLedger) -> (wake: Instant?, isOver: Bool) {
    while true {
      switch buffer.pass(at: now) {
      case .wait(let instant): return (instant, false)
      case .ended: return (nil, true)
      case .played(let tag):
        recordLevel(at: now)
        trace.settle(tag, as: .played)
      case .discarded(let tag, let sequence):
        noteStale(sequence: sequence)
        trace.settle(tag, as: .discarded(.stale))
      case .filled: continue
      }
    }
  }
}
