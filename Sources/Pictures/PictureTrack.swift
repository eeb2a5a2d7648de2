public import Packets
public import Statistics
public import Timeline

/// The frames of one stream: when they are to be decoded, what arrived of them, and what they are when they are due.
///
/// Inputs are `place` and `arrive` for each packet in order of arrival, `play` for each packet in order of its number when
/// its time has come, and `passTime` when nothing more is due. Outputs are `pollFrame` and `takeRequest`.
///
/// A transport stream's datagrams are frames of their own here; the pictures inside are followed by a
/// `TransportAccount`.
public struct PictureTrack: Sendable {
  /// The shortest time between two requests for a key frame.
  public static let requestInterval = Interval.milliseconds(500)

  /// The kind of video; nil for packets of which only timestamps and markers are understood.
  public let encoding: VideoEncoding?
  private var clock: DecodeClock
  private var account: PictureAccount
  private var transport: TransportAccount?
  private var transportClock: TransportClock
  private var assembler: FrameAssembler
  private var queue = FrameQueue()
  private let handsOut: Bool
  private var reader: PayloadReader
  private let isSynthetic: Bool
  /// What the packet placed last says.
  private var reading = PayloadReader.Reading()
  private var handedOut = 0
  private var lastRequest: Instant?
  /// Whether nothing has come since the last request: a sender that is gone is asked once.
  private var isSilent = false

  /// Begins a stream; where nothing is to be handed out the frames are put together and counted all the same.
  ///
  /// `parameterSets` are H.264's that were told beforehand, as NAL units; `isSynthetic` says that payloads are those of
  /// `SyntheticPiece`, where there is no encoding.
  public init(
    encoding: VideoEncoding?, clockRate: UInt32, handsOut: Bool = true, isSynthetic: Bool = false,
    parameterSets: [[UInt8]] = []
  ) {
    self.encoding = encoding
    self.handsOut = handsOut
    self.isSynthetic = isSynthetic
    reader = PayloadReader(parameterSets: encoding == .h264 ? parameterSets : [])
    clock = DecodeClock(clockRate: clockRate)
    account = PictureAccount(
      clockRate: clockRate, knowsReferences: encoding != nil || isSynthetic,
      isPrepared: encoding != .h264 || reader.isPrepared)
    transport = encoding == .mpegTS ? TransportAccount(clockRate: clockRate) : nil
    transportClock = TransportClock(clockRate: clockRate)
    assembler = FrameAssembler(encoding: encoding)
  }

  // MARK: Inputs

  /// Reads a packet's payload and tells when it is to be decoded, in units of the clock, before it goes into the buffer.
  ///
  /// Nil when the payload is invalid in itself. `isRevised` says that the times told before have changed.
  public mutating func place(
    _ payload: RawSpan, sequence: Int64, timestamp: Int64, at arrival: Instant
  ) -> (time: Int64, isRevised: Bool)? {
    reading = PayloadReader.Reading()
    isSilent = false
    if let encoding {
      guard let reading = reader.read(payload, as: encoding) else { return nil }
      self.reading = reading
    } else if isSynthetic {
      reading = PayloadReader.readSynthetic(payload)
    }
    if transport != nil { return transportClock.note(payload, sequence: sequence, timestamp: timestamp, at: arrival) }
    if let interval = reader.frameInterval { clock.expect(interval: interval) }
    var isRevised = clock.raise(depth: reader.reorderDepth ?? 0)
    if clock.note(sequence, timestamp: timestamp, at: arrival) { isRevised = true }
    return (clock.time(of: sequence) ?? timestamp, isRevised)
  }

  /// Takes in that the buffer has taken the packet placed last, or has called it late.
  public mutating func arrive(sequence: Int64, timestamp: Int64, marker: Bool, bytes: Int, isLate: Bool) {
    guard transport == nil else { return }
    account.interval = clock.interval
    account.arrive(
      sequence, timestamp: timestamp, marker: marker, bytes: bytes, reading: reading, isLate: isLate)
  }

