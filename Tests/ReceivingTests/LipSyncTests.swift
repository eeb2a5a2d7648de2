import Buffering
import Packets
import Statistics
import Testing
import Timeline

@testable import Receiving

struct LipSyncTests {
  /// A stream's timing; delays in ms.
  private static func timing(
    _ stream: Int, needs needed: Int64, isPlayedAt actual: Int64? = nil, added: Int64 = 0, of name: String = "a@b",
    isVideo: Bool = false
  ) -> StreamTiming {
    StreamTiming(
      stream: stream, ssrc: UInt32(stream), cname: name, isVideo: isVideo, needed: .milliseconds(needed),
      actual: .milliseconds(actual ?? needed + added), added: .milliseconds(added))
  }

  @Test(arguments: [(40, 70), (70, 40)] as [(Int64, Int64)])
  func `whichever is early waits for the other`(audio: Int64, video: Int64) throws {
    var lipSync = LipSync()
    let changes = lipSync.update(
      [Self.timing(1, needs: audio), Self.timing(2, needs: video, isVideo: true)], at: .zero)
    let early = audio < video ? 1 : 2
    #expect(changes.count == 1)
    #expect(changes.first?.stream == early)
    #expect(changes.first?.added == .milliseconds(30))
    let figures = try #require(lipSync.statistics[early])
    #expect(figures.reference == UInt32(3 - early))
    #expect(figures.skewWithout == .milliseconds(-30))
    #expect(figures.added == .milliseconds(30))
  }

  @Test func `it measures without doing anything when told so`() {
    var lipSync = LipSync(isMeasuring: true)
    let timings = [Self.timing(1, needs: 40), Self.timing(2, needs: 70, isVideo: true)]
    #expect(lipSync.update(timings, at: .zero).isEmpty)
    #expect(lipSync.statistics[1]?.skew == .milliseconds(-30))
    #expect(lipSync.statistics[1]?.added == .zero)
  }

  @Test func `streams of audio alone, and of different senders, are left as they are`() {
    var lipSync = LipSync()
    #expect(lipSync.update([Self.timing(1, needs: 40), Self.timing(2, needs: 70)], at: .zero).isEmpty)
    let strangers = [Self.timing(1, needs: 40), Self.timing(2, needs: 70, of: "c@d", isVideo: true)]
    #expect(lipSync.update(strangers, at: .zero).isEmpty)
    #expect(lipSync.statistics.isEmpty)
  }

  @Test func `a delay that is set is changed once it has been wrong by more than 10 ms for a second`() {
    var lipSync = LipSync()
    var added: Int64 = 0
    var changes: [Int64] = []
    for step in Int64(0)..<60 {
      // From 2 s on the path of the video is 8 ms longer, from 4 s on 25 ms.
      let video: Int64 = step < 20 ? 70 : step < 40 ? 78 : 95
      let timings = [Self.timing(1, needs: 40, added: added), Self.timing(2, needs: video, isVideo: true)]
      for change in lipSync.update(timings, at: .zero + .milliseconds(step * 100)) {
        added = change.added.nanoseconds / 1_000_000
        changes.append(step)
      }
    }
    #expect(changes == [0, 50])
    #expect(added == 55)
  }

