import Packets
import Sending
import Statistics
import Testing
import Timeline

/// Requests for key frames, and streams that share their pauses.
struct KeyFrameRequestTests {
  private static let receiver: UInt32 = 7

  /// A compound packet: an empty receiver report, then what `body` adds.
  private static func compound(_ body: (inout CompoundWriter, inout MutableSpan<UInt8>) -> Bool) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 1_200)
    var writer = CompoundWriter(limit: 1_200)
    var span = bytes.mutableSpan
    try #require(writer.receiverReport(ssrc: receiver, into: &span))
    try #require(body(&writer, &span))
    return Array(bytes[..<writer.count])
  }

  @Test func `a picture loss indication of this stream counts, of another it doesn't`() throws {
    var session = SendSession(SendSessionTests.configuration())
    _ = SendSessionTests.packetize(&session, offset: 0)
    for (media, total) in [(UInt32(0xdead_beef), 1), (0xdead_beee, 1), (0xdead_beef, 2)] {
      let packet = try Self.compound {
        $0.pictureLossIndication(sender: Self.receiver, media: media, into: &$1)
      }
      session.handleRTCP(packet.span.bytes, at: .zero)
      #expect(session.keyFrameRequests.pictureLosses == total)
    }
    #expect(session.keyFrameRequests.fullIntra == 0)
    #expect(session.farEnds.invalidCount == 0)
  }

  @Test func `a full intra request counts once, however often it is repeated`() throws {
    var session = SendSession(SendSessionTests.configuration())
    _ = SendSessionTests.packetize(&session, offset: 0)
    for (number, total) in [(UInt8(5), 1), (5, 1), (6, 2), (6, 2)] {
      let packet = try Self.compound {
        $0.fullIntraRequest(sender: Self.receiver, media: 0xdead_beef, sequence: number, into: &$1)
      }
      session.handleRTCP(packet.span.bytes, at: .zero)
      #expect(session.keyFrameRequests.fullIntra == total)
      #expect(session.keyFrameRequests.total == total)
    }
  }

  /// A full intra request of this stream.
  private static func request(from sender: UInt32, number: UInt8) throws -> [UInt8] {
    try compound { $0.fullIntraRequest(sender: sender, media: 0xdead_beef, sequence: number, into: &$1) }
  }

  @Test func `requests of several receivers that repeat them in turn count once each`() throws {
    var session = SendSession(SendSessionTests.configuration())
    _ = SendSessionTests.packetize(&session, offset: 0)
    for _ in 0..<3 {
      for sender in UInt32(1)...16 {
        let packet = try Self.request(from: sender, number: 1)
        session.handleRTCP(packet.span.bytes, at: .zero)
      }
    }
    #expect(session.keyFrameRequests.fullIntra == 16)
    // One more takes the place of the one that has been silent for longest, and of no other.
    for sender in [17, 2, 16, 17] as [UInt32] {
      let packet = try Self.request(from: sender, number: 1)
      session.handleRTCP(packet.span.bytes, at: .zero)
    }
    #expect(session.keyFrameRequests.fullIntra == 17)
    let forgotten = try Self.request(from: 1, number: 1)
    session.handleRTCP(forgotten.span.bytes, at: .zero)
    #expect(session.keyFrameRequests.fullIntra == 18)
  }

  @Test func `a malformed request doesn't take the rest of the compound with it`() throws {
    var session = SendSession(SendSessionTests.configuration())
    _ = SendSessionTests.packetize(&session, offset: 0)
    var packet = try Self.compound { _, _ in true }
    // A full intra request with an empty list, one with half an entry, and an indication that doesn't say of what.
    packet += [0x84, 206, 0, 2, 0, 0, 0, 7, 0, 0, 0, 0]
    packet += [0x84, 206, 0, 3, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 7]
    packet += [0x81, 206, 0, 1, 0, 0, 0, 7]
    // A whole indication.
    packet += [0x81, 206, 0, 2, 0, 0, 0, 7, 0xde, 0xad, 0xbe, 0xef]
    session.handleRTCP(packet.span.bytes, at: .zero)
    #expect(session.keyFrameRequests.pictureLosses == 1)
    #expect(session.keyFrameRequests.fullIntra == 0)
    #expect(session.farEnds.invalidCount == 0)
  }

  @Test func `a stream that follows another's pause stays beside it`() {
    var (audio, video) = (
      SendSchedule(start: .zero, clockRate: 48_000), SendSchedule(start: .zero, clockRate: 90_000)
    )
    // Audio is found half a second behind.
    let admission = audio.admit(mediaTime: 48_000, at: .zero + .milliseconds(1_500))
    #expect(admission.followsPause)
    video.follow(pause: audio.pausedTime)
    let difference = video.deadline(of: 180_000) - audio.deadline(of: 96_000)
    #expect(difference > .microseconds(-20) && difference < .microseconds(20))
    #expect(video.pauseCount == 0)
  }
}
