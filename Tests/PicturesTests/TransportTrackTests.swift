import Packets
import Pictures
import Statistics
import Testing
import Timeline

/// A track of a transport stream.
struct TransportTrackTests {
  private static let inDatagram = 8

  private func packet(pid: Int, counter: Int, startsUnit: Bool, payload: [UInt8]) -> [UInt8] {
    let header: [UInt8] = [
      0x47, UInt8(pid >> 8) | (startsUnit ? 0x40 : 0), UInt8(pid & 0xff), 0x10 | UInt8(counter & 15),
    ]
    return header + payload + [UInt8](repeating: 0xff, count: 184 - payload.count)
  }

  /// A section with its checksum, as the payload of a packet.
  private func section(_ bytes: [UInt8]) -> [UInt8] {
    var value: UInt32 = 0xffff_ffff
    for byte in bytes {
      value ^= UInt32(byte) << 24
      for _ in 0..<8 { value = value & 0x8000_0000 != 0 ? value << 1 ^ 0x04c1_1db7 : value << 1 }
    }
    return [0] + bytes + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  /// The tables and key pictures of so many packets each.
  private func stream(_ sizes: [Int]) -> [UInt8] {
    let association: [UInt8] = [0x00, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xf0, 0x00]
    let map: [UInt8] = [0x02, 0xb0, 18, 0, 1, 0xc1, 0, 0, 0xe1, 0x00, 0xf0, 0, 0x1b, 0xe1, 0x00, 0xf0, 0]
    var bytes = packet(pid: 0, counter: 0, startsUnit: true, payload: section(association))
    bytes += packet(pid: 0x1000, counter: 0, startsUnit: true, payload: section(map))
    var counter = 0
    for (picture, size) in sizes.enumerated() {
      let time = UInt8(picture * 2 + 1)
      let start: [UInt8] = [0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, time << 1, 1, 0, 0, 1, 0x65]
      for part in 0..<size {
        let head = part == 0 ? start : []
        bytes += packet(
          pid: 0x100, counter: counter, startsUnit: part == 0,
          payload: head + [UInt8](repeating: 0x55, count: 184 - head.count))
        counter += 1
      }
    }
    return bytes
  }

  private func statistics(of stream: [UInt8], without lost: Range<Int>) -> PictureStatistics {
    var track = PictureTrack(encoding: .mpegTS, clockRate: 90_000)
    let size = Self.inDatagram * 188
    for number in 0..<(stream.count / size) where !lost.contains(number) {
      let payload = Array(stream[(number * size)..<((number + 1) * size)])
      let (sequence, timestamp) = (Int64(number), Int64(number) * 900)
      let now = Instant.zero + .milliseconds(Int64(number) * 10)
      let isTaken = track.place(payload.span.bytes, sequence: sequence, timestamp: timestamp, at: now) != nil
      #expect(isTaken)
      track.arrive(sequence: sequence, timestamp: timestamp, marker: false, bytes: payload.count, isLate: false)
      _ = track.play(payload.span.bytes, sequence: sequence, time: timestamp, due: now)
    }
    return track.statistics
  }

  @Test func `A sender that begins anew takes nothing from what is in the buffer`() {
    let size = Self.inDatagram * 188
    let stream = stream([6 + 8 * 5, 8, 8])
    let payloads = (0..<(stream.count / size)).map { Array(stream[($0 * size)..<(($0 + 1) * size)]) }
    var track = PictureTrack(encoding: .mpegTS, clockRate: 90_000)
    // Everything of both runs has arrived before anything is played.
    let runs: [Int64] = [0, 1 << 20]
    for (index, start) in runs.enumerated() {
      if index > 0 { track.restart(from: start) }
      for (number, payload) in payloads.enumerated() {
        let sequence = start + Int64(number)
        #expect(track.place(payload.span.bytes, sequence: sequence, timestamp: sequence * 900, at: .zero) != nil)
        track.arrive(sequence: sequence, timestamp: sequence * 900, marker: false, bytes: size, isLate: false)
      }
    }
    for start in runs {
      for (number, payload) in payloads.enumerated() {
        let sequence = start + Int64(number)
        _ = track.play(payload.span.bytes, sequence: sequence, time: sequence * 900, due: .zero)
      }
    }
    #expect(track.statistics.shown == 6 && track.statistics.expected == 6, "\(track.statistics)")
  }

  @Test func `Missing datagrams are taken to be as large as those that came`() {
    let stream = stream([6 + 8 * 5, 8, 8])
    let whole = statistics(of: stream, without: 0..<0)
    #expect(whole.complete == 3 && whole.damaged == 0)
    // Sixteen packets, after which the counters are the same again.
    let cut = statistics(of: stream, without: 2..<4)
    #expect(cut.complete == 2 && cut.damaged == 1)
  }

  /// A datagram with a picture that is to be decoded and shown at these times.
  private func datagram(decode: Int64, presentation: Int64, counter: Int) -> [UInt8] {
    func time(_ value: Int64, _ mark: UInt8) -> [UInt8] {
      [
        mark << 4 | UInt8(value >> 30 & 7) << 1 | 1, UInt8(truncatingIfNeeded: value >> 22),
        UInt8(value >> 15 & 0x7f) << 1 | 1, UInt8(truncatingIfNeeded: value >> 7), UInt8(value & 0x7f) << 1 | 1,
      ]
    }
    let head: [UInt8] =
      [0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10] + time(presentation & 0x1_ffff_ffff, 3) + time(decode & 0x1_ffff_ffff, 1)
    return packet(pid: 0x100, counter: counter, startsUnit: true, payload: head + [0, 0, 1, 0x65])
  }

  @Test func `Once a timestamp goes back, datagrams have their pictures' decoding times`() {
    var track = PictureTrack(encoding: .mpegTS, clockRate: 90_000)
    var times: [Int64] = []
    var revisions: [Int] = []
    for (number, shown) in [1, 4, 2, 3, 7, 5, 6, 10, 8, 9].enumerated() {
      let payload = datagram(
        decode: (1 << 33) + Int64(number - 5) * 3600, presentation: (1 << 33) + Int64(shown - 5) * 3600,
        counter: number)
      let place = track.place(
        payload.span.bytes, sequence: Int64(number), timestamp: Int64(shown) * 3600,
        at: .zero + .milliseconds(Int64(number) * 40))
      times.append((place?.time ?? 0) / 3600)
      if place?.isRevised == true { revisions.append(number) }
    }
    // The first two are told as they are, and revised by the third.
    #expect(revisions == [2])
    #expect(times == [1, 4, 2, 3, 4, 5, 6, 7, 8, 9] || times == [1, 4] + (2..<10).map { Int64($0) }, "\(times)")
    #expect(track.time(of: 0) == 0 && track.time(of: 1) == 3600)
    #expect(track.base == .zero)
    #expect(track.senderWait == .milliseconds(40))
    #expect(track.statistics.reorderDepth == 1)
  }

  @Test(arguments: UInt64(1)...8) func `Times without sense do no harm`(seed: UInt64) {
    var random = seed &* 0x9e37_79b9_7f4a_7c15
    func next(_ limit: Int64) -> Int64 {
      random ^= random << 13
      random ^= random >> 7
      random ^= random << 17
      return Int64(random >> 1) % limit
    }
    var track = PictureTrack(encoding: .mpegTS, clockRate: seed % 2 == 0 ? 90_000 : UInt32(1 + next(1 << 32 - 1)))
    var (sequence, timestamp, decode) = (Int64(0), Int64(0), Int64(0))
    var now = Instant.zero
    var count = 0
    for number in 0..<2_000 {
      sequence += next(10) == 0 ? next(2_000) - 1_000 : 1
      timestamp &+= next(4) == 0 ? next(1 << 32) - 1 << 31 : next(9_000) - 3_000
      decode = next(4) == 0 ? next(1 << 33) : decode + next(9_000)
      now = now + .milliseconds(next(100))
      let payload = datagram(decode: decode, presentation: decode + next(20_000), counter: number)
      guard let place = track.place(payload.span.bytes, sequence: sequence, timestamp: timestamp, at: now) else {
        continue
      }
      count += 1
      // Never far from what the packet says.
      #expect(abs(place.time - timestamp) <= Interval.seconds(2).units(rate: 90_000) || seed % 2 == 1)
      _ = track.play(payload.span.bytes, sequence: sequence, time: place.time, due: now)
      if next(200) == 0 { track.restart(from: sequence + 1) }
    }
    #expect(track.statistics.complete + track.statistics.damaged <= count)
    #expect(track.senderWait <= .milliseconds(100) && track.senderWait >= .zero)
  }

  @Test func `Every length and every flipped bit of a datagram is read without harm`() {
    let payload = stream([6]) + datagram(decode: 7200, presentation: 10_800, counter: 7)
    var track = PictureTrack(encoding: .mpegTS, clockRate: 90_000)
    var taken = 0
    for (number, size) in (0...payload.count).enumerated() {
      let place = track.place(
        Array(payload[..<size]).span.bytes, sequence: Int64(number), timestamp: Int64(number % 3) * 900, at: .zero)
      if place != nil { taken += 1 }
    }
    for bit in (payload.count - 188) * 8..<payload.count * 8 {
      var broken = payload
      broken[bit / 8] ^= 1 << (bit % 8)
      let number = Int64(payload.count + bit)
      if let place = track.place(broken.span.bytes, sequence: number, timestamp: number % 3 * 900, at: .zero) {
        taken += 1
        _ = track.play(broken.span.bytes, sequence: number, time: place.time, due: .zero)
      }
    }
    #expect(taken > 0)
    #expect(track.senderWait <= .milliseconds(100))
  }
}
