// modules: Timeline Packets
// The first byte says how the rest is cut into payloads; they are put together with gaps, and frames cut again.
import Packets

@c(LLVMFuzzerTestOneInput)
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  guard let first = input.first else { return 0 }
  let step = 1 + Int(first & 0x3f)
  var depacketizer = VP8Depacketizer()
  var frame: [UInt8] = []
  var offset = 1
  while offset < count {
    let end = min(offset + step, count)
    let payload = input.span.bytes.extracting(offset..<end)
    let before = frame.count
    if input[offset] & 0x40 != 0 { depacketizer.noteGap() }
    if let (descriptor, size) = VP8Descriptor.parse(payload) {
      precondition((1...6).contains(size) && size <= payload.byteCount, "a descriptor longer than its payload")
      checkWriting(descriptor)
    }
    if let piece = depacketizer.append(payload, to: &frame) {
      precondition(frame.count <= before + payload.byteCount - 1, "more bytes than the payload has")
      precondition(!piece.isKey || piece.beginsFrame, "a key that begins nothing")
    } else {
      precondition(frame.count == before, "an invalid payload was appended")
    }
    if input[offset] & 0x08 != 0 {
      checkCutting(frame, limit: 5 + step)
      depacketizer.endFrame()
      frame.removeAll()
    }
    offset = end
  }
  return 0
}

/// A descriptor that is written reads as the same, its unused parts apart.
func checkWriting(_ descriptor: VP8Descriptor) {
  var bytes = [UInt8](repeating: 0xee, count: 6)
  var span = bytes.mutableSpan
  guard let size = descriptor.write(into: &span) else { preconditionFailure("six bytes are enough") }
  let again = VP8Descriptor.parse(bytes.span.bytes.extracting(0..<size))
  precondition(again?.size == size && again?.descriptor == descriptor, "another descriptor comes back")
}

/// A frame that is cut into payloads comes together again.
func checkCutting(_ frame: [UInt8], limit: Int) {
  _ = VP8FrameHeader(parsing: frame.span.bytes)
  guard !frame.isEmpty else { return }
  var packetizer = VP8Packetizer(payloadLimit: limit, pictureID: limit)
  var depacketizer = VP8Depacketizer()
  var again: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: limit)
  var payloads = 0
  repeat {
    var span = buffer.mutableSpan
    guard let length = packetizer.next(of: frame.span.bytes, into: &span) else {
      preconditionFailure("a frame with bytes has payloads")
    }
    precondition(depacketizer.append(buffer.span.bytes.extracting(0..<length), to: &again) != nil, "our own is invalid")
    payloads += 1
  } while !packetizer.isAtEnd
  precondition(again == frame && payloads == packetizer.count(of: frame.span.bytes), "the frame changed")
}
