import Packets
import Testing
import Timeline

@Suite struct `Session descriptions` {
  private static let opus = SessionDescription(
    origin: SessionDescription.Origin(sessionID: 7, version: 1, address: ConnectionAddress("192.0.2.1")),
    name: "jitterbug", connection: ConnectionAddress("239.1.2.3", timeToLive: 16),
    media: [
      MediaDescription(
        port: 5_004,
        payloads: [
          MediaDescription.Payload(payloadType: 111, format: .opus, parameters: "sprop-stereo=1"),
          MediaDescription.Payload(payloadType: 0, format: .staticType(0)),
        ], rtcpPort: 5_004, muxesRTCP: true, packetTime: .microseconds(2_500),
        source: MediaDescription.Source(ssrc: 4_242, cname: "a@b")),
      MediaDescription(
        kind: "video", port: 5_006,
        payloads: [
          MediaDescription.Payload(
            payloadType: 96, format: PayloadFormat(encodingName: "H264", clockRate: 90_000))
        ], connection: ConnectionAddress("ff15::1")),
    ])

  private static let text = [
    "v=0", "o=- 7 1 IN IP4 192.0.2.1", "s=jitterbug", "c=IN IP4 239.1.2.3/16", "t=0 0",
    "m=audio 5004 RTP/AVP 111 0", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 sprop-stereo=1", "a=rtpmap:0 PCMU/8000",
    "a=ptime:2.5", "a=rtcp:5004", "a=rtcp-mux", "a=ssrc:4242 cname:a@b",
    "m=video 5006 RTP/AVP 96", "c=IN IP6 ff15::1", "a=rtpmap:96 H264/90000", "",
  ].joined(separator: "\r\n")

  @Test func `writes what RFC 8866 asks for`() { #expect(Self.opus.description == Self.text) }

  @Test func `reads what it writes`() throws {
    #expect(try SessionDescription(parsing: Self.text) == Self.opus)
    let bytes = Array(Self.text.utf8)
    #expect(try SessionDescription(parsing: bytes.span) == Self.opus)
    #expect(Self.opus.connection(of: Self.opus.media[0])?.address == "239.1.2.3")
    #expect(Self.opus.connection(of: Self.opus.media[1])?.address == "ff15::1")
    #expect(Self.opus.media[0].format(of: 111)?.description == "opus/48000/2")
    #expect(Self.opus.media[0].format(of: 112) == nil)
  }

  @Test func `reads what ffmpeg prints`() throws {
    let session = try SessionDescription(
      parsing: """
        SDP:
        v=0
        o=- 0 0 IN IP4 127.0.0.1
        s=No Name
        c=IN IP4 127.0.0.1
        t=0 0
        a=tool:libavformat 59.27.100
        m=audio 5004 RTP/AVP 97
        b=AS:96
        a=rtpmap:97 opus/48000/2
        a=fmtp:97 sprop-stereo=1
        """)
    #expect(session.media.count == 1)
    #expect(session.media[0].port == 5_004)
    #expect(session.media[0].payloads == [.init(payloadType: 97, format: .opus, parameters: "sprop-stereo=1")])
    #expect(session.connection == ConnectionAddress("127.0.0.1"))
  }

  @Test func `skips what it doesn't know and takes static types without rtpmap`() throws {
    let session = try SessionDescription(
      parsing: "v=0\nx=1\nm=audio 49170/2 RTP/SAVPF 8 127\na=candidate:1\na=rtpmap:5 X/1\n\nnonsense\n"
        + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n")
    #expect(session.media[0].format(of: 8)?.description == "PCMA/8000")
    #expect(session.media[0].payloads[1].format == nil)
    #expect(session.media[1].payloads == [])
  }

  @Test(arguments: [
    ("", SDPParseError.noVersion), ("hello\nm=audio", .noVersion), ("v=1", .wrongVersion(line: 1)),
    ("v=0\nc=IN IP5 x", .malformed(line: 2, expected: "c=IN IP4 192.0.2.1")),
    ("v=0\n\nc=IN IP4 239.1.1.1/300", .malformed(line: 3, expected: "c=IN IP4 192.0.2.1")),
    ("v=0\nm=audio 70000 RTP/AVP 0", .malformed(line: 2, expected: "m=audio 5004 RTP/AVP 111")),
    ("v=0\nm=audio 5004 RTP/AVP 128", .malformed(line: 2, expected: "m=audio 5004 RTP/AVP 111")),
    (
      "v=0\nm=audio 1 RTP/AVP 96\na=rtpmap:96 opus/0",
      .malformed(line: 3, expected: "a=rtpmap:111 opus/48000/2")
    ),
    ("v=0\nm=audio 1 RTP/AVP 96\na=rtcp:x", .malformed(line: 3, expected: "a=rtcp:5005")),
    ("v=0\n" + String(repeating: "m=audio 1 RTP/AVP 0\n", count: 65), .tooManyMedia(line: 66)),
    ("v=0\n" + String(repeating: "x", count: 65_533), .tooLong(bytes: 65_537)),
  ])
  func `says which line is wrong`(text: String, error: SDPParseError) {
    #expect(throws: error) { try SessionDescription(parsing: text) }
    #expect(error.description.hasSuffix("."))
  }

  @Test func `a text can't begin a line of its own`() {
    var session = Self.opus
    session.name = "x\r\nm=audio 1 RTP/AVP 0"
    session.media[0].source?.cname = "a\u{0}\nb"
    #expect(session.description.split(separator: "\r\n").filter { $0.hasPrefix("m=") }.count == 2)
  }

  @Test func `each prefix and each change of one bit is refused or written back to the same description`() {
    let whole = Array(Self.text.utf8)
    let prefixes = (0...whole.count).map { Array(whole.prefix($0)) }
    for bytes in prefixes + Vectors.flips(of: whole) {
      guard let session = try? SessionDescription(parsing: bytes.span) else { continue }
      #expect((try? SessionDescription(parsing: session.description)) == session)
    }
  }
}

@Suite struct `Payload formats` {
  @Test func `the static types are those of RFC 3551 tables 4 and 5`() {
    #expect(PayloadFormat.staticType(0)?.description == "PCMU/8000")
    #expect(PayloadFormat.staticType(9)?.description == "G722/8000")
    #expect(PayloadFormat.staticType(10)?.description == "L16/44100/2")
    #expect(PayloadFormat.staticType(34)?.description == "H263/90000")
    #expect((35...255).allSatisfy { PayloadFormat.staticType($0) == nil })
    #expect([1, 2, 19, 20, 24, 27, 29, 30].allSatisfy { PayloadFormat.staticType($0) == nil })
  }

  @Test func `names are compared without regard to case`() {
    #expect(PayloadFormat(encodingName: "OPUS", clockRate: 48_000, channels: 2) == .opus)
    #expect(PayloadFormat(encodingName: "opus", clockRate: 48_000, channels: 1) != .opus)
  }

  @Test func `asks for extended reports and reads what others ask for`() throws {
    var media = MediaDescription(port: 5004, payloads: [])
    media.extendedReports = MediaDescription.understoodReports
    var session = SessionDescription()
    session.media = [media]
    let text = session.description
    #expect(
      text.contains("\r\na=rtcp-xr:pkt-loss-rle pkt-dup-rle pkt-rcpt-times rcvr-rtt=sender stat-summary=loss,dup,jitt"))
    #expect(try SessionDescription(parsing: text).media[0].extendedReports == MediaDescription.understoodReports)
    #expect(try SessionDescription(parsing: text + "a=rtcp-xr:\r\n").media[0].extendedReports == "")
  }
}
