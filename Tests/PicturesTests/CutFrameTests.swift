import Packets
import Pictures
import Statistics
import Testing
import Timeline

/// What a track makes of frames that aren't what their packets' numbers and markers promise.
struct CutFrameTests {
  private struct Packet {
    /// Nil for one that is lost.
    var payload: [UInt8]?
    var frame: Int64
    var marker: Bool

    init(_ payload: [UInt8]?, _ frame: Int64, marker: Bool = false) {
      self.payload = payload
      self.frame = frame
      self.marker = marker
    }
  }

  private static let key = Packet([0x65, 0x88, 1, 2], 0, marker: true)

  /// Plays packets whose numbers follow each other; the one with the number `late` comes when all others were played.
  ///
  /// H.264's parameter sets are told beforehand, but for what they say.
  private func play(
    _ packets: [Packet], as encoding: VideoEncoding, late: Int? = nil, knowing sets: [[UInt8]] = [[0x67], [0x68]],
    handsOut: Bool = true
  ) -> (frames: [ReceivedFrame], statistics: PictureStatistics) {
    var track = PictureTrack(encoding: encoding, clockRate: 90_000, handsOut: handsOut, parameterSets: sets)
    func arrive(_ number: Int) {
      guard let payload = packets[number].payload else { return }
      let (sequence, timestamp) = (Int64(number), packets[number].frame * 3000)
      let now = Instant.zero + .milliseconds(Int64(number) * 10)
      guard let place = track.place(payload.span.bytes, sequence: sequence, timestamp: timestamp, at: now) else {
        Issue.record("packet \(number) is refused")
        return
      }
      track.arrive(
        sequence: sequence, timestamp: timestamp, marker: packets[number].marker, bytes: payload.count,
        isLate: number == late)
      guard number != late else { return }
      _ = track.play(payload.span.bytes, sequence: sequence, time: place.time, due: now)
    }
    for number in packets.indices where number != late { arrive(number) }
    _ = track.passTime()
    if let late { arrive(late) }
    var frames: [ReceivedFrame] = []
    var bytes: [UInt8] = []
    while let frame = track.pollFrame(into: &bytes) { frames.append(frame) }
    return (frames, track.statistics)
  }

  @Test func `A frame with all its fragments is whole`() {
    let (frames, statistics) = play(
      [Self.key, Packet([0x5c, 0x81, 0x9a, 1], 1), Packet([0x5c, 0x41, 2], 1, marker: true)], as: .h264)
    #expect(statistics.complete == 2 && statistics.damaged == 0)
    #expect(frames.map(\.isDecodable) == [true, true])
  }

  @Test func `A key frame for which no parameter sets came, or only later ones, shows nothing`() {
    let packets = [
      Self.key, Packet([0x67, 0x42], 1), Packet([0x68, 0xce], 1), Packet([0x41, 0x88, 1, 2], 1, marker: true),
      Packet([0x65, 0x88, 1, 2], 2, marker: true),
    ]
    let tellings: [(sets: [[UInt8]], isEnough: Bool)] = [
      ([], false), ([[0x67]], false), ([[0x68]], false), ([[0x67], [0x68]], true),
    ]
    for (sets, isEnough) in tellings {
      let (frames, statistics) = play(packets, as: .h264, knowing: sets)
      #expect(frames.map(\.isDecodable) == [isEnough, isEnough, true])
      #expect(statistics.complete == 3 && statistics.undecodable == (isEnough ? 0 : 2))
      #expect(!statistics.lacksParameterSets)
      #expect(play([Self.key], as: .h264, knowing: sets).statistics.lacksParameterSets == !isEnough)
    }
  }

