/// Packets by sequence number, in a power-of-two ring: constant time to insert, look up and take out the lowest, and no
/// allocation once each place has seen its largest payload.
struct PacketStore: Sendable {
  private struct Place: Sendable {
    var packet: BufferedPacket?
    var payload: [UInt8] = []
  }

  let byteLimit: Int
  private var places: [Place]
  private(set) var count = 0
  private(set) var bytes = 0
  /// The lowest number in store; meaningless when it is empty.
  private(set) var lowest: Int64 = 0
  /// The highest number in store; meaningless when it is empty.
  private(set) var highest: Int64 = 0

  /// Makes room for at least `packetLimit` packets with at most `byteLimit` bytes of payload.
  init(packetLimit: Int, byteLimit: Int) {
    var capacity = 1
    while capacity < packetLimit { capacity *= 2 }
    places = Array(repeating: Place(), count: capacity)
    self.byteLimit = byteLimit
  }

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

  mutating func insert(_ packet: BufferedPacket, payload: RawSpan) -> Insertion {
    if contains(packet.sequence) { return .duplicate }
    let low = isEmpty ? packet.sequence : min(lowest, packet.sequence)
    let high = isEmpty ? packet.sequence : max(highest, packet.sequence)
    guard high - low < Int64(places.count), bytes + payload.byteCount <= byteLimit else { return .full }
    let index = slot(of: packet.sequence)
    places[index].packet = packet
    places[index].payload.removeAll(keepingCapacity: true)
    unsafe payload.withUnsafeBytes { unsafe places[index].payload.append(contentsOf: $0) }
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
    bytes -= places[index].payload.count
    places[index].packet = nil
    count -= 1
    guard count > 0 else { return }
    repeat { lowest += 1 } while places[slot(of: lowest)].packet == nil
  }
}
