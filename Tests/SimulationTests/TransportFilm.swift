import Buffering
import Packets
import Receiving
import Timeline

/// A made-up film in a transport stream into a receiver, on a virtual clock: `I P B B P B B` in sending order.
struct TransportFilm {
  static let interval: Int64 = 3600
  private static let group = 25
  /// Transport packets a datagram.
  private static let packets = 7

  /// What each datagram's RTP timestamp is.
  enum Times { case sending, presentation }

  var pictures = 100
  var times = Times.presentation
  /// Whether the datagram with a picture's end is kept back until the next picture comes, as ffmpeg does.
  var keepsBack = false
  /// The decoding time of the first picture, in the file's clock.
  var firstDecode: Int64 = 126_000
  var firstTimestamp: UInt32 = 0xffff_0000
  /// How long the sender stands still before a picture, its RTP timestamps going on.
  var pauses: [Int: Interval] = [:]
  /// The pictures with which the file begins anew.
  var loops: Set<Int> = []
  /// Datagrams that arrive behind the next one, in its place.
  var swapped: Set<Int> = []
  var change: (inout ReceiveSession.Configuration) -> Void = { _ in }

  private(set) var stream: ReceiveStream?

  /// How many pictures later than it is decoded a picture is shown.
  static func lead(of picture: Int) -> Int64 {
    let place = picture % group
    return place == 0 ? 1 : place > 21 ? 1 : (place - 1) % 3 == 0 ? 3 : 0
  }

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

  private func tables(_ counter: Int) -> [UInt8] {
    let association: [UInt8] = [0x00, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xf0, 0x00]
    let map: [UInt8] = [0x02, 0xb0, 18, 0, 1, 0xc1, 0, 0, 0xe1, 0x00, 0xf0, 0, 0x1b, 0xe1, 0x00, 0xf0, 0]
    return packet(pid: 0, counter: counter, startsUnit: true, payload: section(association))
      + packet(pid: 0x1000, counter: counter, startsUnit: true, payload: section(map))
  }

  private func time(_ value: Int64, _ mark: UInt8) -> [UInt8] {
    [
      mark << 4 | UInt8(value >> 30 & 7) << 1 | 1, UInt8(truncatingIfNeeded: value >> 22),
      UInt8(value >> 15 & 0x7f) << 1 | 1, UInt8(truncatingIfNeeded: value >> 7), UInt8(value & 0x7f) << 1 | 1,
    ]
  }

  /// The datagrams and when each is sent: two a picture.
  func datagrams() -> [(bytes: [UInt8], at: Instant)] {
    var result: [(bytes: [UInt8], at: Instant)] = []
    var counter = 0
    var (paused, fileStart) = (Interval.zero, 0)
    for picture in 0..<pictures {
      if loops.contains(picture) { fileStart = picture }
      paused = paused + (pauses[picture] ?? .zero)
      let own = Int64(picture - fileStart) * Self.interval + firstDecode
      let lead = Self.lead(of: picture) * Self.interval
      let head: [UInt8] =
        [0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10] + time((own + lead) & 0x1_ffff_ffff, 3) + time(own & 0x1_ffff_ffff, 1)
        + [0, 0, 1, picture % Self.group == 0 ? 0x65 : 0x41]
      var packets = tables(picture)
      for part in 0..<(2 * Self.packets - 2) {
        let payload = (part == 0 ? head : []) + [UInt8](repeating: 0x55, count: 184 - (part == 0 ? head.count : 0))
        packets += packet(pid: 0x100, counter: counter, startsUnit: part == 0, payload: payload)
        counter += 1
      }
      let media = Interval(units: Int64(picture) * Self.interval, rate: 90_000) + paused
      for half in 0..<2 {
        let isKept = keepsBack && half == 1 && picture % 2 == 0
        let of = isKept ? picture + 1 : picture
        var units = media.units(rate: 90_000) + (isKept ? Self.interval : 0)
        if times == .presentation { units += Self.lead(of: of) * Self.interval }
        let header = RTPHeader(
          marker: false, payloadType: 33,
          sequenceNumber: SequenceNumber(UInt16(truncatingIfNeeded: 65_450 + result.count)),
          timestamp: RTPTimestamp(firstTimestamp &+ UInt32(truncatingIfNeeded: units)), ssrc: 7)
        var bytes = [UInt8](repeating: 0, count: 12)
        var span = bytes.mutableSpan
        _ = header.write(into: &span)
        let size = Self.packets * 188
        bytes += packets[(half * size)..<((half + 1) * size)]
        let at = Instant.zero + .seconds(1) + media + (isKept ? Interval(units: Self.interval, rate: 90_000) : .zero)
        result.append((bytes, at))
      }
    }
    return result
  }

  /// Plays the film.
  mutating func run() {
    var configuration = ReceiveSession.Configuration(ssrc: 99, cname: "viewer", seed: 5)
    configuration.target = .milliseconds(60)
    configuration.formats.described[33] = VideoEncoding.mpegTS.format
    change(&configuration)
    var session = ReceiveSession(configuration)
    var arrivals = datagrams()
    for place in swapped where place + 1 < arrivals.count {
      let (one, other) = (arrivals[place].bytes, arrivals[place + 1].bytes)
      (arrivals[place].bytes, arrivals[place + 1].bytes) = (other, one)
    }
    var now = Instant.zero
    for (bytes, at) in arrivals {
      while let wake = session.nextWake, wake < at { drain(&session, at: wake) }
      now = at
      session.handleRTP(bytes.span.bytes, from: Peer(id: 1), at: at)
      drain(&session, at: at)
    }
    session.stop()
    while session.hasOpenStreams {
      drain(&session, at: now)
      guard let wake = session.nextWake else { break }
      now = max(now, wake)
    }
    stream = session.streams.first
  }

  private mutating func drain(_ session: inout ReceiveSession, at now: Instant) {
    while session.pollPlayout(at: now) != nil {}
    var bytes: [UInt8] = []
    while session.pollFrame(of: 0, into: &bytes) != nil {}
    var report = [UInt8](repeating: 0, count: 1500)
    var span = report.mutableSpan
    while session.pollReport(into: &span, at: now) != nil {}
  }
}
