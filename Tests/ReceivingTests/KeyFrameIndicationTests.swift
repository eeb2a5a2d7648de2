import Packets
import Receiving
import Statistics
import Testing
import Timeline

/// When a receiver of video asks for a key frame, and when it says that it has.
struct KeyFrameIndicationTests {
  @Test func `a request for which there is no room isn't counted, and is made once there is`() {
    var ear = Ear { $0.formats.described[96] = VideoEncoding.vp8.format }
    for number in UInt16(0)..<40 where number != 5 {
      // A payload of VP8 (RFC 7741) with a whole frame in it, of which the first one is a key frame.
      var payload: [UInt8] = [0x10]
      payload += number == 0 ? [0x10, 2, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xf0, 0] : [0x11, 2, 0]
      payload += [UInt8](repeating: 0, count: 50)
      let datagram = Ear.rtp(number, timestamp: UInt32(number) * 3_000, type: 96, payload: payload)
      ear.take(datagram, at: Int64(number) * 33)
    }
    // An empty receiver report and the name take 24 bytes, and an indication 12.
    let cramped = Self.indications(of: &ear, room: 30, at: 1_320)
    #expect(cramped == 0)
    #expect(ear.session.streams.first?.pictures?.keyFrameRequests == 0)
    let roomy = Self.indications(of: &ear, room: 1_500, at: 1_900)
    #expect(roomy == 1)
    #expect(ear.session.streams.first?.pictures?.keyFrameRequests == 1)
  }

  @Test func `a sender of which nothing comes any more is asked once, and again when something does`() {
    var ear = Ear { $0.formats.described[96] = VideoEncoding.vp8.format }
    func take(_ number: UInt16, at milliseconds: Int64) {
      let payload: [UInt8] = [0x10, 0x11, 2, 0]
      ear.take(Ear.rtp(number, timestamp: UInt32(number) * 3_000, type: 96, payload: payload), at: milliseconds)
    }
    for number in UInt16(0)..<10 { take(number, at: Int64(number) * 33) }
    var asked = 0
    for time in stride(from: 400, to: 5_000, by: 100) {
      asked += Self.indications(of: &ear, room: 1_500, at: Int64(time))
    }
    #expect(asked == 1)
    take(10, at: 5_000)
    take(11, at: 5_033)
    for time in stride(from: 5_100, to: 9_000, by: 100) {
      asked += Self.indications(of: &ear, room: 1_500, at: Int64(time))
    }
    #expect(asked == 2)
  }

  /// How many indications are written into a buffer of this size.
  private static func indications(of ear: inout Ear, room: Int, at milliseconds: Int64) -> Int {
    var bytes = [UInt8](repeating: 0, count: room)
    var count = 0
    while true {
      var span = bytes.mutableSpan
      let now = Instant.zero + .milliseconds(milliseconds)
      guard let size = ear.session.pollReport(into: &span, at: now) else { return count }
      let datagram = Array(bytes[..<size])
      guard var cursor = try? CompoundCursor(validating: datagram.span.bytes) else { return count }
      while let part = cursor.next(in: datagram.span.bytes) {
        if part.type == RTCPHeader.PacketType.payloadFeedback { count += 1 }
      }
    }
  }
}
