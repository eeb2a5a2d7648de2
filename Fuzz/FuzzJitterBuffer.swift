// modules: Timeline Buffering
// A jitter buffer, fixed or adaptive, is driven by the input's bytes: packets with any number, time and length, polls and
// pulls at any time, restarts, stretches that were granted in part. Nothing traps or hangs, nothing is played twice or
// out of order, the limits hold, and at the end every packet that was taken in is accounted for.
import Buffering
import Timeline

extension Script<Int64> {
  /// A number with a sign, mostly small: the first byte says how many more there are.
  mutating func number() -> Int64 {
    let first = byte()
    guard first >= 0xf8 else { return first < 0x80 ? first : first - 0xf8 }
    var value: Int64 = 0
    for _ in 0..<(first & 7) + 1 { value = value &<< 8 | byte() }
    // Extended numbers and timestamps grow by 32 bits a wrap at most.
    return value % (1 << 44)
  }
}

struct Watcher {
  static let packetLimit = 64
  static let byteLimit = 4000

  var buffer: JitterBuffer
  let isAdaptive: Bool
  let isPulled: Bool
  var now = Instant.zero
  var sequence: Int64 = 0
  var timestamp: Int64 = 0
  var stored = 0
  var played = 0
  var discarded = 0
  var lastPassed = Int64.min
  /// The highest number that was ever offered.
  var highest: Int64 = 0

  mutating func insert(_ packet: BufferedPacket, bytes: Int) {
    let payload = [UInt8](repeating: 7, count: bytes)
    let before = buffer.packetCount
    let insertion = buffer.insert(packet, payload: payload.span.bytes)
    stored += insertion == .stored ? 1 : 0
    highest = max(highest, packet.sequence)
    precondition(buffer.packetCount == before + (insertion == .stored ? 1 : 0))
    // One may have been given up, and not been handed out yet.
    precondition(buffer.packetCount <= Self.packetLimit + 1, "more than the limit")
    precondition(insertion != .stored || packet.sequence > lastPassed, "taken in though it was passed")
    precondition(buffer.level >= .zero)
  }

  /// What follows from one decision; false when there is nothing more to do.
  mutating func take(_ decision: PlayoutDecision, _ script: inout Script<Int64>) -> Bool {
    switch decision {
    case .wait(let until):
      precondition(isPulled || until == nil || until ?? now > now, "woken for nothing")
      return false
    case .ended: return false
    case .play(let packet, let slot, let skip):
      precondition(packet.sequence > lastPassed, "played again or out of order")
      precondition(skip >= 0 && skip <= packet.duration)
      lastPassed = packet.sequence
      played += 1
      _ = buffer.withPayload(in: slot) { $0.byteCount }
      let wish = buffer.stretch
      precondition(min(0, wish.most) <= wish.preferred && wish.preferred <= max(0, wish.most))
      precondition(packet.duration + min(0, wish.most) >= 0)
      if isAdaptive, !script.isOver, script.byte() & 1 == 1 {
        buffer.settleStretch(wish.most * script.byte() / 255)
      }
    case .discard(let packet):
      precondition(packet.sequence > lastPassed, "given up again or out of order")
      lastPassed = packet.sequence
      discarded += 1
    case .recover(let slot, let duration):
      precondition(duration > 0)
      _ = buffer.withPayload(in: slot) { $0.byteCount }
    case .conceal(let duration), .silence(let duration): precondition(duration > 0)
    }
    return true
  }

  mutating func poll(_ script: inout Script<Int64>) {
    var decisions = 0
    while take(buffer.poll(at: now), &script) {
      decisions += 1
      precondition(decisions < 1_000_000, "polling doesn't end")
    }
    drain()
  }

  mutating func pull(_ script: inout Script<Int64>) {
    let block = Interval.microseconds(1000 + script.byte() * 100)
    var decisions = 0
    while take(buffer.pull(block, at: now), &script) {
      decisions += 1
      precondition(decisions < 100_000, "a pull doesn't end")
    }
    now += block
    drain()
  }

  mutating func drain() {
    var events = 0
    while buffer.pollEvent() != nil { events += 1 }
    precondition(events <= 64)
    precondition(abs(buffer.driftCorrection) <= 0.001)
  }

  mutating func listen(_ script: inout Script<Int64>) { if isPulled { pull(&script) } else { poll(&script) } }
}

