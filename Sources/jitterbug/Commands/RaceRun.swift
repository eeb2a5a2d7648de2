import Impairment
import Media
import Packets
import Racing
import Reporting
import Sockets
import Timeline

/// What one lane did, whatever carried it.
struct RaceLaneResult {
  var kind: RaceLaneKind
  var listener: RaceListener
  /// What the link did on the way to the receiver, to every packet of the lane.
  var link: LinkRecord?
  /// What the link did on the way back.
  var linkBack: LinkRecord?
  /// What the link did to each packet of the media; empty where that can't be told.
  var fates: [LinkFate] = []
  var connection: RaceConnection?
  /// Packets that this host's own sockets didn't take or dropped.
  var refused = 0
  var socketDrops = 0
  /// Packets that the link was too slow for.
  var missedByLink = 0
  var failure: String?
}

/// What is known of a lane's TCP connection.
struct RaceConnection {
  var congestionControl = ""
  var setup = Interval.zero
  var samples: [TCPSample] = []
  var retransmits = 0
}

/// What a race came to.
struct RaceOutcome {
  var lanes: [RaceLaneResult]
  /// How many packets of each lane were due.
  var due: Int
  var duration = Interval.zero
  var ended = "the media ended"
  var isInterrupted = false
  /// The most that a packet was sent after it was due, for want of the processor.
  var worstSending = Interval.zero
  /// By how much the link handed packets over after their time, at the 99th percentile of the worst direction.
  var lateLink = Interval.zero
  /// When it began, in nanoseconds since 1970.
  var began: Int64?
}

/// The signals that end a race early; one for all races of a command.
final class RaceSignals {
  let source: SignalDescriptor
  /// Ends writing, too, where nobody reads.
  let interrupt: WriteInterrupt
  private(set) var isInterrupted = false

  /// To be made before any thread is started, so that signals come here alone.
  init() throws(CommandError) {
    // Without a terminal a race is over, too, unless it was started to outlive it.
    let ending: [Signal] = [.interrupt, .terminate] + (Signal.hangUp.isIgnored ? [] : [.hangUp])
    do { source = try SignalDescriptor(ending) } catch { throw CommandError(error.description) }
    interrupt = WriteInterrupt(descriptor: source.descriptor)
  }

  /// Looks whether one has come.
  func look() -> Bool {
    while (try? source.next()) != nil {
      isInterrupted = true
      interrupt.isRaised = true
    }
    return isInterrupted
  }
}

/// One race in real time: a thread that sends and receives in all lanes, and this one, which plays, writes and shows.
///
/// The receivers are handed what arrived with its time, so what they do doesn't depend on when this thread gets to it.
final class RaceRun {
  /// A lane that is connected.
  struct Lane {
    var kind: RaceLaneKind
    var carrier: any RaceCarrier
    var listener: RaceListener
  }

  private let options: RaceOptions
  private let lanes: [Lane]
  private let start: Instant
  private let signals: RaceSignals
  private let mailbox: RaceMailbox
  private var loop: EventLoop
  private var live: LiveView
  private var view: RaceView
  private var readUpTo: Instant
  private var sent = 0
  private var worstSending = Interval.zero
  private var failure: String?

  /// Sets the race up around lanes that are connected, and whose receivers know when it begins.
  init(
    _ options: RaceOptions, _ lanes: [Lane], start: Instant, total: Interval, signals: RaceSignals
  ) throws(CommandError) {
    self.options = options
    self.lanes = lanes
    self.start = start
    self.signals = signals
    readUpTo = start
    do throws(SocketError) {
      mailbox = try RaceMailbox()
      loop = try EventLoop()
      try loop.add(signals.source.descriptor, token: 1, read: true, write: false)
      try loop.add(mailbox.wake.descriptor, token: 2, read: true, write: false)
    } catch { throw CommandError(error.description) }
    live = LiveView(options.output, refreshing: .milliseconds(100))
    view = RaceView(options, lanes.map(\.listener), total: total)
  }

