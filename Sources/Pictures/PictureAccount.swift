import Packets
import Statistics
import Timeline

/// Which frames of a stream were whole when they were due, and which of those could be decoded.
///
/// Packets are told as they arrive (`arrive`), frames as their time comes (`close`), in sending order. What became of a
/// frame that wasn't whole is known for good once it is forgotten: 512 frames later, or at the end.
struct PictureAccount: Sendable {
  /// Frames remembered, besides those whose time hasn't come.
  static let remembered = 512
  /// The most frames there ever are: the packets that a buffer holds may be one each.
  static let limit = 16_384 + remembered
  /// After so many frames without a single marker it is believed that the sender sets none.
  private static let unmarked = 10

  /// What had come of a frame when it was due.
  fileprivate enum State: Sendable {
    case open
    case whole
    case partial
    case nothing
  }

  fileprivate struct Frame: Sendable {
    var id: Int
    var timestamp: Int64
    var first: Int64
    var last: Int64
    var received = 0
    /// Pictures that begin in its packets; more than one, or two fields, where the timestamps are wrong.
    var beginnings = 0
    var bytes = 0
    /// The packet with the number `first` shows that nothing lies before it.
    var begins = false
    /// It begins with a supplement, before which something else may lie.
    var beginsWithSupplement = false
    /// The packet with the number `last` bears the marker.
    var ends = false
    var isKey = false
    var isReference = false
    var hasPicture = false
    var isHidden = false
    var pictureID: VideoPiece.PictureID?
    /// frame_num, and whether it begins anew with this frame.
    var frameNumber: UInt32?
    /// How many bits it has, by the frame's own parameter sets.
    var frameNumberBits: Int?
    var isIDR = false
    /// It is one field, or both fields, of a frame: frame_num counts frames.
    var isField = false
    var recoveryCount: Int?
    var state = State.open
    /// A packet of it came after its time although it was still open.
    var missedDeadline = false
    /// A payload of it was invalid, so that it can't be whole.
    var isSpoiled = false
    var isDecodable = false
    /// It can't be shown, but those that will be refer to it.
    var heals = false
  }

  /// What a frame is when it is handed out.
  struct Outcome: Equatable, Sendable {
    var missingPackets: Int
    var isKey: Bool
    var isReference: Bool
    var isDecodable: Bool
    var heals = false
  }

  /// Whether it is known what frames refer to.
  private let knowsReferences: Bool
  /// In sending order.
  private var frames: [Frame] = []
  private var ledger: PictureLedger
  private var firstSequence: Int64?
  /// No number up to this one can still be in time.
  private(set) var closedThrough = Int64.min
  private var hasMarkers = false
  private var closedCount = 0
  private var forgotten: Frame?
  private var nextID = 0
  /// From this number on the sender counts anew.
  private var runStart = Int64.min
  /// The bits of the frame_num seen last.
  private var frameNumberBits: Int?
  /// The frame_num that the next frame has if no frame is missing that others refer to.
  private var expectedNumber: UInt32?
  /// How many numbers of packets are missing since the last frame whose frame_num was looked at.
  private var unprovenGap: Int64 = 0
  /// Whether a frame that isn't a key frame was seen to begin with a supplement, with nothing missing before it.
  private var hasSupplementsFirst = false
  /// Whether something is missing that the frames to come refer to.
  private(set) var isBroken: Bool
  /// The frame_num with which a refresh without key frames is over that has begun.
  private var recovery: UInt32?
  /// After a break: what was sent after the key frame and is shown before it refers to the frames before the break.
  private var leadingBefore: Int64?
  /// Steps of the timestamps by more than this aren't those of frames in another order.
  private let leap: Int64
  /// The first numbers with H.264's sequence and picture parameter sets, without which nothing can be decoded.
  private var setsFrom: (sequence: Int64, picture: Int64) = (.max, .max)
  /// The usual time between two frames in units of the clock.
  var interval: Int64 = 0
  /// Indications sent.
  private(set) var requests = 0
  /// Pictures that began in all packets, and in those of one timestamp at most.
  private var beginnings = (all: 0, most: 0)
  /// From so many pictures of one timestamp on it is believed that the sender gave none: a frame has two fields at most.
  private static let untimed = 10

  /// Begins; where nothing is known of what frames refer to all that are whole can be shown.
  ///
  /// `isPrepared` says that H.264's parameter sets were told beforehand, or that there are none.
  init(clockRate: UInt32, knowsReferences: Bool, isPrepared: Bool) {
    self.knowsReferences = knowsReferences
    isBroken = knowsReferences
    leap = DecodeClock.leap.units(rate: clockRate)
    if isPrepared { setsFrom = (.min, .min) }
    ledger = PictureLedger(clockRate: clockRate)
    frames.reserveCapacity(Self.remembered + 1)
  }

