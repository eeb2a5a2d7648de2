import Timeline

/// Packets by sequence number, in a power-of-two ring: constant time to insert, look up and take out the lowest.
///
/// Payloads lie in one slab, a row each. The rows become wider, and the ring longer, when that is needed; from then on
/// nothing is allocated. A payload wider than the widest row has an array of its own.
@usableFromInline struct PacketStore: Sendable {
  private struct Place: Sendable {
    var packet = BufferedPacket(sequence: vacant, timestamp: 0, duration: 0, arrival: .zero)
    /// The length of the payload, which is kept or not.
    var size = 0
  }

  private static let initialCapacity = 64
  /// The first width of a row, and the widest: more than a datagram on an Ethernet holds.
  private static let narrowest = 256
  private static let widest = 2048
  /// No packet has this number.
  private static let vacant = Int64.min

  let byteLimit: Int
  private let capacity: Int
  private let keepsPayloads: Bool
  private var places: [Place]
  private var slab: [UInt8]
  private var width = narrowest
  private var wide: [Int: [UInt8]] = [:]
  /// Places of wide payloads whose packets were taken out since the last insertion.
  private var departed: [Int] = []
  private(set) var count = 0
  private(set) var bytes = 0
  /// The lowest number in store; meaningless when it is empty.
  private(set) var lowest: Int64 = 0
  /// The highest number in store; meaningless when it is empty.
  private(set) var highest: Int64 = 0

  /// Makes room for at least `packetLimit` packets with at most `byteLimit` bytes of payload.
  ///
  /// It begins with few places: most streams never need more, and few stay in the processor's cache.
  init(packetLimit: Int, byteLimit: Int, keepsPayloads: Bool = true) {
    var capacity = 1
    while capacity < packetLimit { capacity *= 2 }
    self.capacity = capacity
    places = Array(repeating: Place(), count: min(capacity, Self.initialCapacity))
    slab = keepsPayloads ? Array(repeating: 0, count: places.count * width) : []
    self.byteLimit = byteLimit
    self.keepsPayloads = keepsPayloads
  }

  @inline(__always) var isEmpty: Bool { count == 0 }

  /// Payloads too wide for a row, with those that were taken out since the last insertion.
  var wideCount: Int { wide.count }

  @inline(__always) func slot(of sequence: Int64) -> Int { Int(truncatingIfNeeded: sequence) & (places.count - 1) }

  @inline(__always) func contains(_ sequence: Int64) -> Bool {
    places[slot(of: sequence)].packet.sequence == sequence && sequence != Self.vacant
  }

  /// The packet with the lowest number.
  @inline(__always) var head: BufferedPacket? { isEmpty ? nil : places[slot(of: lowest)].packet }

  /// The packet with the highest number.
  @inline(__always) var tail: BufferedPacket? { isEmpty ? nil : places[slot(of: highest)].packet }

  /// The packet with a number, if it is here.
  func packet(_ sequence: Int64) -> BufferedPacket? {
    contains(sequence) ? places[slot(of: sequence)].packet : nil
  }

  /// Runs `body` on the bytes of the packet in `slot`, which stay until another packet is inserted there.
  @usableFromInline func withPayload<Result, Failure: Error>(
    in slot: Int, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let size = keepsPayloads ? places[slot].size : 0
    if size > Self.widest, let bytes = wide[slot] { return try unsafe body(bytes.span.bytes) }
    guard size > 0, size <= width else { return try unsafe body([UInt8]().span.bytes) }
    return try unsafe body(slab.span.bytes.extracting(slot * width..<slot * width + size))
  }

  @inline(__always) mutating func insert(_ packet: BufferedPacket, payload: RawSpan) -> Insertion {
    let size = payload.byteCount
    if contains(packet.sequence) { return improve(packet, payload: payload) }
    let low = isEmpty ? packet.sequence : min(lowest, packet.sequence)
    let high = isEmpty ? packet.sequence : max(highest, packet.sequence)
    guard high - low < Int64(capacity), bytes + size <= byteLimit else { return .full }
    if high - low >= Int64(places.count) { grow(to: high - low + 1) }
    let index = slot(of: packet.sequence)
    places[index].packet = packet
    places[index].size = size
    if keepsPayloads { write(payload, in: index) }
    lowest = low
    highest = high
    count += 1
    bytes += size
    return .stored
  }

