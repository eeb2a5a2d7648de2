import Packets
import Pictures
import Statistics
import Testing
import Timeline

/// Telling video by its packets' looks.
struct VideoGuessTests {
  private func guess(_ packets: [(payload: [UInt8], timestamp: UInt32, marker: Bool)]) -> VideoEncoding? {
    VideoGuess.encoding(
      of: packets.enumerated().map { number, packet in
        VideoGuess(
          packet.payload.span.bytes, sequence: UInt16(65_535) &+ UInt16(number), timestamp: packet.timestamp,
          marker: packet.marker)
      })
  }

  @Test func `H.264 is told by its NAL units and its markers`() {
    let parameters: [UInt8] = [0x67, 0x4d, 0, 30]
    let first: [UInt8] = [0x7c, 0x85, 0x88]
    #expect(guess([(parameters, 1, false), (first, 1, false)]) == .h264)
    #expect(guess([([0x41, 0x9a], 1, true), ([0x01, 0x9e], 3001, true)]) == .h264)
    // A marker where the timestamp stays, and none where it changes.
    #expect(guess([([0x41, 0x9a], 1, true), ([0x41, 0x9a], 1, false)]) == nil)
    #expect(guess([([0x41, 0x9a], 1, false), ([0x41, 0x9a], 3001, false)]) == nil)
    // A single packet proves nothing.
    #expect(guess([(parameters, 1, false)]) == nil)
  }

  @Test func `VP8 is told by where its frames begin`() {
    let key: [UInt8] = [0x90, 0x80, 0x81, 0x10, 0x02, 0, 0x9d, 1, 0x2a]
    let rest: [UInt8] = [0x80, 0x80, 0x81, 1, 2, 3]
    #expect(guess([(key, 1, false), (rest, 1, true), (key, 3001, false)]) == .vp8)
    #expect(guess([(rest, 1, true), (rest, 3001, false)]) == nil)
  }

  @Test func `A transport stream is told by its sync bytes`() {
    let packets = ([0x47] + [UInt8](repeating: 1, count: 187)) + ([0x47] + [UInt8](repeating: 2, count: 187))
    #expect(guess([(packets, 1, false), (packets, 1, false)]) == .mpegTS)
    #expect(guess([(Array(packets.dropLast()), 1, false), (packets, 1, false)]) != .mpegTS)
  }

  @Test func `Audio without markers is no video`() {
    #expect(guess([([0x65, 1, 2], 160, false), ([0x65, 3, 4], 320, false)]) == nil)
    #expect(guess([([], 160, true), ([], 320, true)]) == nil)
  }
}

/// What a track makes of payloads that are wrong.
struct PictureTrackTests {
  private func isValid(_ payload: [UInt8], _ encoding: VideoEncoding) -> Bool {
    var track = PictureTrack(encoding: encoding, clockRate: 90_000)
    return track.place(payload.span.bytes, sequence: 1, timestamp: 1, at: .zero) != nil
  }

  @Test(
    arguments: [
      ([], "empty"), ([0xe5, 0x88], "forbidden bit"), ([0x7c, 0xc5, 1], "first and last fragment"),
      ([0x18], "aggregate of nothing"), ([0x18, 0, 9, 0x65], "length that overruns"),
      ([0x18, 0, 0, 0x65], "empty unit"),
      ([0x19, 0, 0], "unknown type"), ([0x7c], "cut fragment"),
    ] as [([UInt8], String)])
  func `An invalid payload of H.264 is refused`(payload: [UInt8], name: String) {
    #expect(!isValid(payload, .h264), "\(name)")
  }

  @Test func `Every length and every single bit of payloads is read without a trap`() {
    let payloads: [(VideoEncoding, [UInt8])] = [
      (.h264, [0x18, 0, 4, 0x67, 0x4d, 0, 30, 0, 3, 0x65, 0x88, 0x80, 0, 5, 0x06, 6, 1, 0xc4, 0x80]),
      (.h264, [0x7c, 0x85, 0x88, 0x84, 0, 0, 3, 1]),
      (.vp8, [0x90, 0xf0, 0x81, 0x10, 2, 0x21, 0x10, 2, 0, 0x9d, 1, 0x2a]),
      (.mpegTS, [0x47, 0x41, 0, 0x30, 7, 0x50, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0xff, count: 176)),
    ]
    var accepted = 0
    for (encoding, payload) in payloads {
      #expect(isValid(payload, encoding))
      for length in 0...payload.count where isValid(Array(payload.prefix(length)), encoding) { accepted += 1 }
      for bit in 0..<payload.count * 8 {
        var changed = payload
        changed[bit / 8] ^= 1 << (bit % 8)
        if isValid(changed, encoding) { accepted += 1 }
      }
    }
    #expect(accepted > 100)
  }

  @Test func `Frames nobody fetches don't fill the memory`() {
    var track = PictureTrack(encoding: .h264, clockRate: 90_000)
    let payload: [UInt8] = [0x65, 0x88] + [UInt8](repeating: 1, count: 60_000)
    for number in 0..<2000 as Range<Int64> {
      let now = Instant.zero + .milliseconds(number)
      _ = track.place(payload.span.bytes, sequence: number, timestamp: number * 3000, at: now)
      track.arrive(sequence: number, timestamp: number * 3000, marker: true, bytes: payload.count, isLate: false)
      _ = track.play(payload.span.bytes, sequence: number, time: number * 3000, due: now)
    }
    var bytes: [UInt8] = []
    var numbers: [Int] = []
    while let frame = track.pollFrame(into: &bytes) { numbers.append(frame.number) }
    #expect(numbers == Array(1936..<2000))
    #expect(track.statistics.complete == 2000)
  }
}
