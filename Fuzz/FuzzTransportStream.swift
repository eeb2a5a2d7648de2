// modules: Timeline Packets
// Any bytes as packets of 188: the payload reader, and the monitor with its tables and counters. A packet that doesn't
// begin with the sync byte gets one in every other input, so that the fuzzer comes further than that. Where a stream can
// end lies at the beginning of one of them.
import Packets

@c(LLVMFuzzerTestOneInput)
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = Array(UnsafeBufferPointer(start: start, count: count))
  guard let first = input.first else { return 0 }
  input.removeFirst()
  if first & 1 == 0 {
    for offset in stride(from: 0, to: input.count, by: 188) { input[offset] = 0x47 }
  }
  var frame: [UInt8] = []
  let piece = TransportDepacketizer.append(input.span.bytes, to: &frame)
  precondition(piece == nil ? frame.isEmpty : frame == input, "a payload that changed")
  precondition(piece == nil || input.count % 188 == 0, "a cut packet")

  var monitor = TransportStreamMonitor()
  var pictures = 0
  var packets = 0
  for offset in stride(from: 0, to: input.count, by: 188) {
    let end = min(offset + 188, input.count)
    if first & 2 != 0, input[offset] == 0 { monitor.noteGap(packets: Int(first)) }
    if let ended = monitor.append(input.span.bytes.extracting(offset..<end)) {
      pictures += 1
      packets += ended.packets
      check(ended)
    }
  }
  if let last = monitor.finish() {
    packets += last.packets
    check(last)
  }
  precondition(monitor.current == nil && monitor.packetCount == (input.count + 187) / 188)
  precondition(packets + monitor.invalidCount <= monitor.packetCount, "more packets than were given")
  precondition(pictures <= monitor.packetCount)

  var ending = TransportEnding()
  let place = ending.take(input.span.bytes)
  precondition(place.map { $0 % 188 == 0 && $0 + 188 <= input.count } ?? true, "a place outside of the packets")
  precondition(ending.hasPicture == (place != nil))
  return 0
}

func check(_ frame: TransportStreamMonitor.Frame) {
  precondition(frame.packets > 0 && frame.bytes <= frame.packets * 184, "a picture of nothing")
  for time in [frame.presentation, frame.decode].compactMap(\.self) {
    precondition((0..<(1 << 33)).contains(time), "a time of more than 33 bits")
  }
}
