// modules: Timeline Packets
// Any stream, cut anywhere: the same datagrams as in one piece. The first byte is the size of the pieces.
import Packets

@c(LLVMFuzzerTestOneInput)
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start, count > 1 else { return 0 }
  let stream = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
  let whole = deframed(stream, pieceSize: stream.count)
  let pieces = deframed(stream, pieceSize: Int(start[0]) + 1)
  precondition(whole.datagrams == pieces.datagrams, "the cuts change what is found")
  precondition(whole.inside == pieces.inside, "the cuts change where the stream ends")

  var offset = 0
  var expected: [[UInt8]] = []
  while offset + 2 <= stream.count {
    let end = offset + 2 + Int(stream[offset]) << 8 + Int(stream[offset + 1])
    guard end <= stream.count else { break }
    if end > offset + 2 { expected.append(Array(stream[(offset + 2)..<end])) }
    offset = end
  }
  precondition(whole.datagrams == expected, "other datagrams than the prefixes tell")
  precondition(whole.inside == (offset < stream.count))
  return 0
}

func deframed(_ stream: [UInt8], pieceSize: Int) -> (datagrams: [[UInt8]], inside: Bool) {
  var deframer = StreamDeframer()
  var datagrams: [[UInt8]] = []
  for start in stride(from: 0, to: stream.count, by: pieceSize) {
    let piece = Array(stream[start..<min(start + pieceSize, stream.count)])
    deframer.feed(piece.span.bytes) { datagram in
      datagrams.append(datagram.withUnsafeBytes { Array($0) })
    }
  }
  return (datagrams, deframer.isInsideFrame)
}
