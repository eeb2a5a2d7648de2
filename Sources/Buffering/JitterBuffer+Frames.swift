public import Timeline

/// What a buffer does for packets that are parts of frames: their timestamps are the times at which frames are decoded.
extension JitterBuffer {
  /// So long an adaptive buffer keeps at least the delay that it began with: a frame that is late breaks all up to the next
  /// key frame, and what the network does isn't known yet.
  static let framedLearning = Interval.seconds(2)
  /// The least delay for frames, within the limits: nobody sees a fiftieth of a second, and everybody a picture that freezes
  /// because a busy machine read one packet a few milliseconds late.
  static let framedLeast = Interval.milliseconds(20)
  /// What an adaptive buffer for frames begins with, within its limits.
  static let framedStart = Interval.milliseconds(100)

  // MARK: Inputs

  /// The frame that was to be decoded at `time` is over, and so are those before it: packets of them are late.
  public mutating func closeFrames(through time: Int64) { framesOver = max(framesOver, time) }

  /// The times of frames have become known better.
  ///
  /// - Parameters:
  ///   - base: the smallest recent transit by the new times.
  ///   - closed: the new time of the last frame that is over.
  ///   - time: the new time of the packet with a number; nil leaves it as it was.
  public mutating func retime(base: Interval?, closed: Int64?, _ time: (Int64) -> Int64?) {
    store.retime(time)
    if let closed, framesOver > .min { framesOver = closed }
    // Across a boundary transits can't be compared.
    guard case .none = boundary, let base else { return arrivals = nil }
    arrivals = ArrivalModel(transit: base, at: lastArrival)
    estimator.restart()
    narrator.restart()
  }

  // MARK: Queries

  /// When a packet with this timestamp is due; in place, because a buffer is big.
  @inline(never) public mutating func dueInPlace(_ timestamp: Int64) -> Instant { dueTime(of: timestamp) }

  /// Whether the packet's frame is over: its time has passed, whatever was there.
  func isOver(_ packet: BufferedPacket, _ transit: Interval) -> Bool {
    if packet.timestamp <= framesOver { return true }
    guard let base = arrivals?.base else { return false }
    return transit - base > target
  }
}

extension JitterBuffer.Configuration {
  /// What an adaptive buffer begins with: as little as it may, for audio, which waits for what is late.
  func firstTarget(_ adaptation: JitterBuffer.Adaptation) -> Interval {
    let limits = adaptation.limits
    return isFramed ? min(max(JitterBuffer.framedStart, limits.lowerBound), limits.upperBound) : limits.lowerBound
  }
}