  /// Races to the end of the media, or to a signal.
  ///
  /// `grace` is how long at most is waited for what is still on its way.
  func run(grace: Interval) throws(CommandError) -> RaceOutcome {
    // Before the thread: from then on the carriers are its own until the race is over.
    live.detail("link down \(options.downLink), up \(options.upLink)")
    for lane in lanes {
      let stream = lane.listener.receiver.stream
      let control = (lane.carrier as? StreamCarrier).map { ", congestion control \($0.connection.congestionControl)" }
      live.detail(
        "lane \(lane.kind.name): \(stream.frames.count) packets, stream \(TextFile.hexadecimal(stream.ssrc))"
          + (control ?? ""))
    }
    let thread = RaceThread(
      lanes.map { ($0.listener.receiver.stream, $0.carrier) }, start: start, grace: grace, mailbox: mailbox)
    guard BackgroundThread.start({ thread.run() }) else {
      throw CommandError("no thread could be started to send: too many are running")
    }
    live.start(at: start)
    var events: [ReadyEvent] = []
    var isOver = false
    while !isOver {
      let wake = MonotonicClock.now() + .milliseconds(100)
      do throws(SocketError) { try loop.wait(until: Instant.earliest(wake, live.nextUpdate), into: &events) } catch {
        failure = failure ?? error.description
      }
      if signals.look() || failure != nil { mailbox.stop.wake() }
      isOver = takeMail()
      show()
    }
    live.clear()
    if let failure { throw CommandError("the race broke off: \(failure)") }
    return finish()
  }

  /// Plays what has come; true at the end.
  private func takeMail() -> Bool {
    let letter = mailbox.take()
    for arrival in letter.arrivals { lanes[arrival.lane].listener.take(arrival.bytes, at: arrival.at) }
    readUpTo = max(readUpTo, letter.readUpTo)
    for lane in lanes { lane.listener.play(until: readUpTo) }
    sent = max(sent, letter.sent)
    worstSending = max(worstSending, letter.worstSending)
    failure = failure ?? letter.failure
    return letter.isOver
  }

  private func show() {
    guard live.isOn else { return }
    let now = MonotonicClock.now()
    view.update(sent: sent, at: readUpTo)
    live.update(at: now, of: "line") { columns in view.lines(columns: columns) }
  }

  private func finish() -> RaceOutcome {
    let due = signals.isInterrupted ? settled : sent
    for lane in lanes { lane.listener.finish(at: readUpTo, due: due) }
    let clock = ClockOffset.sample()
    var outcome = RaceOutcome(lanes: lanes.map(Self.result), due: due)
    outcome.duration = readUpTo - start
    outcome.worstSending = worstSending
    outcome.began = (start + clock.realtimeMinusMonotonic).nanoseconds
    outcome.isInterrupted = signals.isInterrupted
    if signals.isInterrupted { outcome.ended = "interrupted" }
    return outcome
  }

  /// How many of the packets sent had to be there by now; the others were on their way when a signal came.
  private var settled: Int {
    let crossing = lanes.filter { $0.kind != .unix }
    let receivers = (crossing.isEmpty ? lanes : crossing).map(\.listener.receiver)
    guard let first = receivers.first else { return sent }
    let path = receivers.compactMap(\.leastDelay).min() ?? .zero
    let buffer = options.buffer.target
    return (0..<min(sent, first.packets.count)).count { first.due($0) + path + buffer <= readUpTo }
  }

  private static func result(_ lane: Lane) -> RaceLaneResult {
    var result = RaceLaneResult(kind: lane.kind, listener: lane.listener)
    result.refused = lane.carrier.refused
    result.failure = lane.carrier.failure ?? lane.listener.failure?.message
    if let carrier = lane.carrier as? DatagramCarrier {
      result.link = carrier.linkRecord
      result.fates = carrier.fates
      result.socketDrops = carrier.socketDrops
    }
    if let carrier = lane.carrier as? StreamCarrier { result.connection = carrier.connection }
    return result
  }
}
