import Buffering
import Impairment
import Packets
import Pictures
import Receiving
import Statistics
import TestSupport
import Timeline

/// A made-up film over a bad network into a receiver, on a virtual clock.
///
/// Thirty frames a second, a key frame each second with its parameter sets, and in between `I B B P` in decoding order:
/// nothing refers to the B-frames.
struct Film {
  /// A packet on its way.
  struct Packet {
    var frame: Int
    var index: Int
    var bytes: [UInt8]
    var sent: Instant
  }

  /// What comes out of the receiver.
  struct Shown {
    var frame: ReceivedFrame
    var bytes: [UInt8]
  }

  static let interval: Int64 = 3000
  static let group = 30
  static let firstTimestamp: UInt32 = 0xffff_0000

  var frames = 150
  var hasB = true
  /// Whether in place of `I B B P` the film is `I b B b P`, with B-frames that others refer to.
  var hasPyramid = false
  var payloadLimit = 1160
  var bytesOfB = 1500
  /// Whether frames without parameter sets begin with a supplement, in a packet of its own before long slices.
  var hasSupplements = false
  /// Whether the parameter sets tell that frames are reordered.
  var tellsDepth = true
  var link = "delay=20ms,seed=1"
  /// Packets that never arrive, besides those that the link loses.
  var isDropped: (_ frame: Int, _ index: Int, _ count: Int) -> Bool = { _, _, _ in false }
  /// How much later than the link says packets come.
  var delay: (_ frame: Int, _ index: Int) -> Interval = { _, _ in .zero }
  /// After how many frames the sender is killed and begins anew, with other numbers and timestamps, and how much later.
  var restart: (after: Int, gap: Interval, number: UInt16, timestamp: UInt32)?
  /// How many of the first packets never arrive, since the beginning or the restart.
  var missed = 0
  var change: (inout ReceiveSession.Configuration) -> Void = { _ in }

  private(set) var shown: [Shown] = []
  private(set) var requests = 0
  private(set) var stream: ReceiveStream?

  /// The frames' places in the order in which they are shown.
  func presentation(_ frame: Int) -> Int {
    guard hasB else { return frame }
    // Within a group: 0, then 3 1 2, 6 4 5 ... the last two are shown where they are sent.
    let place = frame % Self.group
    if hasPyramid { return place > 0 && place < 29 ? frame + [3, 0, -2, -1][(place - 1) % 4] : frame }
    guard place > 0, place < 28 else { return frame }
    switch (place - 1) % 3 {
    case 0: return frame + 2
    default: return frame - 1
    }
  }

  func isKey(_ frame: Int) -> Bool { frame % Self.group == 0 }

  func isReference(_ frame: Int) -> Bool {
    let place = frame % Self.group
    if hasB, hasPyramid { return place == 0 || place == 29 || (place - 1) % 4 < 2 }
    return !hasB || place == 0 || place >= 28 || (place - 1) % 3 == 0
  }

  /// An access unit, whose slices are as long as its kind usually is.
  func unit(_ frame: Int) -> [UInt8] {
    let place = frame % Self.group
    var sequence = H264Maker.Sequence()
    if hasB, tellsDepth { sequence.reorderDepth = hasPyramid ? 2 : 1 }
    var slice = H264Maker.Slice()
    slice.isIDR = place == 0
    slice.reference = isReference(frame) ? 2 : 0
    slice.type = place == 0 ? 2 : isReference(frame) ? 0 : 1
    slice.frameNumber = (0..<place).count { isReference($0) } & 15
    slice.order = frame & 31
    slice.content = place == 0 ? 20_000 : isReference(frame) ? 4000 + frame % 7 * 300 : bytesOfB
    var units = [slice.unit(sequence)]
    if hasSupplements, place > 0 { units = [H264Maker.supplement] + units }
    if place == 0 { units = [sequence.unit, H264Maker.pictureSet()] + units }
    return units.flatMap { [0, 0, 0, 1] + $0 }
  }

  func packets() -> [Packet] {
    let start = Instant.zero + .seconds(1)
    guard let restart else {
      let all = packets(of: frames, from: start, number: 65_400, timestamp: Self.firstTimestamp)
      return Array(all.dropFirst(missed))
    }
    let length = Interval(units: Int64(restart.after) * Self.interval, rate: 90_000)
    return packets(of: restart.after, from: start, number: 65_400, timestamp: Self.firstTimestamp)
      + packets(of: frames, from: start + length + restart.gap, number: restart.number, timestamp: restart.timestamp)
      .dropFirst(missed)
  }

