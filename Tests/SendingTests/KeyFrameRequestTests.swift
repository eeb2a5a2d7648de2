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
