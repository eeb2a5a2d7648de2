internal import Statistics
internal import Timeline

/// Which buffer a lane would have needed, packet by packet.
struct BufferNeed {
  /// For each packet in ascending order the delay of a buffer that would have had it in time, in milliseconds; infinite
  /// for what never came.
  let milliseconds: [Double]

  /// Takes a lane's packets as they came; the buffer's clock is set by the fastest, as every player's is.
  ///
  /// What was rebuilt is taken to have been there with the packet after it, which in-band FEC rebuilds it from.
  init(_ lane: LaneReport, interval: Interval, buffer: Interval) {
    let base = lane.packets.compactMap(\.delay).min() ?? .zero
    milliseconds = lane.packets.indices.map { place in
      let packet = lane.packets[place]
      let own = packet.delay.map { ($0 - base).milliseconds } ?? .infinity
      guard packet.fate == .recovered else { return own }
      let next = place + 1 < lane.packets.count ? lane.packets[place + 1].delay : nil
      let rebuilt = next.map { ($0 + interval - base).milliseconds } ?? buffer.milliseconds
      return min(own, rebuilt)
    }.sorted()
  }

  /// The share of the packets that a buffer of so many milliseconds would have missed, lost ones among them.
  func missing(at buffer: Double) -> Double {
    milliseconds.isEmpty ? 0 : Double(milliseconds.count - held(within: buffer)) / Double(milliseconds.count)
  }

  /// The smallest buffer that misses at most such a share; nil where none does.
  func buffer(missing share: Double) -> Double? {
    guard !milliseconds.isEmpty else { return nil }
    let allowed = Int(share * Double(milliseconds.count))
    guard allowed < milliseconds.count else { return 0 }
    let value = milliseconds[milliseconds.count - 1 - allowed]
    return value.isFinite ? value : nil
  }

  /// The smallest buffer from which on this lane misses less than another; nil where none is.
  func crossing(_ other: BufferNeed) -> Double? {
    guard missing(at: .greatestFiniteMagnitude) < other.missing(at: .greatestFiniteMagnitude) else { return nil }
    // The shares change at these delays only.
    let steps = (milliseconds + other.milliseconds).filter(\.isFinite).sorted()
    guard let last = steps.last(where: { missing(at: $0) >= other.missing(at: $0) }) else { return steps.first ?? 0 }
    return steps.first { $0 > last }
  }

  private func held(within buffer: Double) -> Int {
    var (low, high) = (0, milliseconds.count)
    while low < high {
      let middle = (low + high) / 2
      if milliseconds[middle] <= buffer { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// Packets of a byte stream that all came at once behind one that was slow, because bytes are handed over in order.
struct HeldBack: Hashable {
  /// The place of the slow one among the lane's packets.
  var head: Int
  /// How much slower than the fastest packet it was.
  var excess: Interval
  /// How many came with it.
  var held: Int
}

extension LaneReport {
  /// Where a slow packet held back others (head-of-line blocking); empty for what isn't a byte stream.
  ///
  /// What was sent again can't be there before a round trip has passed, so that anything faster waited in the sender or was
  /// this host's doing; where nothing was lost, it was overtaken.
  var heldBack: [HeldBack] {
    guard transport == .byteStream, let base = packets.compactMap(\.delay).min() else { return [] }
    let isRepaired = retransmits ?? 0 > 0 && linkRecord?.dropped != 0
    let leastHold = max(Self.leastHold, isRepaired ? (roundTrip ?? .zero) * 9 / 10 : .zero)
    var found: [HeldBack] = []
    var place = 0
    while place < packets.count {
      let head = packets[place]
      guard let delay = head.delay, delay - base >= leastHold else {
        place += 1
        continue
      }
      var end = place + 1
      // What was as fast as any wasn't held back, even if it came at that moment.
      while end < packets.count, let next = packets[end].delay, next - base > Self.sameMoment,
        packets[end].sentAt + next - (head.sentAt + delay) <= Self.sameMoment
      { end += 1 }
      found.append(HeldBack(head: place, excess: delay - base, held: end - place - 1))
      place = end
    }
    return found
  }

  /// The time there and back without queues: by the kernel, or twice the fastest packet.
  var roundTrip: Interval? {
    tcpSamples.map(\.roundTrip).filter { $0 > .zero }.min() ?? packets.compactMap(\.delay).min().map { $0 * 2 }
  }

  /// What a player would have done that waits for each packet instead of concealing it; what never came it skips.
  ///
  /// It starts `buffer` after the fastest packet could have been there. Packets after each other for which it waits are
  /// one pause.
  func waiting(buffer: Interval) -> [PlayerPause] {
    guard let base = packets.compactMap(\.delay).min() else { return [] }
    var (pauses, behind): ([PlayerPause], Interval) = ([], .zero)
    var hasWaited = false
    for packet in packets {
      guard let delay = packet.delay else { continue }
      let length = delay - base - buffer - behind
      guard length >= .milliseconds(1) else {
        hasWaited = false
        continue
      }
      if hasWaited, let last = pauses.indices.last {
        pauses[last].length += length
      } else {
        pauses.append(PlayerPause(at: packet.sentAt + base + buffer + behind, length: length))
      }
      behind += length
      hasWaited = true
    }
    return pauses
  }

  /// From how much slower than the fastest on a packet is called slow.
  private static let leastHold = Interval.milliseconds(10)
  /// Packets read so soon after each other came at once.
  private static let sameMoment = Interval.milliseconds(3)
}

extension LaneReport {
  /// What an adaptive buffer aimed at on average; nil for a fixed one.
  var meanBuffer: Interval? {
    guard let stream, stream.playout.adaptation != nil else { return nil }
    return stream.playout.samples?.meanTarget.map { Interval(seconds: $0) }
  }
}

extension RaceReport {
  /// A lane's name as it stands in a sentence: "UDP", "UDP with FEC", "TCP (cubic)", "the control".
  func title(_ lane: LaneReport) -> String {
    if lane.transport == .control { return "the control" }
    let name = Printable.cleaned(lane.name, limit: 40)
    if lane.transport == .byteStream {
      let isAlone = lanes.count { $0.transport == .byteStream } == 1
      guard !isAlone, let control = lane.congestionControl else { return isAlone ? "TCP" : Self.capital(name) }
      return "TCP (\(Printable.cleaned(control, limit: 20)))"
    }
    return name == "udp+fec" ? "UDP with FEC" : Self.capital(name)
  }

  private static func capital(_ name: String) -> String {
    for prefix in ["udp", "tcp"] where name.hasPrefix(prefix) {
      return prefix.uppercased() + name.dropFirst(prefix.count)
    }
    return name
  }

  /// The delay of the buffer: the fixed one, or the mean of what the lanes' adaptive ones aimed at.
  var typicalBuffer: Interval {
    let means = isBufferAdaptive ? lanes.compactMap(\.meanBuffer) : []
    return means.isEmpty ? buffer : means.reduce(.zero, +) / Int64(means.count)
  }

  /// The figures of the lanes, in their order.
  var summaries: [LaneSummary] { lanes.map { $0.summary(interval: packetInterval) } }

  /// The buffers that the lanes would have needed, in their order.
  var needs: [BufferNeed] {
    lanes.map { BufferNeed($0, interval: packetInterval, buffer: $0.meanBuffer ?? buffer) }
  }
}
