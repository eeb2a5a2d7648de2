// modules: Timeline Buffering
// A recording of everything is driven by the input's bytes: packets with any number, time and size, restarts, polls at any
// time. Nothing traps or hangs, nothing is written twice, what waits stays within the limits, payloads are those that
// were put in, and at the end every packet that was taken in was written or counted as left out.
import Buffering
import Timeline

extension Script<Int64> {
  /// A number with a sign, of any size up to 44 bits: the first byte says how many more there are.
  mutating func number() -> Int64 {
    let count = byte() & 7
    var value: Int64 = count & 1 == 1 ? -1 : 0
    for _ in 0..<count { value = value &<< 8 | byte() }
    return value % (1 << 44)
  }
}

struct Tape {
  var queue: RecordingQueue
  var now = Instant.zero
  var sequence: Int64 = 0
  var timestamp: Int64 = 0
  var offered = 0
  var written = 0
  /// Numbers that were offered, because only first copies come.
  var seen: Set<Int64> = []
  var done: Set<Int64> = []

  mutating func insert(_ packet: BufferedPacket, bytes: Int) {
    guard seen.insert(packet.sequence).inserted else { return }
    offered += 1
    let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: packet.sequence), count: bytes)
    queue.insert(packet, payload: payload.span.bytes)
    precondition(offered - written - queue.omitted <= 2 * 8192, "more waits than there is room for")
  }

  mutating func poll() {
    while let entry = queue.poll(at: now) {
      written += 1
      precondition(done.insert(entry.packet.sequence).inserted, "written twice")
      precondition(seen.contains(entry.packet.sequence), "written though it never came")
      let isRight = queue.withPayload(in: entry.slot) { payload in
        (0..<payload.byteCount).allSatisfy {
          payload.unsafeLoad(fromByteOffset: $0, as: UInt8.self) == UInt8(truncatingIfNeeded: entry.packet.sequence)
        }
      }
      precondition(isRight, "another packet's payload")
    }
  }

  mutating func step(_ script: inout Script<Int64>) {
    switch script.byte() {
    case 0..<120:
      let form = script.byte()
      var packet = BufferedPacket(
        sequence: sequence, timestamp: timestamp, duration: 960, arrival: now, isSilence: form & 8 == 8)
      if form & 1 == 1 { packet.sequence += script.number() % (1 << 17) }
      if form & 2 == 2 { packet.timestamp += script.number() }
      insert(packet, bytes: Int(form & 0xf0) * 8)
      sequence += 1
      timestamp += 960
      now += .milliseconds(20)
    case 120..<160: poll()
    case 160..<180: now += .milliseconds(script.byte() * 100)
    case 180..<190: sequence += script.byte()
    case 190..<200: sequence += script.number() % (1 << 20)
    case 200..<210:
      // As a session does: further numbers lie ahead of all that were seen.
      sequence = max(sequence, seen.max() ?? 0) + JitterBuffer.restartMargin
      timestamp = script.number()
      queue.restart()
    case 210..<215:
      // Many at once.
      for _ in 0..<script.byte() * 64 {
        insert(BufferedPacket(sequence: sequence, timestamp: timestamp, duration: 960, arrival: now), bytes: 64)
        sequence += 1
        timestamp += 960
      }
    case 215: now = now - .milliseconds(script.byte() * 10)
    default:
      insert(
        BufferedPacket(sequence: sequence, timestamp: timestamp, duration: 960, arrival: now), bytes: Int(script.byte())
      )
      sequence += 1
      timestamp += 960
      now += .milliseconds(20)
      poll()
    }
  }
}

@c(LLVMFuzzerTestOneInput)
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start, count > 1 else { return 0 }
  var script = Script<Int64>(bytes: Array(UnsafeBufferPointer(start: start, count: count)))
  let rates: [UInt32] = [8000, 48_000, 90_000, 1, .max]
  var tape = Tape(queue: RecordingQueue(clockRate: rates[Int(script.byte()) % rates.count]))
  while !script.isOver { tape.step(&script) }
  tape.queue.end()
  tape.poll()
  precondition(tape.written + tape.queue.omitted == tape.offered, "packets are lost")
  return 0
}