  /// Takes out the packet with the lowest number; its bytes stay readable until the next insertion.
  mutating func removeLowest() {
    guard !isEmpty else { return }
    let index = slot(of: lowest)
    bytes -= places[index].size
    places[index].packet.sequence = Self.vacant
    if keepsPayloads, places[index].size > Self.widest { departed.append(index) }
    count -= 1
    guard count > 0 else { return }
    repeat { lowest += 1 } while places[slot(of: lowest)].packet.sequence != lowest
  }

  /// Gives packets other timestamps, by their numbers.
  mutating func retime(_ time: (Int64) -> Int64?) {
    for index in places.indices where places[index].packet.sequence != Self.vacant {
      if let timestamp = time(places[index].packet.sequence) { places[index].packet.timestamp = timestamp }
    }
  }

  @inline(__always) private mutating func write(_ payload: RawSpan, in index: Int) {
    let size = payload.byteCount
    if !wide.isEmpty { forgetWide(replacing: index) }
    if size > width, !widen(to: size) {
      unsafe wide[index] = payload.withUnsafeBytes { unsafe Array($0) }
      return
    }
    let start = index * width
    var bytes = slab.mutableSpan
    unsafe bytes.withUnsafeMutableBytes { row in
      unsafe payload.withUnsafeBytes { source in
        guard let from = source.baseAddress, let to = row.baseAddress else { return }
        unsafe (to + start).copyMemory(from: from, byteCount: size)
      }
    }
  }

  /// Takes a better copy in the place of the one that waits; when it arrived stays as it was.
  private mutating func improve(_ packet: BufferedPacket, payload: RawSpan) -> Insertion {
    let index = slot(of: packet.sequence)
    let waiting = places[index].packet
    guard packet.copy < waiting.copy else { return .duplicate }
    guard bytes - places[index].size + payload.byteCount <= byteLimit else { return .full }
    bytes += payload.byteCount - places[index].size
    places[index].packet = packet
    places[index].packet.arrival = waiting.arrival
    places[index].size = payload.byteCount
    if keepsPayloads { write(payload, in: index) }
    return .improved
  }

  /// Lets go of wide payloads whose packets are gone, and of the one that is replaced.
  private mutating func forgetWide(replacing index: Int) {
    wide[index] = nil
    for place in departed { wide[place] = nil }
    departed.removeAll(keepingCapacity: true)
  }

  /// Makes rows wide enough for `size` bytes; false when they would be too wide.
  private mutating func widen(to size: Int) -> Bool {
    guard size <= Self.widest else { return false }
    var wider = width
    while wider < size { wider *= 2 }
    relocate(count: places.count, width: wider)
    return true
  }

  private mutating func grow(to needed: Int64) {
    var count = places.count
    while Int64(count) < needed { count *= 2 }
    relocate(count: count, width: width)
  }

  private mutating func relocate(count: Int, width newWidth: Int) {
    let old = places
    let oldSlab = slab
    let oldWide = wide
    let mask = count - 1
    places = Array(repeating: Place(), count: count)
    if keepsPayloads { slab = Array(repeating: 0, count: count * newWidth) }
    wide = [:]
    departed = []
    for (index, place) in old.enumerated() where place.packet.sequence != Self.vacant {
      let target = Int(truncatingIfNeeded: place.packet.sequence) & mask
      places[target] = place
      guard keepsPayloads else { continue }
      if let bytes = oldWide[index] {
        wide[target] = bytes
      } else {
        let size = min(place.size, width)
        slab.replaceSubrange(
          target * newWidth..<target * newWidth + size, with: oldSlab[index * width..<index * width + size])
      }
    }
    width = newWidth
  }
}