  @Test(
    arguments: [
      [[0x5c, 0x81, 0x9a, 1]],
      [[0x5c, 0x81, 0x9a, 1], [0x5c, 0x01, 2]],
      [[0x5c, 0x81, 0x9a, 1], [0x5c, 0x81, 0x9b, 1], [0x5c, 0x41, 2]],
      [[0x5c, 0x81, 0x9a, 1], [0x41, 0x9b, 1]],
    ] as [[[UInt8]]])
  func `A frame with a NAL unit that never ends is damaged`(payloads: [[UInt8]]) {
    let rest = payloads.indices.map { Packet(payloads[$0], 1, marker: $0 == payloads.count - 1) }
    let (frames, statistics) = play([Self.key] + rest, as: .h264)
    #expect(statistics.complete == 1 && statistics.damaged == 1)
    // Nor does it depend on whether anybody takes the frames.
    #expect(play([Self.key] + rest, as: .h264, handsOut: false).statistics == statistics)
    #expect(frames.map(\.isDecodable) == [true, false])
    #expect(frames.map { $0.missingPackets == 0 } == [true, false])
  }

  @Test func `A key frame of which only the end is seen shows nothing`() {
    let (frames, statistics) = play([Packet([0x7c, 0x45, 1], 0, marker: true)], as: .h264)
    #expect(statistics.complete == 0 && statistics.damaged == 1)
    #expect(frames.map(\.isDecodable) == [false])
  }

  @Test func `A frame whose last fragment comes too late is late, not damaged`() {
    let packets = [
      Self.key, Packet([0x5c, 0x81, 0x9a, 1], 1), Packet([0x5c, 0x41, 2], 1, marker: true),
      Packet([0x41, 0x9a, 1], 2, marker: true),
    ]
    let (frames, statistics) = play(packets, as: .h264, late: 2)
    #expect(statistics.late == 1 && statistics.damaged == 0)
    #expect(frames.map { $0.missingPackets == 0 } == [true, false, true])
  }

  @Test func `A frame of VP8 without its beginning is damaged`() {
    let key: [UInt8] = [0x10, 0x10, 0, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xf0, 0]
    let (frames, statistics) = play(
      [
        Packet(key, 0, marker: true), Packet([0x00, 1, 2], 1, marker: true),
        Packet([0x10, 0x11, 2], 2, marker: true),
      ], as: .vp8)
    #expect(statistics.complete == 2 && statistics.damaged == 1 && statistics.undecodable == 1)
    #expect(frames.map(\.isDecodable) == [true, false, false])
  }

  @Test func `Frames of VP8 whose numbers have gone round are missed all the same`() {
    for lost in [126, 127, 128, 129] {
      // With a PictureID of seven bits.
      let packets = (0..<200).map { number in
        let head: [UInt8] = [0x90, 0x80, UInt8(number & 127)]
        let key: [UInt8] = [0x10, 0, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xf0, 0]
        let isLost = (20..<(20 + lost)).contains(number)
        return Packet(isLost ? nil : head + (number == 0 ? key : [0x11, 1, 2]), Int64(number), marker: true)
      }
      let statistics = play(packets, as: .vp8).statistics
      #expect(statistics.shown == 20, "without \(lost) frames")
      #expect(statistics.expected == 200 && statistics.lost == lost)
    }
  }

  @Test func `A frame of VP8 that is only referred to is no picture, and costs those behind it when it is missing`() {
    let key: [UInt8] = [0x10, 0x10, 0, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xf0, 0]
    let packets = [
      Packet(key, 0, marker: true), Packet([0x10, 0x01, 2], 1, marker: true), Packet([0x10, 0x11, 2], 2, marker: true),
    ]
    let (frames, statistics) = play(packets, as: .vp8)
    #expect(statistics.complete == 3 && statistics.hidden == 1 && statistics.shown == 3)
    #expect(frames.map(\.isDecodable) == [true, true, true])
    let (_, broken) = play([packets[0], Packet(nil, 1), packets[1], packets[2]], as: .vp8)
    #expect(broken.undecodable == 2 && broken.hidden == 0)
  }

  @Test func `A frame of VP8 without the start code is no key frame`() {
    let (frames, statistics) = play([Packet([0x10, 0x10, 0, 0, 1, 2, 3], 0, marker: true)], as: .vp8)
    #expect(statistics.keyFrames == 0 && statistics.undecodable == 1)
    #expect(frames.map(\.isKey) == [false])
  }

