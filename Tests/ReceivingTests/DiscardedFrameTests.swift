import Packets
import Pictures
import Receiving
import Statistics
import Testing
import Timeline

/// Frames that nobody fetches.
struct DiscardedFrameTests {
  private static func film() -> Ear {
    var ear = Ear { $0.formats.described[96] = VideoEncoding.h264.format }
    for number in UInt16(0)..<50 {
      var datagram = Ear.rtp(
        number, timestamp: UInt32(number) * 3_600, type: 96, payload: [number == 0 ? 0x65 : 0x41, 0x88, 1, 2, 3])
      datagram[1] |= 0x80
      ear.take(datagram, at: Int64(number) * 40)
    }
    ear.drain(at: .zero + .seconds(10))
    return ear
  }

  @Test func `wait no longer once they are given up, and are counted all the same`() throws {
    var ear = Self.film()
    let stream = try #require(ear.session.streams.first?.id)
    var bytes: [UInt8] = []
    let first = ear.session.pollFrame(of: stream, into: &bytes)
    #expect(first != nil)
    ear.session.discardFrames(of: stream)
    let next = ear.session.pollFrame(of: stream, into: &bytes)
    #expect(next == nil)
    ear.session.discardFrames(of: stream + 1)
    #expect(ear.session.streams.first?.pictures?.complete == 50)
  }
}
