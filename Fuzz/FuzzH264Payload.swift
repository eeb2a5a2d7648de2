// modules: Timeline Packets
// Any payloads in any order, with gaps and ends of frames between them: a frame is whole NAL units within its limit,
// and what our packetizer makes of it comes together again. The bytes are steps: a length of two bytes, whose two
// highest bits say whether a gap or the end of the frame comes first, and the payload.
import Packets

@c(LLVMFuzzerTestOneInput)
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  var depacketizer = H264Depacketizer()
  var frame: [UInt8] = []
  var offset = 0
  while offset + 2 <= input.count {
    let head = Int(input[offset]) << 8 | Int(input[offset + 1])
    offset += 2
    if head & 0x8000 != 0 { depacketizer.noteGap(in: &frame) }
    if head & 0x4000 != 0 {
      depacketizer.endFrame(in: &frame)
      check(frame, limit: 3 + head % 64)
      frame.removeAll()
    }
    let payload = Array(input[offset..<min(offset + head & 0x3fff, input.count)])
    offset += payload.count
    let before = frame.count
    let piece = depacketizer.append(payload.span.bytes, to: &frame)
    precondition((piece == nil) == (depacketizer.fault != nil), "a refusal has a reason")
    precondition(piece != nil || frame.count <= before, "what is refused isn't appended")
    precondition(frame.count <= VideoEncoding.frameLimit)
    precondition(frame.isEmpty || frame.starts(with: [0, 0, 0, 1]))
    precondition(piece?.beginsFrame != true || before == 0, "nothing begins in the middle")
  }
  depacketizer.endFrame(in: &frame)
  check(frame, limit: 1_160)
  headers(input)
  return 0
}

/// Sends a frame through payloads; what hostile payloads smuggled in, a start code for one, is taken for what it says.
func check(_ frame: [UInt8], limit: Int) {
  var packetizer = H264Packetizer(payloadLimit: limit)
  var depacketizer = H264Depacketizer()
  var buffer = [UInt8](repeating: 0, count: limit)
  var other: [UInt8] = []
  var payloads = 0
  repeat {
    var span = buffer.mutableSpan
    guard let length = packetizer.next(of: frame.span.bytes, into: &span) else { break }
    precondition((1...limit).contains(length))
    payloads += 1
    precondition(depacketizer.append(buffer.span.bytes.extracting(0..<length), to: &other) != nil)
  } while !packetizer.isAtEnd
  depacketizer.endFrame(in: &other)
  precondition(packetizer.count(of: frame.span.bytes) == payloads)
  let (before, after) = (units(of: frame), units(of: other))
  precondition(after.filter { !isSet($0) } == before.filter { !isSet($0) }, "NAL units are changed or lost")
  // Parameter sets that are repeated behind a slice are left out.
  precondition(Set(after.filter(isSet)) == Set(before.filter(isSet)), "parameter sets are changed or lost")
}

func isSet(_ unit: [UInt8]) -> Bool { unit.first.map { H264NAL(header: $0).isParameterSet } ?? false }

/// The NAL units that can be sent.
func units(of frame: [UInt8]) -> [[UInt8]] {
  var cursor = AnnexBCursor()
  var units: [[UInt8]] = []
  while let range = cursor.next(in: frame.span.bytes) {
    if let header = frame[range].first, H264NAL(header: header).isWhole { units.append(Array(frame[range])) }
  }
  return units
}

/// Takes the bytes for NAL units with parameters and for SDP's text.
func headers(_ input: [UInt8]) {
  var sets = H264ParameterSets()
  var cursor = AnnexBCursor()
  while let range = cursor.next(in: input.span.bytes) {
    let unit = Array(input[range])
    _ = sets.take(unit.span.bytes)
    _ = H264NAL.isRecoveryPoint(unit.span.bytes)
    if let header = H264SliceHeader(parsing: unit.span.bytes, with: sets) {
      precondition(header.firstMacroblock <= 1 << 24 && header.pictureSet <= 255)
    }
  }
  precondition(sets.units.count <= 32 + 256)
  let format = H264Format(parsing: String(decoding: input.prefix(2_000), as: UTF8.self))
  precondition(format.parameterSets.count <= H264Format.maximumParameterSets)
  precondition(H264Format(parsing: format.description) == format, "what is written is read back")
}
