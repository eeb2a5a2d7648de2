import Packets
import Pictures
import Statistics
import TestSupport
import Testing
import Timeline

/// How a broken picture of H.264 becomes whole again without an IDR picture.
struct RefreshTests {
  /// An access unit, each NAL unit in a packet of its own.
  private struct Picture {
    var units: [[UInt8]]
    /// When it is shown, in frames.
    var time: Int64
  }

  /// A picture with these NAL units before it.
  private func picture(_ type: Character, number: Int, time: Int64, before: [[UInt8]] = []) -> Picture {
    var slice = H264Maker.Slice()
    slice.isIDR = type == "D"
    switch type {
    case "D", "I": slice.type = 2
    case "P": slice.type = 0
    default: slice.type = 1
    }
    slice.reference = type == "b" ? 0 : 2
    slice.frameNumber = number
    slice.order = Int(2 * time)
    let sequence = H264Maker.Sequence()
    let sets = slice.isIDR ? [sequence.unit, H264Maker.pictureSet()] : []
    return Picture(units: sets + before + [slice.unit(sequence)], time: time)
  }

  /// Plays pictures, those at some places lost.
  private func play(_ pictures: [Picture], lost: Set<Int>) -> (frames: [ReceivedFrame], statistics: PictureStatistics) {
    var track = PictureTrack(encoding: .h264, clockRate: 90_000)
    var sequence: Int64 = 0
    for (place, picture) in pictures.enumerated() {
      for (index, unit) in picture.units.enumerated() {
        sequence += 1
        if lost.contains(place) { continue }
        let now = Instant.zero + .milliseconds(Int64(place) * 33)
        let timestamp = picture.time * 3_000
        guard let due = track.place(unit.span.bytes, sequence: sequence, timestamp: timestamp, at: now) else {
          Issue.record("a unit of picture \(place) is refused")
          continue
        }
        track.arrive(
          sequence: sequence, timestamp: timestamp, marker: index == picture.units.count - 1, bytes: unit.count,
          isLate: false)
        _ = track.play(unit.span.bytes, sequence: sequence, time: due.time, due: now)
      }
    }
    _ = track.passTime()
    var frames: [ReceivedFrame] = []
    var bytes: [UInt8] = []
    while let frame = track.pollFrame(into: &bytes) { frames.append(frame) }
    return (frames, track.statistics)
  }

  @Test func `After a break in an open group what is shown before its first picture isn't decodable`() {
    let pictures = [
      picture("D", number: 0, time: 0), picture("P", number: 1, time: 3), picture("b", number: 2, time: 1),
      picture("b", number: 2, time: 2), picture("I", number: 2, time: 6, before: [H264Maker.recoveryPoint]),
      picture("b", number: 3, time: 4), picture("b", number: 3, time: 5), picture("P", number: 3, time: 9),
      picture("b", number: 4, time: 7), picture("b", number: 4, time: 8),
    ]
    let whole = play(pictures, lost: [])
    #expect(whole.frames.count == 10 && whole.frames.allSatisfy(\.isDecodable))
    #expect(whole.statistics.undecodable == 0 && whole.statistics.reorderDepth == 1)
    let broken = play(pictures, lost: [1])
    #expect(broken.frames.filter(\.isDecodable).map { $0.timestamp / 3_000 } == [0, 6, 9, 7, 8])
    #expect(broken.frames.allSatisfy { !$0.heals })
    #expect(broken.statistics.shown == 5 && broken.statistics.undecodable == 4)
  }

  @Test func `What is missing before the first picture of an open group breaks nothing behind it`() {
    // Of the leading pictures the one in the middle is a reference to the others.
    let pictures = [
      picture("D", number: 0, time: 0), picture("P", number: 1, time: 2), picture("b", number: 2, time: 1),
      picture("I", number: 2, time: 6, before: [H264Maker.recoveryPoint]),
      picture("B", number: 3, time: 4), picture("b", number: 4, time: 3), picture("b", number: 4, time: 5),
      picture("P", number: 4, time: 7), picture("P", number: 5, time: 8),
    ]
    let broken = play(pictures, lost: [1, 4])
    #expect(broken.frames.filter(\.isDecodable).map { $0.timestamp / 3_000 } == [0, 6, 7, 8])
    // Without a break before, its loss is one itself.
    #expect(play(pictures, lost: [4]).frames.filter(\.isDecodable).map { $0.timestamp / 3_000 } == [0, 2, 1, 6])
  }

  @Test func `A field that is lost breaks what comes behind it, though frame_num goes on`() {
    let sequence: H264Maker.Sequence = {
      var sequence = H264Maker.Sequence()
      sequence.hasOnlyFrames = false
      return sequence
    }()
    let fields = (0..<12).map { place in
      var slice = H264Maker.Slice()
      slice.isIDR = place == 0
      slice.type = place == 0 ? 2 : 0
      slice.frameNumber = place / 2
      slice.field = place % 2
      slice.order = place
      let sets = place == 0 ? [sequence.unit, H264Maker.pictureSet()] : []
      return Picture(units: sets + [slice.unit(sequence)], time: Int64(place))
    }
    #expect(play(fields, lost: []).statistics.shown == 12)
    for lost in 4...6 {
      #expect(play(fields, lost: [lost]).frames.filter(\.isDecodable).count == lost, "without field \(lost)")
    }
  }

  @Test func `A refresh without key frames heals after as many frames as it says`() {
    // recovery_frame_cnt is 3: ue(v) 00100.
    let supplement: [UInt8] = [0x06, 0x06, 0x01, 0x24, 0x80]
    let pictures = (0..<30).map { place in
      picture(
        place == 0 ? "D" : "P", number: place & 15, time: Int64(place),
        before: place == 10 || place == 20 ? [supplement] : [])
    }
    /// The places of all pictures but these.
    func others(_ hidden: ClosedRange<Int64>) -> [Int64] { (0..<30).filter { !hidden.contains($0) } }
    let cases: [(lost: Set<Int>, shown: [Int64], healing: [Int64])] = [
      ([], others(30...30), []), ([5], others(5...12), [10, 11, 12]), ([5, 11], others(5...22), [10, 20, 21, 22]),
    ]
    for (lost, shown, healing) in cases {
      let (frames, statistics) = play(pictures, lost: lost)
      #expect(frames.filter(\.isDecodable).map { $0.timestamp / 3_000 } == shown)
      #expect(frames.filter(\.heals).map { $0.timestamp / 3_000 } == healing)
      #expect(statistics.shown == shown.count)
    }
  }
}