  @Test func `clocks that are more than two seconds apart are no reason to wait`() {
    var lipSync = LipSync()
    #expect(
      lipSync.update([Self.timing(1, needs: 40), Self.timing(2, needs: 3_000, isVideo: true)], at: .zero).isEmpty)
    #expect(lipSync.statistics[1]?.skew == .milliseconds(-2_960))
  }

  @Test func `what sessions have forgotten isn't remembered, whatever senders call themselves`() {
    var lipSync = LipSync()
    for sender in 0..<1_000 {
      let timings = [
        Self.timing(2 * sender, needs: 40, of: "\(sender)@b"),
        Self.timing(2 * sender + 1, needs: 70, of: "\(sender)@b", isVideo: true),
      ]
      _ = lipSync.update(timings, at: .zero + .seconds(Int64(sender)))
      // What was set is wrong now.
      _ = lipSync.update(timings, at: .zero + .seconds(Int64(sender)))
      lipSync.forgetStreams(except: Set(2 * sender - 2...2 * sender + 1))
      #expect(lipSync.rememberedStreams.count <= 4)
    }
    #expect(Set(lipSync.statistics.keys) == [1_996, 1_997, 1_998, 1_999])
    #expect(lipSync.statistics[1_998]?.skewWithout == .milliseconds(-30))
  }

  /// One session of a sender whose media arrives after a path of its own, and when its packets are played.
  private struct Side {
    var ear: Ear
    let path: Int64
    let units: UInt32
    let type: UInt8
    var played: [Int64: Instant] = [:]

    init(path: Int64, isVideo: Bool) {
      self.path = path
      units = isVideo ? 1_800 : 960
      type = isVideo ? 96 : 111
      ear = Ear {
        if isVideo { $0.formats.described[96] = VideoEncoding.h264.format }
        $0.firstStream = isVideo ? 100 : 0
      }
    }

    mutating func play(until now: Instant) {
      while let (_, decision) = ear.session.pollPlayout(at: now) {
        if case .play(let packet, _, _) = decision { played[packet.timestamp / Int64(units)] = now }
      }
    }
  }

  @Test func `media of one instant is played at one instant, whatever the paths are`() throws {
    // The video's path is 30 ms longer.
    var sides = [Side(path: 10, isVideo: false), Side(path: 40, isVideo: true)]
    var lipSync = LipSync()
    let origin: Int64 = 1_700_000_000_000_000_000
    for now in Int64(0)..<4_000 {
      let instant = Instant.zero + .milliseconds(now)
      for index in sides.indices {
        sides[index].play(until: instant)
        let sent = now - sides[index].path
        guard sent >= 0, sent % 20 == 0 else { continue }
        let number = UInt16(sent / 20)
        // A packet each 20 ms: of video one that is a frame, a slice that others refer to.
        let payload: [UInt8] = index == 0 ? [0xf8, 1, 2, 3] : [number == 0 ? 0x65 : 0x41, 0x88, 1, 2, 3]
        var datagram = Ear.rtp(
          number, ssrc: UInt32(index + 1), timestamp: UInt32(number) * sides[index].units, type: sides[index].type,
          payload: payload)
        if index == 1 { datagram[1] |= 0x80 }
        sides[index].ear.session.handleRTP(datagram.span.bytes, from: Peer(id: 1), at: instant)
        guard number % 25 == 10 else { continue }
        let report = SenderReport(
          ssrc: UInt32(index + 1), ntp: NTPTimestamp(unixNanoseconds: origin + sent * 1_000_000),
          rtpTimestamp: RTPTimestamp(UInt32(number) * sides[index].units), packetCount: UInt32(number) + 1,
          octetCount: 0)
        var bytes = [UInt8](repeating: 0, count: 300)
        var span = bytes.mutableSpan
        var writer = CompoundWriter()
        _ = writer.senderReport(report, into: &span)
        _ = writer.sourceDescription(ssrc: UInt32(index + 1), cname: "a@b".utf8, into: &span)
        let control = Array(bytes[..<writer.count])
        sides[index].ear.session.handleRTCP(control.span.bytes, from: Peer(id: 1), at: instant)
      }
      guard lipSync.isDue(at: instant) else { continue }
      let timings = sides.flatMap { $0.ear.session.timings(at: instant) }
      for (stream, delay) in lipSync.update(timings, at: instant) {
        for index in sides.indices where sides[index].ear.session.stream(stream) != nil {
          _ = sides[index].ear.session.setAddedDelay(delay, of: stream)
        }
      }
    }
    // Without it audio is played 30 ms early, as before the first reports; then at the same time.
    func skew(_ number: Int64) throws -> Interval {
      try #require(sides[0].played[number]) - #require(sides[1].played[number])
    }
    #expect(try skew(2) == .milliseconds(-30))
    for number in Int64(60)..<180 { #expect(try skew(number) == .zero) }
    #expect(lipSync.statistics[0]?.added == .milliseconds(30))
    #expect(lipSync.statistics[100]?.reference == 2)
  }
}
