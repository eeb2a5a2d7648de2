import Packets
import Receiving
import Statistics
import Testing
import Timeline

@testable import Dissection

@Suite struct `Streams are found without being told` {
  @Test func `by three packets that go on, from the first of them`() throws {
    var listening = Listening()
    for number in 65_530..<65_630 where number != 65_540 { listening.hear(Frames.rtp(number)) }
    listening.hear(Frames.rtp(65_600))
    listening.end()
    let stream = try #require(listening.streams.first)
    #expect(listening.streams.count == 1)
    #expect(stream.statistics.received == 100 && stream.statistics.expected == 100)
    #expect(stream.statistics.lost == 1 && stream.statistics.duplicates == 1)
    #expect(listening.analysis.sources[0].firstFrame == 1)
    #expect(stream.format == PayloadFormat(encodingName: "PCMU", clockRate: 8000))
  }

  @Test func `both ways, each in its direction`() {
    var listening = Listening()
    for number in 0..<20 {
      listening.hear(Frames.rtp(number, ssrc: 1), then: .milliseconds(10))
      listening.hear(Frames.rtp(number, ssrc: 2), flow: Frames.flow.reversed, then: .milliseconds(10))
    }
    listening.end()
    #expect(listening.analysis.sources.map(\.ssrc) == [1, 2])
    #expect(listening.analysis.sources.map(\.isReverse) == [false, true])
  }

  @Test func `with the same source before and behind a relay, each by itself`() {
    var listening = Listening()
    let behind = Flow(source: Frames.destination, destination: NetworkEndpoint(ipv4: 0x0a00_0003, port: 6000))
    for number in 0..<50 {
      listening.hear(Frames.rtp(number), then: .milliseconds(1))
      if number % 5 != 3 { listening.hear(Frames.rtp(number), flow: behind, then: .milliseconds(19)) }
    }
    listening.end()
    #expect(listening.streams.map(\.statistics.duplicates) == [0, 0])
    #expect(listening.streams.map(\.statistics.lost) == [0, 10])
  }

  @Test func `of several sources on one port, with STUN, DTLS and RTCP between`() throws {
    var listening = Listening()
    let stun: [UInt8] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + [UInt8](repeating: 3, count: 12)
    let dtls: [UInt8] = [22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4]
    for number in 0..<30 {
      listening.hear(Frames.rtp(number, ssrc: 1))
      listening.hear(Frames.rtp(number, ssrc: 2, type: 111, timestamp: number * 960), then: .zero)
      if number % 10 == 0 { listening.hear(stun, then: .zero) }
      if number == 5 { listening.hear(dtls, then: .zero) }
      if number == 12 { listening.hear(Frames.rtcp(ssrc: 1, packets: 13), then: .zero) }
    }
    listening.end()
    let counts = listening.analysis.counts
    #expect(counts.rtp == 60 && counts.stun == 3 && counts.dtls == 1 && counts.rtcp == 1 && counts.other == 0)
    #expect(listening.streams.map(\.statistics.received) == [30, 30])
    #expect(listening.streams[0].cname == "mouth")
    #expect(listening.analysis.sources.allSatisfy { $0.isEncrypted })
  }

  @Test func `with RTCP on the next port, whose goodbye ends them`() throws {
    var listening = Listening()
    let beside = Flow(
      source: Frames.source.with(port: 4001), destination: Frames.destination.with(port: 5001))
    listening.hear(Frames.rtp(0))
    // So early that nobody knows yet that it is a stream.
    listening.hear(Frames.rtcp(ssrc: 0xfeed_0001, packets: 1), flow: beside, then: .zero)
    for number in 1..<30 { listening.hear(Frames.rtp(number)) }
    listening.hear(Frames.rtcp(ssrc: 0xfeed_0001, packets: 31, isGoodbye: true), flow: beside, then: .zero)
    listening.hear(Frames.rtp(99, ssrc: 3))
    listening.end()
    let stream = try #require(listening.streams.first)
    #expect(stream.cname == "mouth" && stream.sent?.packets == 31)
    #expect(stream.end == .stopped || stream.end == .goodbye)
    #expect(listening.analysis.counts.rtcp == 2)
  }

