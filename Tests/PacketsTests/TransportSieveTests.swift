import Packets
import Testing

struct TransportSieveTests {
  /// What is let through of a stream whose packets with these numbers are missing, seven in a datagram.
  private static func sieved(_ stream: [UInt8], without missing: Set<Int> = [], tellingGaps: Bool = true) -> [UInt8] {
    var sieve = TransportSieve()
    var output: [UInt8] = []
    for number in 0..<stream.count / 188 {
      guard !missing.contains(number) else {
        if tellingGaps { sieve.noteGap(packets: 1) }
        continue
      }
      sieve.append(stream.span.bytes.extracting(number * 188..<(number + 1) * 188), to: &output)
    }
    sieve.finish(to: &output)
    return output
  }

  @Test func `what is whole is let through as it is`() {
    let stream = TransportFixture.stream(pictures: 13)
    #expect(Self.sieved(stream) == stream)
  }

  @Test func `of a picture with a missing packet nothing is let through, nor of those up to the next key picture`() {
    let stream = TransportFixture.stream(pictures: 13)
    // That the very last packet is missing nothing can show.
    for lost in 2..<stream.count / 188 - 1 {
      var monitor = TransportStreamMonitor()
      let output = Self.sieved(stream, without: [lost])
      let frames = TransportFixture.frames(of: output, in: &monitor)
      #expect(monitor.continuityErrors == 0, "packet \(lost)")
      #expect(frames.allSatisfy { !$0.isDamaged }, "packet \(lost)")
      let picture = TransportFixture.picture(ofPacket: lost)
      let isFirstOfPicture = (lost - 2) % TransportFixture.packetsPerPicture == 0
      // Without its first packet a picture can't be told from more of the one before.
      let from = isFirstOfPicture ? max(0, picture - 1) : picture
      let next = (picture / 4 + 1) * 4
      let left = (0..<13).filter { $0 < from || $0 >= next }.map { Int64($0 + 1) * 3_600 }
      #expect(frames.map(\.decode) == left, "packet \(lost)")
    }
  }

  @Test func `before the first map nothing but tables is let through, as no player could tell what it is`() {
    let stream = TransportFixture.stream(pictures: 13)
    for before in 1..<stream.count / 188 - 2 {
      let tables = stream[..<376]
      let late = Array(stream[376..<(376 + before * 188)] + tables + stream[(376 + before * 188)...])
      let output = Self.sieved(late)
      #expect(output.starts(with: tables), "\(before) packets before")
      var monitor = TransportStreamMonitor()
      let first = TransportFixture.frames(of: output, in: &monitor).first?.decode
      let picture = (before + TransportFixture.packetsPerPicture - 1) / TransportFixture.packetsPerPicture
      let key = (picture + 3) / 4 * 4
      #expect(first == (key < 13 ? Int64(key + 1) * 3_600 : nil), "\(before) packets before")
    }
  }

  @Test func `after a break nothing is let through that is shown before the key picture, unless its group is closed`() {
    for isClosed in [false, true] {
      for cut in 1..<64 {
        let stream = TransportFixture.groups(isClosed: isClosed, cut: cut)
        let whole = (0..<8).map { Int64($0 + 1) * 3_600 }
        var monitor = TransportStreamMonitor()
        #expect(TransportFixture.frames(of: Self.sieved(stream), in: &monitor).map(\.decode) == whole)
        // The second packet of P.
        let output = Self.sieved(stream, without: [5])
        monitor = TransportStreamMonitor()
        let left = [0, 4] + (isClosed ? [5, 6] : []) + [7]
        #expect(TransportFixture.frames(of: output, in: &monitor).map(\.decode) == left.map { whole[$0] })
      }
    }
  }

  @Test func `whatever is missing or changed, whole packets come out, and no more than went in`() {
    let stream = TransportFixture.stream(pictures: 9)
    for bit in stride(from: 0, to: stream.count * 8, by: 1997) {
      var changed = stream
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      let output = Self.sieved(changed, without: [bit % 31])
      #expect(output.count % 188 == 0)
      #expect(output.count <= stream.count)
    }
    for length in stride(from: 0, to: 600, by: 7) {
      var sieve = TransportSieve()
      var output: [UInt8] = []
      sieve.append(stream.span.bytes.extracting(0..<length), to: &output)
      #expect(output.count <= length)
    }
  }
}
