// modules: Timeline Packets Statistics Buffering Pictures Receiving
// A session is driven by the input's bytes: datagrams at any time, polls, reports. Nothing traps or hangs, nothing is
// played twice or out of order, and at the end every datagram is in one class and every sum closes.
import Buffering
import Packets
import Receiving
import Statistics
import Timeline

struct Watcher {
  var session: ReceiveSession
  var now = Instant.zero
  var handedIn = 0
  var fates = 0
  var lastPlayed: [Int: Int64] = [:]

  mutating func drain() {
    var decisions = 0
    while let (stream, decision) = session.pollPlayout(at: now) {
      decisions += 1
      // At most 12 s of 2.5 ms between two operations, a buffer's worth of packets, and 1 s pieces of long gaps.
      precondition(decisions < 200_000, "the playout doesn't end")
      switch decision {
      case .play(let packet, let slot, let skip):
        precondition(packet.sequence > lastPlayed[stream] ?? .min, "played again or out of order")
        precondition(skip >= 0 && skip <= packet.duration)
        lastPlayed[stream] = packet.sequence
        _ = session.withPayload(of: stream, in: slot) { $0.byteCount }
      case .recover(let slot, let duration):
        precondition(duration > 0)
        _ = session.withPayload(of: stream, in: slot) { $0.byteCount }
      case .conceal(let duration), .silence(let duration): precondition(duration > 0)
      case .discard: break
      case .wait, .ended: preconditionFailure("not a decision")
      }
    }
    while session.pollEvent() != nil {}
    while session.pollFate() != nil { fates += 1 }
    precondition(session.datagrams.held <= 256 * 8 + 32)
    if let wake = session.nextWake, session.nextReport != session.nextWake {
      precondition(wake > now, "woken for nothing")
    }
  }
}

@c(LLVMFuzzerTestOneInput)
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start, count > 2 else { return 0 }
  var script = Script<Int>(bytes: Array(UnsafeBufferPointer(start: start, count: count)))
  var configuration = ReceiveSession.Configuration(ssrc: 1, cname: "fuzz", seed: 1)
  configuration.isTracing = true
  configuration.target = .milliseconds(Int64(script.byte()))
  let idle = script.byte()
  configuration.idleTimeout = idle == 0 ? nil : .milliseconds(Int64(idle) * 20)
  configuration.sourceLimit = 3
  var watcher = Watcher(session: ReceiveSession(configuration))
  while !script.isOver { step(&watcher, &script) }
  finish(&watcher)
  return 0
}

func step(_ watcher: inout Watcher, _ script: inout Script<Int>) {
  let operation = script.byte()
  switch operation % 8 {
  case 0: watcher.now += .milliseconds(Int64(script.byte()) * 20)
  case 1:
    let bytes = script.take(script.byte())
    watcher.session.handleRTCP(bytes.span.bytes, from: Peer(id: 9), at: watcher.now)
  case 2:
    let bytes = script.take(script.byte())
    watcher.handedIn += 1
    watcher.session.handleRTP(bytes.span.bytes, from: Peer(id: UInt32(operation >> 7)), at: watcher.now)
  case 3:
    var bytes = [UInt8](repeating: 0, count: 1500)
    var span = bytes.mutableSpan
    _ = watcher.session.pollReport(into: &span, at: watcher.now)
  default:
    // A valid packet: number and time are steps from a line, so that streams come about.
    watcher.now += .milliseconds(Int64(script.byte() % 64))
    let place = script.byte() << 8 + script.byte()
    let jump = operation & 0x40 != 0 ? UInt32(script.byte()) << 24 : 0
    var bytes = [UInt8](repeating: 0, count: RTPHeader.size)
    var span = bytes.mutableSpan
    _ = RTPHeader(
      payloadType: operation & 0x20 != 0 ? 96 : 111, sequenceNumber: SequenceNumber(UInt16(place)),
      timestamp: RTPTimestamp(UInt32(place) &* 960 &+ jump), ssrc: UInt32(operation >> 3 & 3)
    ).write(into: &span)
    bytes += script.take(script.byte() % 8)
    watcher.handedIn += 1
    watcher.session.handleRTP(bytes.span.bytes, from: Peer(id: 0), at: watcher.now)
  }
  watcher.drain()
}

func finish(_ watcher: inout Watcher) {
  watcher.session.stop()
  for _ in 0..<4 {
    watcher.now += .seconds(100_000)
    watcher.drain()
  }
  watcher.session.close()
  watcher.drain()
  let session = watcher.session
  precondition(session.datagrams.held == 0)
  precondition(watcher.fates == watcher.handedIn, "a datagram without a fate, or with two")
  if session.forgottenStreams == 0 {
    let received = session.streams.reduce(0) { $0 + $1.statistics.received + $1.statistics.tooOld }
    precondition(watcher.handedIn == received + session.datagrams.discarded.total)
  }
  for stream in session.streams {
    let playout = stream.playout
    let statistics = stream.statistics
    precondition(!stream.isOpen)
    precondition(statistics.unique == playout.played + playout.late + playout.discarded.total)
    precondition(statistics.expected == playout.played + playout.recovered + playout.concealed)
    precondition(statistics.lost >= 0)
  }
}