  @Test func `with RTCP from a port of its own`() throws {
    var listening = Listening()
    let elsewhere = Flow(source: Frames.source.with(port: 61_000), destination: Frames.destination.with(port: 5001))
    for number in 0..<30 { listening.hear(Frames.rtp(number)) }
    listening.hear(Frames.rtcp(ssrc: 0xfeed_0001, packets: 30, isGoodbye: true), flow: elsewhere, then: .seconds(5))
    listening.hear(Frames.rtp(0, ssrc: 2))
    listening.end()
    #expect(listening.streams.first?.end == .goodbye && listening.streams.first?.sent?.packets == 30)
  }

  @Test func `inside the channels of TURN`() {
    var listening = Listening()
    for number in 0..<20 {
      let packet = Frames.rtp(number)
      listening.hear([0x40, 1] + Frames.big(UInt16(packet.count)) + packet)
    }
    listening.end()
    #expect(listening.streams.map(\.statistics.received) == [20])
  }

  @Test func `when only the beginning of each packet was captured`() {
    var listening = Listening()
    for number in 0..<20 {
      let frame = Frames.frame(Frames.rtp(number))
      listening.analysis.handle(
        frame.span.bytes.extracting(first: 14 + 20 + 8 + 12), link: .ethernet, at: listening.now)
      listening.now += .milliseconds(20)
    }
    listening.end()
    #expect(listening.streams.map(\.statistics.received) == [20])
    #expect(listening.streams.map(\.statistics.bytes) == [20 * 172])
    #expect(listening.analysis.counts.cut == 20)
  }

  @Test func `and too few packets are listed, not called a stream`() {
    var listening = Listening()
    listening.hear(Frames.rtp(1, ssrc: 5, type: 116))
    listening.hear(Frames.rtp(2, ssrc: 5, type: 116))
    listening.hear(Frames.rtp(9, ssrc: 6), flow: Frames.flow.reversed)
    listening.end()
    #expect(listening.streams.isEmpty)
    #expect(listening.analysis.shortStreams.map(\.packets) == [2, 1])
    #expect(listening.analysis.shortStreams.map(\.ssrc) == [5, 6])
    #expect(listening.analysis.counts.other == 3 && listening.analysis.counts.rtp == 0)
  }

  @Test func `of two packets on a port that is named`() {
    var listening = Listening { $0.ports = [5000] }
    listening.hear(Frames.rtp(1))
    listening.hear(Frames.rtp(2))
    listening.end()
    #expect(listening.streams.map(\.statistics.received) == [2])
  }

  @Test func `of one source only, when only that is wanted`() {
    var listening = Listening { $0.ssrc = 2 }
    for number in 0..<20 {
      listening.hear(Frames.rtp(number, ssrc: 1))
      listening.hear(Frames.rtp(number, ssrc: 2))
    }
    listening.end()
    #expect(listening.streams.map(\.ssrc) == [2])
    #expect(listening.analysis.counts.unfollowed == 20)
  }

  @Test(
    arguments: [8_000, 16_000, 32_000, 48_000, 90_000])
  func `with the clock that the packets show`(rate: Int) throws {
    var listening = Listening()
    var generator = SeededGenerator(seed: UInt64(rate))
    let payload = (0..<20).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    for number in 0..<200 {
      let wait = Interval(seconds: generator.nextUnit() * 0.03)
      let frame = Frames.frame(Frames.rtp(number, type: 101, timestamp: number * rate / 50, payload: payload))
      listening.analysis.handle(frame.span.bytes, link: .ethernet, at: listening.now + wait)
      listening.now += .milliseconds(20)
    }
    listening.end()
    #expect(try #require(listening.streams.first).format.clockRate == UInt32(rate))
    #expect(listening.streams[0].statistics.received == 200)
  }

  @Test func `though a stamp of the capture leaps by a hundred years and back`() throws {
    var listening = Listening { $0.formats.option = .opus }
    for number in 0..<100 {
      if number == 50 { listening.now += .seconds(86_400 * 36_500) }
      if number == 51 { listening.now = listening.now - .seconds(86_400 * 36_500) }
      listening.hear(Frames.rtp(number, type: 111, timestamp: number * 960, payload: [0xf8, 1, 2, 3]))
    }
    listening.end()
    #expect(listening.streams.reduce(0) { $0 + $1.statistics.received } >= 98)
    #expect(try #require(listening.streams.last).statistics.jitter.last < 0.1)
    #expect(listening.analysis.counts.backwards == 1)
  }
}