  /// Takes in a packet whose time has come; the decoding time of the last frame that is over with it, if any.
  public mutating func play(_ payload: RawSpan, sequence: Int64, time: Int64, due: Instant) -> Int64? {
    if transport != nil {
      playTransport(payload, sequence: sequence, timestamp: time, due: due)
      return nil
    }
    guard let (id, timestamp, endsHere) = account.openFrame(of: sequence) else { return nil }
    var closed: Int64?
    if let open = assembler.open, open.id != id { closed = closeFrame() }
    let frame = FrameAssembler.Frame(id: id, timestamp: timestamp, time: time, due: due)
    if !assembler.append(payload, sequence: sequence, to: frame), encoding != nil { account.spoil(id) }
    if endsHere { closed = closeFrame() ?? closed }
    return closed
  }

  /// Nothing more is due: what isn't there of the frame that was begun comes too late; its decoding time, if there was
  /// one.
  public mutating func passTime() -> Int64? { closeFrame() }

  /// The sender begins anew, with numbers from this one on; what came before may still be in the buffer.
  public mutating func restart(from sequence: Int64) {
    clock.restart()
    transportClock.restart()
    transport?.restart(from: sequence)
    account.restart(from: sequence)
  }

  // MARK: Outputs

  /// The next frame whose time has come; its bytes take the place of those in `bytes`.
  public mutating func pollFrame(into bytes: inout [UInt8]) -> ReceivedFrame? { queue.next(into: &bytes) }

  /// Whether to ask the sender for a key frame now; counts it as asked.
  public mutating func takeRequest(at now: Instant) -> Bool {
    guard let due = nextRequest(after: now), due <= now else { return false }
    lastRequest = now
    isSilent = true
    account.noteRequest()
    transport?.noteRequest()
    return true
  }

  // MARK: Queries

  /// When to ask for a key frame; nil while the picture isn't broken, or nothing has come since the last time.
  public func nextRequest(after now: Instant) -> Instant? {
    guard !isSilent else { return nil }
    if let transport {
      guard transport.isBroken, transport.hasPictures else { return nil }
    } else {
      guard account.isBroken, account.closedThrough > .min else { return nil }
    }
    return max(lastRequest.map { $0 + Self.requestInterval } ?? now, now)
  }

  /// What a viewer saw so far.
  public var statistics: PictureStatistics {
    if let transport {
      var statistics = transport.statistics
      statistics.reorderDepth = transportClock.depth
      return statistics
    }
    var statistics = account.statistics
    statistics.reorderDepth = clock.depth
    return statistics
  }

  /// When a packet is to be decoded, after a revision; nil when its frame is forgotten.
  public func time(of sequence: Int64) -> Int64? {
    transport == nil ? clock.time(of: sequence) : transportClock.time(of: sequence)
  }

  /// The decoding time of the last frame that is over, after a revision.
  public var closedTime: Int64? { clock.time(upTo: account.closedThrough) }

  /// The smallest recent transit, after a revision.
  public var base: Interval? { transport == nil ? clock.base : transportClock.base }

  /// How much longer than its packets ask for the buffer has to wait, because the sender keeps some of them back.
  public var senderWait: Interval { transportClock.wait }

  /// The usual time between two frames in units of the clock.
  public var frameInterval: Int64 { clock.interval }

  // MARK: Private

  private mutating func closeFrame() -> Int64? {
    guard let frame = assembler.close() else { return nil }
    let outcome = account.close(frame.id, isCut: frame.isCut)
    handOut(
      ReceivedFrame(
        number: handedOut, timestamp: frame.timestamp, due: frame.due, missingPackets: outcome.missingPackets,
        isKey: outcome.isKey, isDecodable: outcome.isDecodable, isReference: outcome.isReference,
        heals: outcome.heals))
    return frame.time
  }

  private mutating func handOut(_ frame: ReceivedFrame) {
    handedOut += 1
    if handsOut {
      queue.append(frame, taking: &assembler.bytes)
    } else {
      assembler.bytes.removeAll(keepingCapacity: true)
    }
  }

  private mutating func playTransport(_ payload: RawSpan, sequence: Int64, timestamp: Int64, due: Instant) {
    guard let (missing, isKey) = transport?.play(payload, sequence: sequence, time: timestamp) else { return }
    _ = assembler.append(
      payload, sequence: sequence, to: FrameAssembler.Frame(id: 0, timestamp: timestamp, time: timestamp, due: due))
    guard assembler.close() != nil else { return }
    handOut(
      ReceivedFrame(
        number: handedOut, timestamp: timestamp, due: due, missingPackets: missing, isKey: isKey,
        isDecodable: transport?.isBroken == false, isReference: true))
  }
}
