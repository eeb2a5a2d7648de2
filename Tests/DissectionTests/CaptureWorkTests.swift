import Receiving
import Statistics
import Testing
import Timeline

@testable import Dissection

/// The sessions' work, done elsewhere and later, has to come to what it comes to when it is done at once.
@Suite struct `Work that is left to sessions elsewhere` {
  /// A capture with all that sessions are told: streams that lose, repeat and overtake, RTCP, a restart, another source
  /// on the same ports, packets cut short, and what is no stream.
  private func frames(seed: UInt64) -> [[UInt8]] {
    var random = SeededGenerator(seed: seed)
    let other = Flow(source: Frames.source.with(port: 4002), destination: Frames.destination.with(port: 5002))
    let beside = Flow(source: Frames.source.with(port: 4001), destination: Frames.destination.with(port: 5001))
    var frames: [[UInt8]] = []
    var late: [UInt8]?
    for number in 0..<400 {
      let jump = number > 250 ? 20_000 : 0
      let packet = Frames.rtp(65_400 + number + jump, timestamp: (number + jump * 7) * 160)
      if random.nextUnit() > 0.1 { frames.append(Frames.frame(packet)) }
      if random.nextUnit() < 0.05 { frames.append(Frames.frame(packet)) }
      if number % 2 == 0 {
        let opus = Frames.rtp(number / 2, ssrc: 2, type: 111, timestamp: number * 480, payload: [0xf8, 1, 2, 3])
        frames.append(Frames.frame(opus, flow: other))
      }
      if let packet = late { frames.append(packet) }
      late = random.nextUnit() < 0.05 ? Frames.frame(Frames.rtp(number + 3, ssrc: 3), flow: other) : nil
      if number > 100 { frames.append(Frames.frame(Frames.rtp(number, ssrc: 3), flow: other)) }
      if number % 50 == 7 { frames.append(Frames.frame(Frames.rtcp(ssrc: 0xfeed_0001, packets: 9), flow: beside)) }
      if number % 90 == 8 { frames.append(Array(Frames.frame(packet).dropLast(50))) }
      if number % 70 == 9 { frames.append(Frames.frame([1, 2, 3, 4, 5, 6, 7, 8, 9])) }
    }
    frames.append(Frames.frame(Frames.rtcp(ssrc: 2, packets: 200, isGoodbye: true), flow: other))
    return frames + (0..<3).map { Frames.frame(Frames.rtp($0, ssrc: 9), flow: other.reversed) }
  }

  private func parse(
    _ bytes: RawSpan, with parser: inout CaptureParser, into analysis: inout CaptureAnalysis
  ) throws -> Int {
    try parser.parse(bytes, isLast: false) { analysis.handle($0, link: .ethernet, at: $1.time) }
  }

  private func expectEqual(_ left: CaptureAnalysis, _ right: CaptureAnalysis) {
    #expect(left.counts == right.counts && left.shortStreams == right.shortStreams)
    #expect(left.sources.map(\.flow) == right.sources.map(\.flow))
    for (one, two) in zip(left.sources, right.sources) {
      #expect(one.session.datagrams == two.session.datagrams)
      #expect(one.session.streams.map(\.end) == two.session.streams.map(\.end))
      #expect(one.session.streams.map(\.cname) == two.session.streams.map(\.cname))
      #expect(one.session.streams.map(\.playout) == two.session.streams.map(\.playout))
      let summaries = [one, two].map { $0.session.streams.map { String(describing: $0.statistics.summary()) } }
      #expect(summaries[0] == summaries[1])
    }
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `comes to the same as work done at once, whatever the blocks`(seed: UInt64) throws {
    let file = CaptureBytes.pcap(frames(seed: seed))
    var whole = CaptureAnalysis(CaptureAnalysis.Configuration(seed: seed))
    var parser = CaptureParser()
    _ = try parse(file.span.bytes, with: &parser, into: &whole)
    whole.finish()
    #expect(whole.sources.map(\.ssrc) == [0xfeed_0001, 2, 3, 9])
    #expect(whole.counts.cut > 0)
    #expect(whole.counts.rtcp > 0)

    var analysis = CaptureAnalysis(CaptureAnalysis.Configuration(seed: seed))
    var sessions = CaptureSessions()
    parser = CaptureParser()
    var spare = CaptureWork()
    var (start, count) = (0, 0)
    while start < file.count {
      let block = Array(file[start..<min(start + 3_000, file.count)])
      // The first blocks are worked on at once, the last one breaks off before its work is taken away.
      if count >= Int(seed) { analysis.leaveWork(in: block.span.bytes, reusing: spare) }
      let done = try parse(block.span.bytes, with: &parser, into: &analysis)
      if count >= Int(seed) {
        let work = analysis.takeWork()
        sessions.perform(work, in: block.span.bytes)
        spare = work
      }
      guard done > 0 else { break }
      start += done
      count += 1
    }
    #expect(start == file.count && count > 20)
    analysis.resume(with: sessions)
    analysis.finish()
    expectEqual(whole, analysis)
  }
}