  private func packets(of frames: Int, from start: Instant, number first: UInt16, timestamp: UInt32) -> [Packet] {
    var packetizer = H264Packetizer(payloadLimit: payloadLimit)
    var packets: [Packet] = []
    var number = first
    for frame in 0..<frames {
      let unit = unit(frame)
      let count = packetizer.count(of: unit.span.bytes)
      let time = start + Interval(units: Int64(frame) * Self.interval, rate: 90_000)
      for index in 0..<count {
        var datagram = [UInt8](repeating: 0, count: 12 + payloadLimit)
        var payload = [UInt8](repeating: 0, count: payloadLimit)
        var span = payload.mutableSpan
        let size = packetizer.next(of: unit.span.bytes, into: &span) ?? 0
        let header = RTPHeader(
          marker: packetizer.isAtEnd, payloadType: 96, sequenceNumber: SequenceNumber(number),
          timestamp: RTPTimestamp(
            timestamp &+ UInt32(truncatingIfNeeded: Int64(presentation(frame)) * Self.interval)), ssrc: 7)
        var whole = datagram.mutableSpan
        _ = header.write(into: &whole)
        datagram.replaceSubrange(12..., with: payload[..<size])
        number &+= 1
        // Spread over half of the interval.
        let offset = Interval(units: Self.interval * Int64(index) / Int64(2 * count), rate: 90_000)
        packets.append(Packet(frame: frame, index: index, bytes: datagram, sent: time + offset))
      }
    }
    return packets
  }

  /// Plays the film.
  mutating func run() {
    guard let spec = try? LinkSpec(parsing: link) else { return }
    var path = Link<Packet>(spec)
    var arrivals: [(at: Instant, packet: Packet)] = []
    for packet in packets() where !isDropped(packet.frame, packet.index, count(packet.frame)) {
      path.send(packet, bytes: packet.bytes.count + 28, at: packet.sent)
      while let delivery = path.receive(at: packet.sent) { arrivals.append((delivery.deliveredAt, delivery.payload)) }
    }
    while let delivery = path.receive(at: .zero + .seconds(3600)) {
      arrivals.append((delivery.deliveredAt, delivery.payload))
    }
    for place in arrivals.indices {
      arrivals[place].at = arrivals[place].at + delay(arrivals[place].packet.frame, arrivals[place].packet.index)
    }
    arrivals.sort { $0.at < $1.at }
    var configuration = ReceiveSession.Configuration(ssrc: 99, cname: "viewer", seed: 5)
    configuration.target = .milliseconds(100)
    configuration.formats.described[96] = VideoEncoding.h264.format
    change(&configuration)
    var session = ReceiveSession(configuration)
    for arrival in arrivals {
      while let wake = session.nextWake, wake < arrival.at { drain(&session, at: wake) }
      drain(&session, at: arrival.at)
      session.handleRTP(arrival.packet.bytes.span.bytes, from: Peer(id: 1), at: arrival.at)
      drain(&session, at: arrival.at)
    }
    session.stop()
    var now = arrivals.last?.at ?? .zero
    while session.hasOpenStreams {
      drain(&session, at: now)
      guard let wake = session.nextWake else { break }
      now = max(now, wake)
    }
    stream = session.streams.first
  }

  private func count(_ frame: Int) -> Int {
    H264Packetizer(payloadLimit: payloadLimit).count(of: unit(frame).span.bytes)
  }

  private mutating func drain(_ session: inout ReceiveSession, at now: Instant) {
    while session.pollPlayout(at: now) != nil {}
    var bytes: [UInt8] = []
    while let frame = session.pollFrame(of: 0, into: &bytes) { shown.append(Shown(frame: frame, bytes: bytes)) }
    while true {
      var datagram = [UInt8](repeating: 0, count: 1500)
      var span = datagram.mutableSpan
      guard let size = session.pollReport(into: &span, at: now) else { break }
      count(datagram[..<size])
    }
  }

  /// Counts picture loss indications.
  private mutating func count(_ datagram: ArraySlice<UInt8>) {
    let bytes = Array(datagram)
    guard var cursor = try? CompoundCursor(validating: bytes.span.bytes) else { return }
    while let part = cursor.next(in: bytes.span.bytes) {
      guard case .payloadFeedback(let feedback)? = try? RTCPPacket(parsing: part, in: bytes.span.bytes) else {
        continue
      }
      if feedback.asksForKeyFrame(of: 7, in: bytes.span.bytes) { requests += 1 }
    }
  }
}
