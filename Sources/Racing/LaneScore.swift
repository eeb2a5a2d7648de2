public import Timeline

/// What became of a packet in a lane, by the clock that all lanes share.
public enum RaceFate: UInt8, CaseIterable, Sendable {
  /// It was there when its media was due.
  case onTime
  /// It came too late.
  case late
  /// It never came.
  case lost
  /// It never came, or came too late, but its media was rebuilt in time.
  case recovered
}

/// When the packets of a race have to be there.
///
/// A fixed buffer's deadline is the same instant in every lane: when the packet was due to be sent, plus the path (the
/// smallest delay of any packet in any lane that crosses the link), plus the buffer. A packet that arrives at that
/// instant is on time. The deadline of an adaptive buffer is its own: on time is what it played.
public enum RaceDeadline: Hashable, Sendable {
  /// After this long since the packet was due to be sent.
  case after(Interval)
  /// When the lane's own buffer says so.
  case playout

  /// The deadline of a race, from the lanes that cross the link (`lanes`) and its fixed buffer; nil for adaptive.
  public init(buffer: Interval?, lanes: [LaneReceiver]) {
    guard let buffer else {
      self = .playout
      return
    }
    self = .after((lanes.compactMap(\.leastDelay).min() ?? .zero) + buffer)
  }
}

extension LaneReceiver {
  /// What became of packet `index`.
  ///
  /// A packet without an arrival is lost as things are; whether it still comes only time can tell.
  public func fate(of index: Int, by deadline: RaceDeadline) -> RaceFate {
    let packet = packets[index]
    switch deadline {
    case .after(let limit):
      if let delay = delay(index), delay <= limit { return .onTime }
    case .playout:
      if packet.heard == .played { return .onTime }
    }
    if packet.heard == .rebuilt { return .recovered }
    return packet.arrival == nil ? .lost : .late
  }

  /// Whether what became of packet `index` is settled at `now`: its deadline has passed, or it has come.
  public func isSettled(_ index: Int, by deadline: RaceDeadline, at now: Instant) -> Bool {
    let packet = packets[index]
    switch deadline {
    case .after(let limit):
      if let delay = delay(index), delay <= limit { return true }
      // What is rebuilt is so when its turn comes in the receiver's own playout, about then.
      return now >= due(index) + limit + .milliseconds(40)
    case .playout: return packet.heard != .nothing || packet.isTooLate || now >= due(index) + .seconds(2)
    }
  }
}