  /// What a viewer saw, frames that still wait for their time left out.
  var statistics: PictureStatistics {
    var ledger = ledger
    var before = forgotten
    for place in frames.indices where frames[place].state != .open {
      ledger.add(entry(of: place, after: before))
      before = frames[place]
    }
    ledger.finish()
    var result = ledger.result
    result.keyFrameRequests = requests
    if beginnings.most >= Self.untimed, beginnings.most * 10 >= beginnings.all * 9 { result.untimed = beginnings.most }
    result.lacksParameterSets = max(setsFrom.sequence, setsFrom.picture) == .max
    return result
  }

  /// Frames still open or remembered.
  var count: Int { frames.count }

  // MARK: Inputs

  /// Takes in a packet that the buffer has taken, or has called late.
  mutating func arrive(
    _ sequence: Int64, timestamp: Int64, marker: Bool, bytes: Int, reading: PayloadReader.Reading, isLate: Bool
  ) {
    if sequence >= runStart, sequence < firstSequence ?? .max { firstSequence = sequence }
    guard let place = place(of: timestamp, sequence: sequence) else { return }
    if marker { hasMarkers = true }
    if !isLate {
      if reading.hasSequenceSet { setsFrom.sequence = min(setsFrom.sequence, sequence) }
      if reading.hasPictureSet { setsFrom.picture = min(setsFrom.picture, sequence) }
    }
    frames[place].note(sequence, marker: marker, bytes: bytes, reading: reading)
    if reading.beginsPicture {
      beginnings = (beginnings.all + 1, max(beginnings.most, frames[place].beginnings))
    }
    if isLate, frames[place].state == .open {
      frames[place].missedDeadline = true
      if frames[place].received == 1 { close(at: place, as: .nothing) }
    }
  }

  /// The time of a frame has come, and nothing later can be in time.
  ///
  /// `isCut` says that not all that came of it could be put together. Where no packet is missing that spoils it; else
  /// what is missing may be the reason, and may still come.
  mutating func close(_ id: Int, isCut: Bool) -> Outcome {
    guard let place = frames.lastIndex(where: { $0.id == id }) else {
      return Outcome(missingPackets: 1, isKey: false, isReference: false, isDecodable: false)
    }
    if isCut, frames[place].state == .open, isWhole(place) { frames[place].isSpoiled = true }
    if frames[place].state == .open { close(at: place, as: isWhole(place) ? .whole : .partial) }
    let frame = frames[place]
    return Outcome(
      missingPackets: missing(place), isKey: frame.isKey, isReference: frame.isReference || !frame.hasPicture,
      isDecodable: frame.isDecodable, heals: frame.heals)
  }

  /// The sender begins anew about this number: what comes stands in no relation to what came before, which is still in
  /// the buffer.
  mutating func restart(from sequence: Int64) {
    runStart = sequence
    firstSequence = nil
  }

  /// A payload of a frame turned out invalid where it stands.
  mutating func spoil(_ id: Int) {
    if let place = frames.lastIndex(where: { $0.id == id }) { frames[place].isSpoiled = true }
  }

  mutating func noteRequest() { requests += 1 }

  // MARK: Queries

  /// The frame that a packet belongs to, and whether it ends with this packet; nil when it isn't open.
  func openFrame(of sequence: Int64) -> (id: Int, timestamp: Int64, endsHere: Bool)? {
    guard let place = frames.lastIndex(where: { $0.first <= sequence && sequence <= $0.last }),
      frames[place].state == .open
    else { return nil }
    return (frames[place].id, frames[place].timestamp, frames[place].ends && frames[place].last == sequence)
  }

  // MARK: Private

  /// The place of the packet's frame, which is made if it isn't there; nil when it would lie before all remembered.
  private mutating func place(of timestamp: Int64, sequence: Int64) -> Int? {
    var place = frames.count
    while place > 0, frames[place - 1].first > sequence { place -= 1 }
    // A frame's packets stand together: the same timestamp elsewhere is another frame.
    if place > 0, isPart(sequence, timestamp, of: frames[place - 1]) { return place - 1 }
    if place < frames.count, isPart(sequence, timestamp, of: frames[place]) { return place }
    if place == 0, let forgotten, sequence <= forgotten.last { return nil }
    var frame = Frame(id: nextID, timestamp: timestamp, first: sequence, last: sequence)
    nextID += 1
    if sequence <= closedThrough { frame.state = .nothing }
    frames.insert(frame, at: place)
    // What waits in a long buffer is kept: it isn't late for being old.
    while frames.count > Self.remembered, frames[0].state != .open || frames.count > Self.limit {
      forgetFirst()
      place -= 1
    }
    return place >= 0 ? place : nil
  }

