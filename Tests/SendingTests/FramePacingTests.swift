import Sending
import Testing

struct FramePacingTests {
  /// When the last packet of a frame leaves, in milliseconds after the first: its packets have 1172 bytes.
  private func end(of bytes: Int, interval milliseconds: Int64, share: Double? = nil) -> Int64 {
    let count = (bytes + 1_171) / 1_172
    return FramePacing(share: share, clockRate: 90_000).offset(
      ofPacket: count - 1, of: count, frameBytes: bytes, duration: milliseconds * 90) / 90
  }

  @Test func `By itself a frame takes half of its interval, and 20 ms at most`() {
    #expect((7...8).contains(end(of: 100_000, interval: 16)))
    #expect((15...16).contains(end(of: 100_000, interval: 33)))
    #expect((19...20).contains(end(of: 100_000, interval: 200)))
  }

  @Test func `A frame above 90 Mbit a second takes longer, but no more than 35 ms or half of its interval`() {
    #expect((25...26).contains(end(of: 300_000, interval: 200)))
    // Key frames of 4K at 5 frames a second: a receiver waits 60 ms for them.
    #expect((34...35).contains(end(of: 887_000, interval: 200)))
    #expect((34...35).contains(end(of: 8 << 20, interval: 10_000)))
    #expect((15...16).contains(end(of: 887_000, interval: 33)))
  }

  @Test func `A share that was asked for is kept`() {
    #expect((198...199).contains(end(of: 887_000, interval: 200, share: 1)))
    #expect(end(of: 887_000, interval: 200, share: 0) == 0)
  }
}
