// modules: Timeline Packets Statistics Buffering Pictures Receiving
// A receiver of video is driven by the input's bytes: the first says of which kind, or that it is synthetic; then packets
// with any number, timestamp, marker and payload at any time. Nothing traps or hangs, every expected frame is in one class,
// what is handed out is in order, within the limits, and complete just as often as it is counted, and every packet is in
// one class.
import Buffering
import Packets
import Pictures
import Receiving
import Statistics
import Timeline

struct Viewer {
  var session: ReceiveSession
  var now = Instant.zero
  var next = 0
  var complete = 0
  var decodable = 0

  mutating func drain() {
    var steps = 0
    while session.pollPlayout(at: now) != nil {
      steps += 1
      precondition(steps < 100_000, "it plays without end")
    }
    var bytes: [UInt8] = []
    for stream in session.streams {
      while let frame = session.pollFrame(of: stream.id, into: &bytes) {
        precondition(bytes.count <= 8 << 20, "a frame without limit")
        if frame.missingPackets == 0 { complete += 1 }
        if frame.isDecodable { decodable += 1 }
        precondition(!frame.isDecodable || frame.missingPackets == 0, "decodable though something is missing")
      }
    }
    var datagram = [UInt8](repeating: 0, count: 1500)
    var span = datagram.mutableSpan
    for _ in 0..<20 where session.pollReport(into: &span, at: now) == nil { break }
  }
}

/// One run of the fuzzer.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var script = Script<Int>(bytes: Array(UnsafeBufferPointer(start: start, count: count)))
  let kind = script.byte()
  var configuration = ReceiveSession.Configuration(ssrc: 1, cname: "fuzz", seed: 1)
  // Synthetic video has a payload type of its own.
  let encoding: VideoEncoding? = kind & 3 == 3 ? nil : VideoEncoding.allCases[kind % 3]
  configuration.formats.described[96] = encoding?.format
  if kind & 8 != 0 { configuration.adaptation = JitterBuffer.Adaptation() }
  configuration.target = .milliseconds(Int64(kind & 0xf0))
  configuration.keepsPayloads = kind & 4 == 0
  var viewer = Viewer(session: ReceiveSession(configuration))
  var number: UInt16 = 65_530
  var timestamp: UInt32 = 0xffff_f000
  var packets = 0
  var clock = DecodeClock(clockRate: 90_000)
  while !script.isOver, packets < 2000 {
    packets += 1
    let flags = script.byte()
    // Usually the next number, and the same frame or the next one.
    if flags & 1 != 0 { number &+= UInt16(truncatingIfNeeded: script.byte() &- 128) } else { number &+= 1 }
    if flags & 2 != 0 { timestamp &+= UInt32(truncatingIfNeeded: (script.byte() &- 96) &* 1500) }
    if flags & 4 != 0 { viewer.now = viewer.now + .milliseconds(Int64(script.byte())) }
    if flags & 8 != 0 { timestamp = UInt32(truncatingIfNeeded: script.byte() << 24) }
    var datagram = [UInt8](repeating: 0, count: 12)
    var span = datagram.mutableSpan
    _ = RTPHeader(
      marker: flags & 16 != 0, payloadType: encoding == nil ? FormatTable.syntheticType : 96,
      sequenceNumber: SequenceNumber(number), timestamp: RTPTimestamp(timestamp), ssrc: 7
    ).write(into: &span)
    _ = clock.note(Int64(number), timestamp: Int64(timestamp), at: viewer.now)
    precondition(clock.count <= DecodeClock.frameLimit, "a clock that remembers without limit")
    if encoding == nil, flags & 64 != 0 {
      var beginning = [UInt8](repeating: 0, count: SyntheticPiece.size)
      var piece = beginning.mutableSpan
      SyntheticPiece.allCases[script.byte() % SyntheticPiece.allCases.count].write(into: &piece)
      datagram += beginning
    }
    let size = script.byte()
    for index in 0..<(flags & 32 != 0 ? 188 * (size % 8) : size) {
      datagram.append(index % 188 == 0 && encoding == .mpegTS ? 0x47 : UInt8(truncatingIfNeeded: script.byte()))
    }
    viewer.drain()
    viewer.session.handleRTP(datagram.span.bytes, from: Peer(id: 1), at: viewer.now)
    viewer.drain()
  }
  viewer.session.stop()
  viewer.now = viewer.now + .seconds(3600 * 24)
  viewer.drain()
  var frames = 0
  var shown = 0
  for stream in viewer.session.streams {
    guard let pictures = stream.pictures else {
      precondition(encoding == nil, "video without pictures")
      continue
    }
    precondition(
      pictures.expected == pictures.complete + pictures.damaged + pictures.late + pictures.lost, "a frame in no class")
    precondition(pictures.undecodable <= pictures.complete)
    frames += pictures.complete
    shown += pictures.shown
    let playout = stream.playout
    precondition(
      playout.played + playout.late + playout.discarded.total + playout.stillBuffered == stream.statistics.unique,
      "a packet in no class")
  }
  // A transport stream's frames are datagrams, and of synthetic ones there is nothing to hand out.
  if let encoding, encoding != .mpegTS, configuration.keepsPayloads {
    precondition(viewer.complete == frames, "handed out other frames than were counted")
    precondition(viewer.decodable == shown, "other frames could be decoded than were counted")
  }
  return 0
}