  private func isPart(_ sequence: Int64, _ timestamp: Int64, of frame: Frame) -> Bool {
    frame.timestamp == timestamp && (frame.last >= runStart) == (sequence >= runStart)
  }

  /// Whether a frame is the first since the sender began anew.
  private func startsRun(_ frame: Frame, after before: Frame?) -> Bool {
    guard let before else { return false }
    return before.last < runStart && frame.first >= runStart
  }

  private mutating func forgetFirst() {
    if frames[0].state == .open { close(at: 0, as: .partial) }
    ledger.add(entry(of: 0, after: forgotten))
    forgotten = frames.removeFirst()
  }

  private mutating func close(at place: Int, as state: State) {
    frames[place].state = state
    closedThrough = max(closedThrough, frames[place].last)
    closedCount += 1
    if startsRun(frames[place], after: place > 0 ? frames[place - 1] : forgotten) {
      breakOff()
      leadingBefore = nil
      expectedNumber = nil
      unprovenGap = 0
    }
    learnBeginning(of: place)
    let gap = gap(before: place)
    unprovenGap = min(unprovenGap + gap, 1 << 40)
    // What is missing before a frame that is shown before the point where decoding went on is shown before it too.
    if unprovenGap > 0, !isLeading(frames[place]), mayHaveLostReference(in: gap, before: place) { breakOff() }
    let frame = frames[place]
    expectNumber(after: frame)
    if state == .whole {
      heal(with: frame)
      frames[place].isDecodable = !isBroken && !isLeading(frame)
      frames[place].heals = isBroken && recovery != nil
    } else if frame.isReference || !frame.hasPicture, !isLeading(frame) {
      breakOff()
    }
  }

  /// Something is missing that the frames to come refer to.
  private mutating func breakOff() {
    isBroken = knowsReferences
    recovery = nil
  }

  /// A whole frame may end what is broken: a key frame at once, a refresh without one after as many frames as it says.
  private mutating func heal(with frame: Frame) {
    guard max(setsFrom.sequence, setsFrom.picture) <= frame.last else { return }
    if frame.isKey {
      leadingBefore = isBroken && !frame.isIDR ? frame.timestamp : nil
      isBroken = false
      recovery = nil
      return
    }
    guard isBroken, frame.isReference, let number = frame.frameNumber else { return }
    if number == recovery {
      leadingBefore = frame.timestamp
      isBroken = false
      recovery = nil
    } else if recovery == nil, let count = frame.recoveryCount, let bits = frame.frameNumberBits {
      recovery = (number &+ UInt32(count)) & (1 << UInt32(bits) - 1)
    }
  }

  /// Whether a frame is shown before the one with which decoding went on after a break.
  private func isLeading(_ frame: Frame) -> Bool {
    guard let leadingBefore else { return false }
    return frame.timestamp < leadingBefore && leadingBefore - frame.timestamp < leap
  }

  /// Numbers of which nothing came between a frame and the one before it.
  private func gap(before place: Int) -> Int64 {
    guard let before = place > 0 ? frames[place - 1] : forgotten, !startsRun(frames[place], after: before) else {
      return 0
    }
    return max(0, frames[place].first - before.last - 1)
  }

  /// Whether the numbers missing before a frame may have held another one that this one refers to.
  private func mayHaveLostReference(in gap: Int64, before place: Int) -> Bool {
    guard let before = place > 0 ? frames[place - 1] : forgotten else { return false }
    let frame = frames[place]
    if let number = frame.frameNumber, let expectedNumber {
      if frame.isIDR { return false }
      let round = frame.frameNumberBits.map { Int64(1) << Int64($0) } ?? .max
      return number != expectedNumber || mayHaveGoneRound(round, in: unprovenGap, from: before, to: frame)
    }
    guard gap > 0 else { return false }
    // Until a frame_num is seen again.
    if expectedNumber != nil, !isBegun(place) { return false }
    if let number = frame.pictureID, let last = before.pictureID, number.bits == last.bits {
      let step = (number.value - last.value) & (1 << number.bits - 1)
      return step > 1 || mayHaveGoneRound(1 << Int64(number.bits) - 1, in: gap, from: before, to: frame)
    }
    // With a marker before and a beginning behind it was a whole frame; else it may all have been the one before.
    if before.ends { return isBegun(place) }
    return gap > 1 && (before.isReference || !before.hasPicture)
  }

  /// Whether so many frames may be missing that their numbers have gone round: there are enough packets for them, and
  /// enough time.
  private func mayHaveGoneRound(_ round: Int64, in gap: Int64, from before: Frame, to frame: Frame) -> Bool {
    guard gap >= round else { return false }
    // Half of it, as the rate may have changed.
    return abs(frame.timestamp &- before.timestamp) >= round / 2 * interval
  }

