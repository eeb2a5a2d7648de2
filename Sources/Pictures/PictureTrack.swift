public import Packets
public import Statistics
public import Timeline

/// The frames of one stream: when they are to be decoded, what arrived of them, and what they are when they are due.
///
/// Inputs are `arrive` for each packet in order of arrival, `play` for each packet in order of its number when its time
/// has come, and `passTime` when nothing more is due. Outputs are `pollFrame` and `wantsKeyFrame`.
public struct PictureTrack: Sendable {
  /// The shortest time between two requests for a key frame.
  public static let requestInterval = Interval.milliseconds(500)

  /// The kind of video; nil for packets of which only timestamps and markers are understood.
  public let encoding: VideoEncoding?
  private let clockRate: UInt32
  private var clock: DecodeClock
  private var account: PictureAccount
  private var assembler: FrameAssembler
  private var queue = FrameQueue()
  private let keepsPayloads: Bool
  private var handedOut = 0
  private var lastRequest: Instant?

  /// Begins a stream.
  public init(encoding: VideoEncoding?, clockRate: UInt32, keepsPayloads: Bool = true) {
    self.encoding = encoding
    self.clockRate = clockRate
    self.keepsPayloads = keepsPayloads
    clock = DecodeClock(clockRate: clockRate)
    account = PictureAccount(encoding: encoding, clockRate: clockRate)
    assembler = FrameAssembler(encoding: encoding)
  }

  // MARK: Inputs

  /// What the payload says; nil when it is invalid.
  public static func isValid(_ payload: RawSpan, as encoding: VideoEncoding) -> Bool {
    PayloadReader.read(payload, as: encoding) != nil
  }

  /// Tells when a packet is to be decoded, in units of the clock, before it goes into the buffer.
  ///
  /// `isRevised` says that the times told before have changed.
  public mutating func time(
    of sequence: Int64, timestamp: Int64, at arrival: Instant
  ) -> (time: Int64, isRevised: Bool) {
    let isRevised = clock.note(sequence, timestamp: timestamp, at: arrival)
    return (clock.time(of: sequence) ?? timestamp, isRevised)
  }

  /// Takes in a packet that the buffer has taken, or has called late.
  public mutating func arrive(
    _ payload: RawSpan, sequence: Int64, timestamp: Int64, marker: Bool, isLate: Bool
  ) {
    let reading = encoding.flatMap { PayloadReader.read(payload, as: $0) } ?? PayloadReader.Reading()
    account.arrive(
      sequence, timestamp: timestamp, marker: marker, bytes: payload.byteCount, reading: reading, isLate: isLate)
  }

  /// Takes in a packet whose time has come; the decoding time of the last frame that this one ended, if any.
  public mutating func play(_ payload: RawSpan, sequence: Int64, time: Int64, due: Instant) -> Int64? {
    guard let (timestamp, endsHere) = account.openFrame(of: sequence) else { return nil }
    var closed: Int64?
    if assembler.isOpen(before: timestamp) { closed = closeFrame() }
    assembler.append(payload, sequence: sequence, timestamp: timestamp, time: time, due: due)
    if endsHere { closed = closeFrame() ?? closed }
    return closed
  }

  /// Nothing more is due: what isn't there of the frame that was begun comes too late; its decoding time, if there was
  /// one.
  public mutating func passTime() -> Int64? { closeFrame() }

  /// The sender has begun anew at this number.
  public mutating func restart(at sequence: Int64) {
    _ = closeFrame()
    clock.restart()
    account.restart(at: sequence)
  }

  // MARK: Outputs

  /// The next frame whose time has come; its bytes take the place of those in `bytes`.
  public mutating func pollFrame(into bytes: inout [UInt8]) -> ReceivedFrame? { queue.next(into: &bytes) }

  /// Whether to ask the sender for a key frame now; counts it as asked.
  public mutating func takeRequest(at now: Instant) -> Bool {
    guard let due = nextRequest(after: now), due <= now else { return false }
    lastRequest = now
    account.noteRequest()
    return true
  }

  // MARK: Queries

  /// When to ask for a key frame; nil while the picture isn't broken.
  public func nextRequest(after now: Instant) -> Instant? {
    guard account.isBroken, account.closedThrough > .min else { return nil }
    return max(lastRequest.map { $0 + Self.requestInterval } ?? now, now)
  }

  /// What a viewer saw so far.
  public var statistics: PictureStatistics { account.statistics }

  /// When each packet in the buffer is to be decoded, after a revision.
  public func time(of sequence: Int64) -> Int64? { clock.time(of: sequence) }

  /// The decoding time of the last frame that is over, after a revision.
  public var closedTime: Int64? { clock.time(upTo: account.closedThrough) }

  /// The smallest recent transit, after a revision.
  public var base: Interval? { clock.base }

  /// The usual time between two frames in units of the clock.
  public var frameInterval: Int64 { clock.interval }

  // MARK: Private

  private mutating func closeFrame() -> Int64? {
    guard let frame = assembler.close() else { return nil }
    let outcome = account.close(frame.timestamp)
    if keepsPayloads {
      queue.append(
        ReceivedFrame(
          number: handedOut, timestamp: frame.timestamp, due: frame.due, missingPackets: outcome.missingPackets,
          isKey: outcome.isKey, isDecodable: outcome.isDecodable, isReference: outcome.isReference),
        taking: &assembler.bytes)
    } else {
      assembler.bytes.removeAll(keepingCapacity: true)
    }
    handedOut += 1
    return frame.time
  }
}
