import Packets
import Timeline

/// Tells when each datagram of a transport stream was to be sent, up to a constant, where its RTP timestamps don't.
///
/// By RFC 2250 section 2 they are times of sending, and so never go back. Some senders (ffmpeg's rtp_mpegts) put there
/// when a picture is to be shown, and with B-frames they go to and fro. Then the decoding times in the stream's own
/// PES headers take their place, those of its first video: they grow in sending order.
///
/// Nothing changes as long as no timestamp goes back behind one that was sent before it.
struct TransportClock: Sendable {
  /// The most pictures remembered, so that a late datagram gets its picture's time: the oldest are forgotten 32 at once.
  static let limit = 160
  /// A step back by no more than this is taken for rounding, one by more than `jump` for another timeline.
  private static let rounding = Interval.milliseconds(5)
  private static let jump = Interval.seconds(2)
  /// A picture that is shown so much longer after its decoding than all before it is one after a pause.
  private static let pause = Interval.milliseconds(400)
  /// What counts for the base transit, as in the jitter buffer.
  private static let window = Interval.seconds(2)
  /// The longest time between two pictures that is waited for.
  private static let longestStep = Interval.milliseconds(100)

  /// Datagrams from the one in which a picture begins up to the next picture.
  private struct Picture: Sendable {
    var first: Int64
    var timestamp: Int64
    /// When the picture is to be decoded, in 1/90000 s, unwrapped.
    var decode: Int64
    /// When its datagrams were to be sent, in units of the RTP clock; nil as long as the RTP timestamps tell.
    var time: Int64?
    var arrival: Instant
  }

  /// How many pictures were sent before one that is shown earlier; 0 as long as RTP timestamps are times of sending.
  private(set) var depth = 0
  /// How much longer than its packets ask for the buffer has to wait.
  ///
  /// Who gives datagrams the times of pictures keeps back what doesn't fill one until the next picture comes.
  private(set) var wait = Interval.zero

  private let clockRate: UInt32
  private let roundingUnits: Int64
  private let jumpUnits: Int64
  private let pauseUnits: Int64
  /// In sending order.
  private var pictures: [Picture] = []
  /// The video whose times are followed.
  private var pid: Int?
  /// The highest number, and the highest timestamp up to it.
  private var newest: (sequence: Int64, timestamp: Int64)?
  /// A time by the RTP clock less the same by the stream's own.
  private var offset: Int64 = 0
  /// The longest time from a picture's decoding to its RTP timestamp.
  private var longestLead: Int64 = 0

  init(clockRate: UInt32) {
    self.clockRate = clockRate
    roundingUnits = Self.rounding.units(rate: clockRate)
    jumpUnits = Self.jump.units(rate: clockRate)
    pauseUnits = Self.pause.units(rate: clockRate)
    pictures.reserveCapacity(Self.limit)
  }

  /// Takes in a datagram and tells when it was to be sent; `isRevised` says that the times told before have changed.
  mutating func note(
    _ payload: RawSpan, sequence: Int64, timestamp: Int64, at arrival: Instant
  ) -> (time: Int64, isRevised: Bool) {
    let isNext = newest.map { sequence > $0.sequence } ?? true
    let behind = newest.map { $0.timestamp &- timestamp } ?? 0
    if isNext {
      let isJump = behind > jumpUnits || behind < -jumpUnits
      newest = (sequence, isJump ? timestamp : max(newest?.timestamp ?? timestamp, timestamp))
    }
    if let decode = decodingTime(in: payload) {
      insert(Picture(first: sequence, timestamp: timestamp, decode: decode, arrival: arrival))
    }
    var isRevised = false
    if isNext, behind > roundingUnits, behind <= jumpUnits { isRevised = noteDisorder(at: timestamp) }
    return (time(of: sequence, timestamp: timestamp) ?? timestamp, isRevised)
  }

  /// When the datagram was to be sent; nil where its RTP timestamp tells, or its picture is forgotten.
  func time(of sequence: Int64) -> Int64? { pictures.last { $0.first <= sequence }?.time }

  /// The smallest transit of the pictures of the last two seconds; nil where RTP timestamps tell.
  var base: Interval? {
    guard let last = pictures.last?.arrival else { return nil }
    return pictures.compactMap { picture in
      guard let time = picture.time, last - picture.arrival < Self.window else { return nil }
      return (picture.arrival - .zero) - Interval(units: time, rate: clockRate)
    }.min()
  }

  /// The sender has begun anew, on another timeline.
  mutating func restart() {
    pictures.removeAll(keepingCapacity: true)
    newest = nil
    pid = nil
  }

  // MARK: Private

  /// The time of a datagram, unless it is so far from its timestamp that they are of different timelines.
  private func time(of sequence: Int64, timestamp: Int64) -> Int64? {
    guard let time = time(of: sequence), fits(time, timestamp) else { return nil }
    return time
  }

  /// Whether a timestamp can be that of what is decoded at a time.
  private func fits(_ time: Int64, _ timestamp: Int64) -> Bool {
    // Sound may be sent long before the pictures that it belongs to.
    timestamp &- time <= min(longestLead + pauseUnits, jumpUnits) && time &- timestamp <= jumpUnits
  }

