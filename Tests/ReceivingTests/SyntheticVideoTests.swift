import Packets
import Pictures
import Receiving
import Statistics
import Testing
import Timeline

/// Streams of the synthetic source, as a receiver sees them.
struct SyntheticVideoTests {
  /// Forty frames of three packets each, every twentieth a key frame; one packet of the frame `damaged` is missing.
  private static func video(damaged: Int?) -> Ear {
    var ear = Ear()
    for frame in 0..<40 {
      for index in 0..<3 where !(frame == damaged && index == 1) {
        let piece: SyntheticPiece = index > 0 ? .continuation : frame % 20 == 0 ? .keyFrame : .frame
        var payload = [UInt8](repeating: 7, count: 100)
        var span = payload.mutableSpan
        piece.write(into: &span)
        var datagram = Ear.rtp(
          UInt16(frame * 3 + index), timestamp: UInt32(frame) * 3_000, type: FormatTable.syntheticType,
          payload: payload)
        if index == 2 { datagram[1] |= 0x80 }
        ear.take(datagram, at: Int64(frame) * 33 + Int64(index))
      }
    }
    ear.drain(at: .zero + .seconds(10))
    return ear
  }

  @Test func `a stream like a video's has frames, and a damaged one breaks those up to the next key frame`() throws {
    let whole = try #require(Self.video(damaged: nil).session.streams.first?.pictures)
    #expect(whole.expected == 40 && whole.complete == 40 && whole.undecodable == 0)
    #expect(whole.keyFrames == 2)
    #expect(whole.packetsPerFrame.median == 3 && whole.packetsPerFrame.most == 3)
    let broken = try #require(Self.video(damaged: 12).session.streams.first?.pictures)
    #expect(broken.expected == 40 && broken.complete == 39 && broken.damaged == 1)
    #expect(broken.undecodable == 7)
  }

  @Test func `a broken picture is a reason to ask for a key frame, a whole one is none`() throws {
    for (damaged, isAsked) in [(nil, false), (12, false), (32, true)] as [(Int?, Bool)] {
      var ear = Self.video(damaged: damaged)
      var bytes = [UInt8](repeating: 0, count: 1_500)
      for _ in 0..<10 {
        var span = bytes.mutableSpan
        _ = ear.session.pollReport(into: &span, at: .zero + .seconds(10))
      }
      let pictures = try #require(ear.session.streams.first?.pictures)
      // The next one would be half a second later.
      #expect(pictures.keyFrameRequests == (isAsked ? 1 : 0))
    }
  }

  @Test func `a stream like audio has none`() throws {
    var ear = Ear()
    for number in UInt16(0)..<40 {
      ear.take(
        Ear.rtp(
          number, timestamp: UInt32(number) * 1_800, type: FormatTable.syntheticType,
          payload: [UInt8](repeating: 7, count: 160)), at: Int64(number) * 20)
    }
    ear.drain(at: .zero + .seconds(10))
    let stream = try #require(ear.session.streams.first)
    #expect(stream.format == FormatTable.synthetic)
    #expect(stream.pictures == nil)
  }
}