@c(LLVMFuzzerTestOneInput)
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start, count > 4 else { return 0 }
  var script = Script<Int64>(bytes: Array(UnsafeBufferPointer(start: start, count: count)))
  let kind = script.byte()
  let rates: [UInt32] = [8000, 11_025, 16_000, 44_100, 48_000, 90_000, 96_000, 24_000]
  var configuration = JitterBuffer.Configuration(
    clockRate: rates[Int(kind >> 2 & 7)], target: .milliseconds(script.byte()), isContinuous: kind & 0x20 == 0)
  let isAdaptive = kind & 1 == 1
  if isAdaptive {
    let lower = Interval.milliseconds(script.byte())
    configuration.adaptation = JitterBuffer.Adaptation(
      lateBudget: Double(script.byte()) / 1000, limits: lower...(lower + .milliseconds(script.byte() * 8)))
  }
  configuration.packetLimit = Watcher.packetLimit
  configuration.byteLimit = Watcher.byteLimit
  configuration.keepsPayloads = kind & 0x40 == 0
  var watcher = Watcher(
    buffer: JitterBuffer(configuration), isAdaptive: isAdaptive,
    isPulled: isAdaptive && configuration.isContinuous && kind & 2 == 2)
  while !script.isOver { step(&watcher, &script, rate: configuration.clockRate) }
  finish(&watcher)
  return 0
}

func step(_ watcher: inout Watcher, _ script: inout Script<Int64>, rate: UInt32) {
  switch script.byte() {
  case 0..<160:
    let form = script.byte()
    let lengths: [Int64] = [20, 20, 20, 20, 10, 60, 5, 0]
    let duration = lengths[Int(form & 7)] * Int64(rate) / 1000
    var packet = BufferedPacket(
      sequence: watcher.sequence, timestamp: watcher.timestamp, duration: duration, arrival: watcher.now,
      isSilence: form & 8 == 8, carriesFEC: form & 16 == 16)
    if form & 32 == 32 { packet.copy = form & 64 == 64 ? .redundant : .retransmission }
    if form & 128 == 128 {
      packet.sequence += script.number() % (1 << 16)
      packet.timestamp += script.number()
    }
    watcher.insert(packet, bytes: Int(form & 64))
    watcher.sequence += 1
    watcher.timestamp += duration
    if watcher.isPulled { watcher.pull(&script) } else { watcher.now += .milliseconds(20) }
  case 160..<200: watcher.listen(&script)
  case 200..<215: watcher.now += .microseconds(script.byte() * 1000)
  case 215..<220: watcher.now += .milliseconds(max(0, script.number()) % 100_000)
  case 220..<228:
    // Further than this a receiver takes it for a restart.
    watcher.sequence += script.number() % 3000
    watcher.timestamp += script.number()
  case 228..<232:
    // A receiver counts on behind all that it has seen.
    watcher.sequence = max(watcher.sequence, watcher.highest) + JitterBuffer.restartMargin
    watcher.buffer.restart(at: watcher.sequence)
    watcher.timestamp = script.number()
  case 232..<234: watcher.buffer.holdStart(until: watcher.now + .milliseconds(script.byte()))
  case 234: watcher.now = watcher.now - .milliseconds(script.byte())
  case 235: watcher.buffer.end()
  default:
    // A loss, or a pause of the sender.
    watcher.sequence += script.byte() & 1
    watcher.timestamp += script.byte() * Int64(rate) / 50
  }
}

/// Plays everything to the end: each packet that was taken in is played or given up.
func finish(_ watcher: inout Watcher) {
  watcher.buffer.end()
  var script = Script<Int64>(bytes: [])
  for _ in 0..<64 where watcher.buffer.packetCount > 0 {
    if watcher.isPulled {
      for _ in 0..<20_000 where watcher.buffer.packetCount > 0 {
        watcher.pull(&script)
        watcher.now += .milliseconds(9)
      }
    } else {
      watcher.now += .seconds(3600)
      watcher.poll(&script)
    }
  }
  precondition(watcher.buffer.packetCount == 0, "packets are left")
  precondition(watcher.stored == watcher.played + watcher.discarded, "packets are lost")
  precondition(watcher.buffer.counts.played == watcher.played)
  precondition(watcher.buffer.counts.discarded == watcher.discarded)
}
