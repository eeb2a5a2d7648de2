// modules: Timeline Packets Statistics Buffering Pictures Receiving Dissection
// Any file is a capture: the parser hands out frames and goes on or refuses, the analysis finds what there is, and at the
// end every frame is in one class and every sum closes. The first byte says in which pieces the file comes.
import Buffering
import Dissection
import Packets
import Receiving
import Statistics
import Timeline

@c(LLVMFuzzerTestOneInput)
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start, count > 1 else { return 0 }
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  let piece = max(1, Int(input[0]) * 8)
  let bytes = Array(input[1...])
  var configuration = CaptureAnalysis.Configuration(seed: 1)
  configuration.arrivalLimit = 100
  configuration.keepsPayloads = input[0] & 1 == 1
  var analysis = CaptureAnalysis(configuration)
  var parser = CaptureParser()
  let perform: CaptureAnalysis.Performer = { (_, stream, decision, session) in
    if case .play(let packet, let slot, let skip) = decision, skip <= packet.duration {
      _ = session.withPayload(of: stream, in: slot) { $0.byteCount }
    }
    return nil
  }
  var waiting: [UInt8] = []
  var offset = 0
  do {
    while true {
      let end = min(bytes.count, offset + piece)
      waiting += bytes[offset..<end]
      offset = end
      let flow = parser.recordedFlow
      let done = try parser.parse(waiting.span.bytes, isLast: offset == bytes.count) { (frame, about) in
        if let type = about.linkType {
          guard let link = LinkLayer(type: type) else { return analysis.skip(linkType: type, at: about.time) }
          analysis.handle(frame, link: link, at: about.time, perform: perform)
        } else if let flow {
          analysis.handle(datagram: frame, length: about.length, of: flow, at: about.time, perform: perform)
        }
      }
      waiting.removeFirst(done)
      if offset == bytes.count, done == 0 { break }
    }
  } catch {}
  analysis.finish(perform: perform)
  check(analysis)
  return 0
}

func check(_ analysis: CaptureAnalysis) {
  let counts = analysis.counts
  let classes =
    counts.rtp + counts.rtcp + counts.stun + counts.dtls + counts.other + counts.segments + counts.fragments
    + counts.foreign + counts.malformed + counts.unfollowed + counts.unreadable
  precondition(classes == counts.frames, "a frame in no class, or in two")
  var rtp = 0
  for source in analysis.sources {
    rtp += source.session.datagrams.rtp
    for stream in source.session.streams {
      let statistics = stream.statistics
      let playout = stream.playout
      precondition(statistics.unique == playout.played + playout.late + playout.discarded.total)
      precondition(statistics.expected == playout.played + playout.recovered + playout.concealed)
      if let replay = stream.replay(target: .milliseconds(60)) { precondition(replay.late <= replay.unique) }
    }
  }
  precondition(rtp == counts.rtp, "RTP that went nowhere")
}
