/// Packets by sequence number, in a power-of-two ring: constant time to insert, look up and take out the lowest, and no
/// allocation once each place has seen its largest payload.
struct PacketStore: Sendable {
  private struct Place: Sendable {
    var packet: BufferedPacket?
    /// The length of the payload, which is kept or not.
    var size = 0
    var payload: [UInt8] = []
  }

  let byteLimit: Int
  private let capacity: Int
  private let keepsPayloads: Bool
  private var places: [Place]
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
    self.byteLimit = byteLimit
    self.keepsPayloads = keepsPayloads
  }

  private static let initialCapacity = 64

  var isEmpty: Bool { count == 0 }

  func slot(of sequence: Int64) -> Int { Int(truncatingIfNeeded: sequence) & (places.count - 1) }

  func contains(_ sequence: Int64) -> Bool { places[slot(of: sequence)].packet?.sequence == sequence }

  /// The packet with the lowest number.
  var head: BufferedPacket? { isEmpty ? nil : places[slot(of: lowest)].packet }

  /// The packet with the highest number.
  var tail: BufferedPacket? { isEmpty ? nil : places[slot(of: highest)].packet }

  /// The bytes of the packet in `slot`, which stay until another packet is inserted there; not a copy as long as the
  /// caller lets go of them before.
  func payload(in slot: Int) -> [UInt8] { places[slot].payload }

  @inline(__always) mutating func insert(_ packet: BufferedPacket, payload: RawSpan) -> Insertion {
    if contains(packet.sequence) { return .duplicate }
    let low = isEmpty ? packet.sequence : min(lowest, packet.sequence)
    let high = isEmpty ? packet.sequence : max(highest, packet.sequence)
    guard high - low < Int64(capacity), bytes + payload.byteCount <= byteLimit else { return .full }
    if high - low >= Int64(places.count) { grow(to: high - low + 1) }
    let index = slot(of: packet.sequence)
    places[index].packet = packet
    places[index].size = payload.byteCount
    if keepsPayloads {
      places[index].payload.removeAll(keepingCapacity: true)
      unsafe payload.withUnsafeBytes { unsafe places[index].payload.append(contentsOf: $0) }
    }
    lowest = low
    highest = high
    count += 1
    bytes += payload.byteCount
    return .stored
  }

  /// Takes out the packet with the lowest number; its bytes stay readable until the next insertion.
  mutating func removeLowest() {
    guard !isEmpty else { return }
    let index = slot(of: lowest)
    bytes -= places[index].size
    places[index].packet = nil
    count -= 1
    guard count > 0 else { return }
    repeat { lowest += 1 } while places[slot(of: lowest)].packet == nil
  }

  private mutating func grow(to needed: Int64) {
    var count = places.count
    while Int64(count) < needed { count *= 2 }
    let old = places
    places = Array(repeating: Place(), count: count)
    for place in old {
      if let packet = place.packet { places[slot(of: packet.sequence)] = place }
    }
  }
}
