/// Numbers for flows: an open-addressed hash table, since every captured datagram is looked up once.
struct FlowTable: Sendable {
  private(set) var flows: [Flow] = []
  /// Numbers plus one; 0 is free.
  private var slots: [UInt32]
  private let seed: UInt64

  /// A random seed keeps a capture from being made so that its flows collide.
  init(seed: UInt64) {
    self.seed = seed
    slots = [UInt32](repeating: 0, count: 1024)
  }

  var count: Int { flows.count }

  /// The number of a flow that was added.
  @inline(__always) func find(_ flow: Flow) -> Int? {
    var slot = hash(flow)
    while true {
      let entry = slots[slot]
      if entry == 0 { return nil }
      if flows[Int(entry) - 1] == flow { return Int(entry) - 1 }
      slot = (slot + 1) & (slots.count - 1)
    }
  }

  /// Adds a flow that isn't in the table; numbers are given in order, from 0.
  mutating func add(_ flow: Flow) -> Int {
    flows.append(flow)
    if flows.count * 2 > slots.count {
      slots = [UInt32](repeating: 0, count: slots.count * 2)
      for index in flows.indices { place(index) }
    } else {
      place(flows.count - 1)
    }
    return flows.count - 1
  }

  private mutating func place(_ index: Int) {
    var slot = hash(flows[index])
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = UInt32(index + 1)
  }

  @inline(__always) private func hash(_ flow: Flow) -> Int {
    let ports = UInt64(flow.source.port) << 16 | UInt64(flow.destination.port)
    var value = Self.mix(seed ^ flow.source.high, flow.source.low ^ 0x9e37_79b9_7f4a_7c15)
    value = Self.mix(value ^ flow.destination.high, flow.destination.low ^ 0xbf58_476d_1ce4_e5b9)
    value = Self.mix(value ^ ports, seed ^ 0x94d0_49bb_1331_11eb)
    return Int(truncatingIfNeeded: value) & (slots.count - 1)
  }

  /// Both halves of the 128-bit product.
  @inline(__always) private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
