import Testing
import Timeline

@testable import Buffering

/// Payloads wider than a row of the store, which have an array each.
struct PacketStoreTests {
  /// Wider than a row may be.
  private static let wideSize = 2_100

  private static func insert(
    _ sequence: Int64, size: Int = PacketStoreTests.wideSize, into store: inout PacketStore
  ) -> Insertion {
    let packet = BufferedPacket(sequence: sequence, timestamp: sequence * 960, duration: 960, arrival: .zero)
    let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: sequence), count: size)
    return store.insert(packet, payload: payload.span.bytes)
  }

  /// Whether the bytes at a place are those of a packet.
  private static func holds(_ sequence: Int64, in slot: Int, of store: PacketStore) -> Bool {
    store.withPayload(in: slot) { payload in
      payload.byteCount == wideSize
        && payload.unsafeLoad(fromByteOffset: wideSize - 1, as: UInt8.self) == UInt8(truncatingIfNeeded: sequence)
    }
  }

  // With a look at all that wait for each that comes this would take minutes.
  @Test func `thousands of wide payloads wait, and each is let go one insertion after its packet`() {
    var store = PacketStore(packetLimit: 16_384, byteLimit: 32 << 20)
    let waiting: Int64 = 12_000
    var wrong = 0
    for number in 0..<waiting {
      let insertion = Self.insert(number, into: &store)
      if insertion != .stored { wrong += 1 }
    }
    for number in 0..<waiting {
      let slot = store.slot(of: number)
      store.removeLowest()
      if !Self.holds(number, in: slot, of: store) { wrong += 1 }
      let insertion = Self.insert(waiting + number, into: &store)
      if insertion != .stored { wrong += 1 }
      if store.wideCount != Int(waiting) { wrong += 1 }
    }
    #expect(wrong == 0)
    #expect(store.count == Int(waiting))
  }

  @Test func `wide payloads of packets taken out together are all let go with the next insertion`() {
    var store = PacketStore(packetLimit: 1024, byteLimit: 4 << 20)
    for number in Int64(0)..<40 { _ = Self.insert(number, into: &store) }
    #expect(store.count == 40)
    for _ in 0..<30 { store.removeLowest() }
    for number in Int64(0)..<40 { #expect(Self.holds(number, in: store.slot(of: number), of: store)) }
    // At a place that a wide one has left.
    let insertion = Self.insert(64, size: 100, into: &store)
    #expect(insertion == .stored)
    #expect(store.wideCount == 10)
    for number in Int64(30)..<40 { #expect(Self.holds(number, in: store.slot(of: number), of: store)) }
  }
}
