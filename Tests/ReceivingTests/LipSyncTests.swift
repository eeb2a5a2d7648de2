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
    /// When its added delay was changed.
    var changes: [Instant] = []

    init(path: Int64, isVideo: Bool, _ change: (inout ReceiveSession.Configuration) -> Void) {
      self.path = path
      units = isVideo ? 1_800 : 960
      type = isVideo ? 96 : 111
      ear = Ear {
        if isVideo { $0.formats.described[96] = VideoEncoding.h264.format }
        $0.firstStream = isVideo ? 100 : 0
        change(&$0)
      }
    }

    mutating func play(until now: Instant) {
      while let (_, decision) = ear.session.pollPlayout(at: now) {
        guard case .play(let packet, _, _) = decision else { continue }
        played[packet.timestamp / Int64(units)] = now
        // Nobody stretches here.
        if ear.session.stream(units == 960 ? 0 : 100)?.format == .opus { ear.session.settleStretch(of: 0, by: 0) }
      }
    }
  }

  /// A film whose video takes 30 ms longer, for four seconds; which packet each sender report follows.
  private static func film(
    reportsAfter isReported: (UInt16) -> Bool, lipSync: inout LipSync,
    change: (inout ReceiveSession.Configuration) -> Void = { _ in }
  ) -> [Side] {
    var sides = [Side(path: 10, isVideo: false, change), Side(path: 40, isVideo: true, change)]
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
        while let (_, event) = sides[index].ear.session.pollEvent() { if case .began = event { lipSync.hurry() } }
        guard isReported(number) else { continue }
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
        lipSync.hurry()
      }
      guard lipSync.isDue(at: instant) else { continue }
      let timings = sides.flatMap { $0.ear.session.timings(at: instant) }
      for (stream, delay) in lipSync.update(timings, at: instant) {
        for index in sides.indices where sides[index].ear.session.stream(stream) != nil {
          _ = sides[index].ear.session.setAddedDelay(delay, of: stream)
          sides[index].changes.append(instant)
        }
      }
    }
    return sides
  }

  /// How much later than the picture the sound of an instant was played.
  private static func skew(_ sides: [Side], _ number: Int64) throws -> Interval {
    try #require(sides[0].played[number]) - #require(sides[1].played[number])
  }

  @Test func `media of one instant is played at one instant, whatever the paths are`() throws {
    var lipSync = LipSync()
    let sides = Self.film(reportsAfter: { $0 % 25 == 10 }, lipSync: &lipSync)
    // Without it audio is played 30 ms early, as before the first reports; then at the same time.
    #expect(try Self.skew(sides, 2) == .milliseconds(-30))
    for number in Int64(60)..<180 { #expect(try Self.skew(sides, number) == .zero) }
    #expect(lipSync.statistics[0]?.added == .milliseconds(30))
    #expect(lipSync.statistics[100]?.reference == 2)
  }

  @Test func `reports that follow the first packets keep the media together from the first one on`() throws {
    var lipSync = LipSync()
    let sides = Self.film(reportsAfter: { $0 == 0 }, lipSync: &lipSync)
    for number in Int64(0)..<180 { #expect(try Self.skew(sides, number) == .zero) }
    // The delay was set before anything was played, and never changed.
    #expect(sides[0].changes.count == 1)
    #expect(try #require(sides[0].changes.first) < #require(sides[0].played[0]))
    #expect(sides[1].changes.isEmpty)
    #expect(sides[0].ear.session.streams[0].buffer.counts.concealedUnits == 0)
  }

  @Test func `an adaptive delay begins in time, so that nothing has to be stretched`() throws {
    var lipSync = LipSync()
    let sides = Self.film(reportsAfter: { $0 == 0 }, lipSync: &lipSync) {
      $0.adaptation = JitterBuffer.Adaptation()
      $0.startMargin = LipSync.startMargin
    }
    // Audio is pulled in blocks of 10 ms.
    for number in Int64(0)..<20 {
      let skew = try Self.skew(sides, number).milliseconds
      #expect(abs(skew) <= 10)
    }
    #expect(try #require(sides[0].changes.first) < #require(sides[0].played[0]))
    let counts = sides[0].ear.session.streams[0].buffer.counts
    #expect(counts.stretches == 0)
    #expect(counts.concealedUnits == 0)
  }

  @Test func `a first report that is lost is made up for by the next`() throws {
    var lipSync = LipSync()
    let sides = Self.film(reportsAfter: { $0 == 100 }, lipSync: &lipSync)
    #expect(try Self.skew(sides, 90) == .milliseconds(-30))
    for number in Int64(110)..<180 { #expect(try Self.skew(sides, number) == .zero) }
  }

  @Test func `a goodbye that is read before the packets that it ends is heard`() {
    var ear = Ear()
    ear.takeRTCP(Ear.rtcp(packets: 3, isGoodbye: true), at: 0)
    for number in UInt16(0)..<3 { ear.take(Ear.rtp(number), at: 1) }
    ear.drain(at: .zero + .seconds(5))
    #expect(ear.session.streams.first?.phase == .ended(.goodbye))
    #expect(ear.session.streams.first?.statistics.received == 3)
  }

  @Test func `a goodbye that is said again once its stream has ended doesn't end what the source sends next`() {
    var ear = Ear()
    for number in UInt16(0)..<3 { ear.take(Ear.rtp(number), at: Int64(number) * 20) }
    ear.takeRTCP(Ear.rtcp(packets: 3, isGoodbye: true), at: 60)
    ear.drain(at: .zero + .milliseconds(1_000))
    #expect(ear.session.streams.first?.phase == .ended(.goodbye))
    ear.takeRTCP(Ear.rtcp(packets: 3, isGoodbye: true), at: 1_000)
    for number in UInt16(0)..<100 { ear.take(Ear.rtp(number), at: 2_000 + Int64(number) * 20) }
    #expect(ear.session.streams.count == 2)
    #expect(ear.session.streams.last?.phase == .active)
    #expect(ear.session.streams.last?.statistics.received == 100)
  }

  @Test func `a report that came before its source was believed is kept for two seconds, and of few sources`() {
    func heard(after pause: Int64, others: Int = 0) -> ReceiveStream? {
      var ear = Ear()
      ear.takeRTCP(Ear.rtcp(packets: 0), at: 0)
      for other in 0..<UInt32(others) { ear.takeRTCP(Ear.rtcp(ssrc: 7 + other, packets: 0), at: 0) }
      for number in UInt16(0)..<3 { ear.take(Ear.rtp(number), at: pause + Int64(number) * 20) }
      return ear.session.streams.first
    }
    #expect(heard(after: 100)?.senderOrigin != nil)
    #expect(heard(after: 100, others: 63)?.senderOrigin != nil)
    #expect(heard(after: 100, others: 64)?.senderOrigin == nil)
    #expect(heard(after: 2_100)?.senderOrigin == nil)
  }
}