  /// A timestamp lies behind one that was sent before; true when this is the first one.
  private mutating func noteDisorder(at timestamp: Int64) -> Bool {
    guard !pictures.isEmpty else { return false }
    let overtaken = pictures.suffix(2 * DecodeClock.deepest).count { $0.timestamp > timestamp }
    let isFirst = depth == 0
    depth = max(depth, min(max(1, overtaken), DecodeClock.deepest))
    guard isFirst else { return false }
    // Nothing is decoded after it is shown. What stands far from the last picture is of another timeline.
    let offsets = pictures.map { $0.timestamp &- units($0.decode) }
    let last = offsets[offsets.count - 1]
    offset = offsets.filter { abs($0 &- last) <= jumpUnits }.min() ?? last
    for place in pictures.indices where abs(offsets[place] &- last) <= jumpUnits {
      pictures[place].time = units(pictures[place].decode) &+ offset
      longestLead = max(longestLead, offsets[place] &- offset)
    }
    let steps = zip(pictures.dropFirst(), pictures).map { units($0.decode &- $1.decode) }
    let step = steps.filter { $0 > 0 }.min() ?? 0
    wait = min(Interval(units: step, rate: clockRate), Self.longestStep)
    return true
  }

  private mutating func insert(_ picture: Picture) {
    var picture = picture
    guard let last = pictures.last else {
      if depth > 0 {
        offset = picture.timestamp &- units(picture.decode)
        picture.time = picture.timestamp
      }
      return pictures.append(picture)
    }
    guard picture.first > last.first else {
      guard let place = pictures.firstIndex(where: { $0.first >= picture.first }), pictures[place].first > picture.first
      else { return }
      // What lies before all that are remembered is forgotten already.
      guard place > 0 || pictures.count < Self.limit - 32 else { return }
      picture.decode = unwrapped(picture.decode, near: pictures[place].decode)
      if depth > 0 { picture.time = min(units(picture.decode) &+ offset, pictures[place].time ?? .max) }
      pictures.insert(picture, at: place)
      return forgetOldest()
    }
    picture.decode = unwrapped(picture.decode, near: last.decode)
    if depth > 0 {
      let time = units(picture.decode) &+ offset
      // A time that goes back, or is far from the RTP timestamp, is of another timeline.
      if picture.decode < last.decode || !fits(time, picture.timestamp) {
        offset = picture.timestamp &- units(picture.decode)
      } else {
        longestLead = max(longestLead, picture.timestamp &- time)
      }
      picture.time = units(picture.decode) &+ offset
    }
    pictures.append(picture)
    forgetOldest()
  }

  private mutating func forgetOldest() {
    if pictures.count >= Self.limit { pictures.removeFirst(32) }
  }

  /// A number of 33 bits as the one nearest to another.
  private func unwrapped(_ time: Int64, near other: Int64) -> Int64 {
    let step = (time &- other) & 0x1_ffff_ffff
    return other &+ (step >= 1 << 32 ? step - (1 << 33) : step)
  }

  /// 1/90000 s in units of the RTP clock.
  private func units(_ time: Int64) -> Int64 {
    guard clockRate != 90_000 else { return time }
    return Interval(units: time, rate: 90_000).units(rate: clockRate)
  }

  /// The decoding time of the last picture that begins in a datagram, a number of 33 bits.
  private mutating func decodingTime(in payload: RawSpan) -> Int64? {
    var result: Int64?
    var offset = 0
    while payload.byteCount - offset >= TransportPacket.size {
      let packet = payload.extracting(offset..<(offset + TransportPacket.size))
      offset += TransportPacket.size
      // Most packets begin nothing.
      guard packet.byte(at: 1) & 0x40 != 0, let header = TransportPacket(parsing: packet), !header.hasError,
        !header.isScrambled, header.startsUnit, pid == nil || pid == header.pid,
        let time = Self.decodingTime(of: packet.extracting(header.payload))
      else { continue }
      pid = header.pid
      result = time
    }
    return result
  }

  /// The decoding time in the header of a PES packet of video (ISO/IEC 13818-1 section 2.4.3.6).
  private static func decodingTime(of pes: RawSpan) -> Int64? {
    guard pes.byteCount >= 14, pes.bigEndian(at: 0, as: UInt32.self) & 0xffff_fff0 == 0x1e0 else { return nil }
    let flags = pes.byte(at: 7)
    guard flags & 0x80 != 0 else { return nil }
    let offset = flags & 0xc0 == 0xc0 ? 14 : 9
    guard pes.byteCount >= offset + 5 else { return nil }
    let high = Int64(pes.byte(at: offset) >> 1 & 7)
    let middle = Int64(pes.bigEndian(at: offset + 1, as: UInt16.self) >> 1)
    let low = Int64(pes.bigEndian(at: offset + 3, as: UInt16.self) >> 1)
    return high << 30 | middle << 15 | low
  }
}