  /// A NAL unit of zeros and ones, with the bits that end it.
  private func unit(_ header: UInt8, _ content: String...) -> [UInt8] {
    var digits = content.joined() + "1"
    while digits.count % 8 != 0 { digits += "0" }
    var bytes = [header]
    var rest = Substring(digits)
    while !rest.isEmpty {
      bytes.append(UInt8(rest.prefix(8), radix: 2) ?? 0)
      rest = rest.dropFirst(8)
    }
    return bytes
  }

  /// ue(v).
  private func number(_ value: Int) -> String {
    let digits = String(value + 1, radix: 2)
    return String(repeating: "0", count: digits.count - 1) + digits
  }

  /// Baseline, 320 x 240, frames in decoding order.
  private func sequence(_ id: Int, frameNumberBits: Int) -> [UInt8] {
    unit(
      0x67, "010000100000000000011110", number(id), number(frameNumberBits - 4), number(2), number(1), "0",
      number(19), number(14), "1", "1", "0", "0")
  }

  @Test func `frame_num goes round by the parameter sets that the slice itself refers to`() {
    var packets = [
      Packet(sequence(0, frameNumberBits: 4), 0), Packet(sequence(1, frameNumberBits: 5), 0),
      Packet(unit(0x68, number(1), number(1), "00"), 0),
      Packet(unit(0x65, "1", number(7), number(1), "00000", "1", "1111"), 0, marker: true),
    ]
    for frame in 1...16 {
      // Before the last one a frame is lost to which nothing refers.
      if frame == 16 { packets.append(Packet(nil, 16, marker: true)) }
      let bits = String(frame + 32, radix: 2).dropFirst()
      let slice = unit(0x41, "1", number(5), number(1), String(bits), "1111")
      packets.append(Packet(slice, Int64(frame == 16 ? 17 : frame), marker: true))
    }
    let (frames, statistics) = play(packets, as: .h264)
    #expect(statistics.complete == 17 && statistics.undecodable == 0)
    #expect(frames.count == 17 && frames.allSatisfy(\.isDecodable))
  }

  @Test(arguments: [(9, 0), (10, 10), (150, 150)])
  func `Pictures of one timestamp are told, from ten on`(pictures: Int, untimed: Int) {
    // Single NAL units: an IDR picture, and others that begin with their first slice.
    let packets = (0..<pictures).map { Packet($0 == 0 ? [0x65, 0x88, 1, 2] : [0x41, 0x9a, 1, 2], 0, marker: true) }
    #expect(play(packets, as: .h264).statistics.untimed == untimed)
    // VP8: the first bytes of partitions, and of frames.
    let frames = (0..<pictures).map { Packet([0x10, $0 == 0 ? 0x10 : 0x11, 2, 0], 0, marker: true) }
    #expect(play(frames, as: .vp8).statistics.untimed == untimed)
    // Once in nine it has a time of its own.
    let mixed = packets + packets.prefix(max(1, pictures / 9)).map { Packet($0.payload, 5, marker: true) }
    #expect((play(mixed, as: .h264).statistics.untimed > 0) == (pictures == 10 || pictures == 150))
    let doubtful = packets + packets.prefix(max(1, pictures / 4)).map { Packet($0.payload, 5, marker: true) }
    #expect(play(doubtful, as: .h264).statistics.untimed == 0)
  }

  @Test func `Many slices, fields, markers and parameter sets of pictures with times raise no alarm`() {
    var packets: [Packet] = []
    for frame in 0..<20 as Range<Int64> {
      // A delimiter, both sets, and two fields of twelve slices each, all with a marker.
      packets += [Packet([0x09, 0x10], frame, marker: true), Packet([0x67, 1], frame), Packet([0x68, 1], frame)]
      for slice in 0..<24 {
        packets.append(Packet([0x41, slice % 12 == 0 ? 0x9a : 0x4a, 1], frame, marker: true))
      }
    }
    #expect(play(packets, as: .h264).statistics.untimed == 0)
    #expect(play(Array(packets.prefix(27)), as: .h264).statistics.untimed == 0)
  }
}
