import Receiving
import Statistics
import Testing
import Timeline

/// The kernel tells how many datagrams it dropped before each that it queued.
struct SocketDropTests {
  @Test func `the gap at the first packet after the drops is this host's, any other the network's`() {
    var ear = Ear()
    let numbers = Array(0..<50) + Array(53..<60) + Array(70..<100)
    for number in numbers {
      // Three were lost on the network; eight of the ten missing ones before 70 were dropped here.
      let drops = number == 70 ? 8 : 0
      ear.take(Ear.rtp(UInt16(number)), at: Int64(number) * 20, droppedBefore: drops)
    }
    ear.finish()
    let stream = ear.session.streams[0]
    #expect(stream.statistics.lost == 13 && stream.droppedBySocket == 8)
    #expect(ear.session.socketDrops.total == 8 && ear.session.socketDrops.pending == 0)
  }

  @Test func `drops that leave no gap are nobody's`() {
    var ear = Ear()
    for number: UInt16 in 0..<20 {
      ear.take(Ear.rtp(number), at: Int64(number) * 20, droppedBefore: number == 9 ? 4 : 0)
    }
    // A loss on the network later isn't taken for them.
    for number: UInt16 in 25..<40 { ear.take(Ear.rtp(number), at: Int64(number) * 20) }
    ear.finish()
    let stream = ear.session.streams[0]
    #expect(stream.statistics.lost == 5 && stream.droppedBySocket == 0 && ear.session.socketDrops.total == 4)
  }

  @Test func `two streams share the drops by their own gaps`() {
    var ear = Ear()
    for number in 0..<60 where !(20..<30).contains(number) {
      let drops = number == 30 ? 20 : 0
      ear.take(Ear.rtp(UInt16(number)), at: Int64(number) * 20, droppedBefore: drops)
      ear.take(Ear.rtp(UInt16(number), ssrc: 7), at: Int64(number) * 20 + 3, from: 9)
    }
    ear.finish()
    #expect(ear.session.streams.map(\.droppedBySocket) == [10, 10])
  }

  @Test func `a gap of thousands, which must be confirmed by a second packet, is attributed too`() {
    var ear = Ear()
    for number: UInt16 in 0..<200 { ear.take(Ear.rtp(number), at: Int64(number) * 20) }
    for number: UInt16 in 5000..<5100 {
      ear.take(Ear.rtp(number), at: Int64(number) * 20, droppedBefore: number == 5000 ? 4800 : 0)
    }
    ear.finish(at: 10_000_000)
    let stream = ear.session.streams[0]
    #expect(stream.statistics.lost == 4800 && stream.droppedBySocket == 4800)
  }

  @Test func `what a late packet tells of waits for the next one in order`() {
    var ear = Ear()
    for number: UInt16 in [0, 1, 2, 3, 5, 6] { ear.take(Ear.rtp(number), at: Int64(number) * 20) }
    ear.take(Ear.rtp(4), at: 125, droppedBefore: 2)
    for number: UInt16 in 9..<20 { ear.take(Ear.rtp(number), at: Int64(number) * 20) }
    ear.finish()
    #expect(ear.session.streams[0].droppedBySocket == 2 && ear.session.streams[0].statistics.lost == 2)
  }

  @Test func `drops after the last datagram are kept apart`() {
    var ear = Ear()
    for number: UInt16 in 0..<20 { ear.take(Ear.rtp(number), at: Int64(number) * 20) }
    ear.session.noteSocketDropsAtEnd(6)
    #expect(ear.session.socketDrops.atEnd == 6 && ear.session.socketDrops.total == 6)
    #expect(ear.session.streams[0].droppedBySocket == 0)
  }
}

/// What a sender says of its count, through the whole session.
struct EndsTests {
  @Test func `packets lost after the last one show by the final count, without it the tail is unknown`() {
    var ear = Ear()
    for number: UInt16 in 10..<100 { ear.take(Ear.rtp(number), at: Int64(number) * 20) }
    #expect(ear.session.streams[0].ends(listeningSince: nil).knowledge == .noReport)
    ear.takeRTCP(Ear.rtcp(packets: 97, isGoodbye: false), at: 2100)
    #expect(ear.session.streams[0].ends(listeningSince: nil).knowledge == .lastReport)
    ear.takeRTCP(Ear.rtcp(packets: 97, isGoodbye: true), at: 2200)
    ear.finish()
    let ends = ear.session.streams[0].ends(listeningSince: nil)
    #expect(ends.sent == 97 && ends.lostAtEnds == 7)
  }

  @Test func `a goodbye in a packet of its own doesn't make an old count final`() {
    var ear = Ear()
    for number: UInt16 in 0..<100 { ear.take(Ear.rtp(number), at: Int64(number) * 20) }
    ear.takeRTCP(Ear.rtcp(packets: 100, isGoodbye: false), at: 2100)
    ear.takeRTCP(Ear.rtcp(ssrc: 9, packets: 0, goodbyeOf: Ear.ssrc), at: 2200)
    ear.finish()
    #expect(ear.session.streams[0].end == .goodbye)
    #expect(ear.session.streams[0].ends(listeningSince: nil).knowledge == .lastReport)
  }
}