@Suite struct `What isn't RTP isn't taken for it` {
  @Test func `random payloads: none of 200,000 makes a stream or a line`() {
    var listening = Listening()
    var generator = SeededGenerator(seed: 11)
    for number in 0..<200_000 {
      let size = Int(generator.next() % 200) + 1
      var bytes: [UInt8] = []
      bytes.reserveCapacity(size + 8)
      while bytes.count < size { withUnsafeBytes(of: generator.next()) { bytes += $0 } }
      let flow = Flow(
        source: Frames.source.with(port: UInt16(1024 + number % 16)), destination: Frames.destination)
      listening.hear(Array(bytes[..<size]), flow: flow, then: .milliseconds(1))
    }
    listening.end()
    #expect(listening.streams.isEmpty)
    #expect(listening.analysis.shortCount == 0)
    #expect(listening.analysis.counts.rtcp == 0)
  }

  @Test func `random payloads with RTP's first byte and a constant where its source stands`() {
    // The hardest noise: version, type and source fit, numbers and timestamps are random.
    var listening = Listening()
    var generator = SeededGenerator(seed: 12)
    for _ in 0..<20_000 {
      let noise = generator.next()
      listening.hear(
        [0x80, 0] + Frames.big(UInt16(truncatingIfNeeded: noise)) + Frames.big(UInt32(truncatingIfNeeded: noise >> 16))
          + [0, 0, 0, 9] + [UInt8](repeating: 1, count: 100), then: .milliseconds(20))
    }
    listening.end()
    // Three numbers within 3,000 of each other whose timestamps fit too happen once in 800,000 packets.
    #expect(listening.streams.reduce(0) { $0 + $1.statistics.received } < 10)
  }

  @Test func `names, addresses and time: DNS, DHCP, NTP`() {
    var listening = Listening()
    var generator = SeededGenerator(seed: 13)
    for number in 0..<3000 {
      let id = UInt16(truncatingIfNeeded: generator.next())
      let query =
        Frames.big(id) + [1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + Array("\u{3}www\u{7}example\u{3}com".utf8) + [0, 0, 1, 0, 1]
      listening.hear(query, flow: Flow(source: Frames.source, destination: Frames.destination.with(port: 53)))
      // Queries with an id that counts.
      let counting = Frames.big(UInt16(0x8000 + number)) + query[2...]
      listening.hear(
        counting, flow: Flow(source: Frames.source.with(port: 7), destination: Frames.destination.with(port: 53)))
      let time: [UInt8] = [0xa3, 2, 6, 0xe9] + [UInt8](repeating: 0, count: 8) + Frames.big(generator.next())
      listening.hear(
        time + [UInt8](repeating: 0, count: 28),
        flow: Flow(source: Frames.source, destination: Frames.destination.with(port: 123)))
    }
    listening.end()
    #expect(listening.streams.isEmpty)
    #expect(listening.analysis.shortCount == 0)
  }

  @Test func `QUIC, WireGuard, SIP and T.38`() {
    var listening = Listening()
    var generator = SeededGenerator(seed: 14)
    let connection = Frames.big(generator.next())
    for number in 0..<3000 {
      let noise = (0..<40).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      let first = UInt8(truncatingIfNeeded: generator.next())
      listening.hear([0x40 | first & 0x3f] + connection + noise)
      listening.hear([0xc0 | first & 0x3f, 0, 0, 0, 1, 8] + connection + noise)
      // QUIC with its fixed bit greased (RFC 9287) can have any first byte.
      listening.hear([0x80 | first & 0x3f] + connection + noise, flow: Frames.flow.reversed)
      listening.hear([4, 0, 0, 0, 1, 2, 3, 4] + Frames.big(UInt64(number)) + noise)
      listening.hear(Array("REGISTER sip:example.com SIP/2.0\r\nCSeq: \(number) REGISTER\r\n\r\n".utf8))
      listening.hear(Frames.big(UInt16(0x8000 + number)) + [6, 0xc0, 1, 0x80, 0, 0, 0xff, 1, 2, 3, 4, 5])
    }
    listening.end()
    #expect(listening.streams.isEmpty)
  }
}