  /// frame_num grows by one with the frame behind each frame that others may refer to (H.264 7.4.3).
  private mutating func expectNumber(after frame: Frame) {
    if let number = frame.frameNumber, let bits = frame.frameNumberBits {
      unprovenGap = 0
      frameNumberBits = bits
      expectedNumber = frame.isReference ? (number &+ 1) & (1 << UInt32(bits) - 1) : number
    } else if !frame.hasPicture || frame.isField {
      expectedNumber = nil
    } else if frame.isReference, let bits = frameNumberBits {
      expectedNumber = expectedNumber.map { ($0 &+ 1) & (1 << UInt32(bits) - 1) }
    }
    if frame.frameNumber == nil, expectedNumber == nil { unprovenGap = 0 }
  }

  /// Takes note of how this sender's frames begin.
  private mutating func learnBeginning(of place: Int) {
    let frame = frames[place]
    guard frame.beginsWithSupplement, !frame.isKey, let before = place > 0 ? frames[place - 1] : forgotten else {
      return
    }
    if before.ends, before.last == frame.first - 1 { hasSupplementsFirst = true }
  }

  private func isBegun(_ place: Int) -> Bool {
    let frame = frames[place]
    if frame.begins || frame.first == firstSequence { return true }
    // Before a key frame's there may be parameter sets.
    if frame.beginsWithSupplement, hasSupplementsFirst, !frame.isKey { return true }
    guard let before = place > 0 ? frames[place - 1] : forgotten else { return false }
    if before.last == frame.first - 1 { return true }
    // The one number missing was the end of the frame before.
    return expectsMarkers && !before.ends && before.last == frame.first - 2
  }

  private var expectsMarkers: Bool { hasMarkers || closedCount < Self.unmarked }

  private func isEnded(_ place: Int) -> Bool {
    if frames[place].ends || !expectsMarkers { return true }
    return place + 1 < frames.count && frames[place + 1].first == frames[place].last + 1
  }

  private func isWhole(_ place: Int) -> Bool {
    !frames[place].missedDeadline && hasAll(place)
  }

  private func hasAll(_ place: Int) -> Bool {
    let frame = frames[place]
    return !frame.isSpoiled && Int64(frame.received) == frame.last - frame.first + 1 && isBegun(place) && isEnded(place)
  }

  private func missing(_ place: Int) -> Int {
    let frame = frames[place]
    if frame.state == .whole { return 0 }
    let inside = Int(clamping: frame.last - frame.first + 1 - Int64(frame.received))
    return max(1, inside + (isBegun(place) ? 0 : 1) + (isEnded(place) ? 0 : 1))
  }

  private func entry(of place: Int, after before: Frame?) -> PictureLedger.Entry {
    let frame = frames[place]
    let fate: PictureHistory.Fate =
      switch frame.state {
      case .whole: frame.isDecodable ? .shown : .undecodable
      case .open, .partial, .nothing: hasAll(place) ? .late : frame.state == .nothing ? .lost : .damaged
      }
    var missing: Int64 = 0
    let startsRun = startsRun(frame, after: before)
    if let before, !startsRun, frame.first > before.last + 1 {
      missing = frame.first - before.last - 1
      if expectsMarkers, !before.ends { missing -= 1 }
    }
    return PictureLedger.Entry(
      timestamp: frame.timestamp, fate: fate, isKey: frame.isKey, bytes: frame.bytes, packets: frame.received,
      missingBefore: Int(clamping: missing), startsRun: startsRun, isHidden: frame.isHidden)
  }
}

extension PictureAccount.Frame {
  fileprivate mutating func note(_ sequence: Int64, marker: Bool, bytes: Int, reading: PayloadReader.Reading) {
    received += 1
    if reading.beginsPicture { beginnings += 1 }
    self.bytes += bytes
    let piece = reading.piece
    if sequence <= first {
      first = sequence
      begins = piece.beginsFrame
      beginsWithSupplement = reading.beginsWithSupplement
    }
    if sequence >= last {
      last = sequence
      ends = marker
    }
    if piece.isKey { isKey = true }
    if piece.isReference { isReference = true }
    if reading.hasPicture { hasPicture = true }
    if piece.isHidden { isHidden = true }
    if reading.isIDR { isIDR = true }
    if reading.isField { isField = true }
    if let count = reading.recoveryCount { recoveryCount = count }
    if let number = piece.pictureID { pictureID = number }
    if let number = reading.frameNumber {
      frameNumber = number
      frameNumberBits = reading.frameNumberBits
    }
  }
}
