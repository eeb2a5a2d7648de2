import Packets
import Receiving
import Statistics
import Testing
import Timeline

@testable import Dissection

@Suite struct `Payload types beside the media` {
  /// A call with a telephone event in the middle: five packets with the time of its beginning (RFC 4733).
  private func call(event: Bool) -> Listening {
    var listening = Listening()
    for number in 0..<200 {
      if event, (100..<105).contains(number) {
        listening.hear(Frames.rtp(number, type: 101, timestamp: 100 * 160, payload: [5, 10, 0, 160]))
      } else {
        listening.hear(Frames.rtp(number))
      }
    }
    listening.end()
    return listening
  }

  @Test func `events count as packets and not as delay; the jitter of the media alone stands beside`() throws {
    let stream = try #require(call(event: true).streams.first)
    let summary = stream.statistics.summary()
    #expect(summary.received == 200 && summary.lost == 0 && summary.reordered == 0)
    #expect(try #require(summary.delayVariation).max < 0.001)
    // As RFC 3550 A.8 counts, four repeated timestamps and the step after them are jitter.
    #expect(summary.jitter.max > 4)
    #expect(try #require(stream.mediaJitter).max < 0.001)
    #expect(stream.playout.discarded[.wrongPayloadType] == 5)
    let plain = try #require(call(event: false).streams.first)
    #expect(plain.mediaJitter == nil)
  }

  @Test func `comfort noise in pauses is no loss`() throws {
    var listening = Listening()
    var timestamp = 0
    for number in 0..<60 {
      let isNoise = number % 20 == 19
      listening.hear(
        Frames.rtp(
          number, type: isNoise ? 13 : 0, timestamp: timestamp,
          payload: isNoise ? [70] : [UInt8](repeating: 1, count: 160)),
        then: .milliseconds(isNoise ? 400 : 20))
      timestamp += isNoise ? 3200 : 160
    }
    listening.end()
    let summary = try #require(listening.streams.first).statistics.summary()
    #expect(listening.streams.count == 1 && summary.lost == 0 && summary.received == 60)
    #expect(summary.jitter.max < 0.001)
  }
}

@Suite struct `Session descriptions in the capture` {
  private static let body = """
    v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 96 101\r\n\
    a=rtpmap:96 G722/8000\r\na=rtpmap:101 telephone-event/8000\r\n
    """

  private func format(of message: [UInt8], flow: Flow, isSegment: Bool = false, type: UInt8 = 96) -> PayloadFormat? {
    var listening = Listening()
    if isSegment {
      let tcp: [UInt8] = Frames.big(UInt16(554)) + [0x10, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x18, 0, 9, 0, 0, 0, 0]
      listening.analysis.handle(
        Frames.ethernet(Frames.ipv4(tcp + message, protocol: 6)).span.bytes, link: .ethernet, at: listening.now)
    } else {
      listening.hear(message, flow: flow)
    }
    for number in 0..<20 { listening.hear(Frames.rtp(number, type: type)) }
    listening.end()
    #expect(listening.analysis.counts.descriptions == 1)
    return listening.streams.first { $0.formatOrigin == .sdp }?.format
  }

  private let other = Flow(
    source: NetworkEndpoint(ipv4: 0x0a00_0009, port: 5060), destination: NetworkEndpoint(ipv4: 0x0a00_0008, port: 5060))

  @Test func `in SIP, RTSP and SAP say what payload types stand for`() {
    let expected = PayloadFormat(encodingName: "G722", clockRate: 8000)
    let sip = "INVITE sip:a@b SIP/2.0\r\nContent-Type: application/sdp\r\n\r\n" + Self.body
    #expect(format(of: Array(sip.utf8), flow: other) == expected)
    let rtsp = "RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\n\r\n" + Self.body
    #expect(format(of: Array(rtsp.utf8), flow: other, isSegment: true) == expected)
    let sap: [UInt8] = [0x20, 0, 0x12, 0x34, 10, 0, 0, 2] + Array("application/sdp".utf8) + [0] + Array(Self.body.utf8)
    #expect(format(of: sap, flow: other) == expected)
    #expect(format(of: Array(sap[..<8]) + Array(Self.body.utf8), flow: other) == expected)
  }

  @Test func `that contradict each other count only where they are named`() {
    var texts = SessionTexts()
    let elsewhere = Self.body.split(separator: "G722").joined(separator: "opus").split(separator: "10.0.0.2")
      .joined(separator: "10.0.0.7")
    for text in [Self.body, elsewhere] { texts.read(Array(text.utf8).span.bytes) }
    #expect(texts.count == 2)
    #expect(texts.formats(of: Frames.flow)[96]?.encodingName == "G722")
    let unnamed = Flow(source: Frames.source, destination: Frames.source)
    #expect(texts.formats(of: unnamed)[96] == nil)
    #expect(texts.formats(of: unnamed)[101]?.encodingName == "telephone-event")
  }
}
