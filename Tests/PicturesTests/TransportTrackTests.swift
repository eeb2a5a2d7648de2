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
}
