/// Room for frames under way: slots of equal size that are used again and again, taken from the system in blocks.
///
/// For one thread. A slot is held for a number of copies and comes back when the last has been released.
final class FramePool {
  /// The bytes of a slot: an Ethernet header, 1500 bytes, and a little.
  static let slotSize = 1536
  private static let blockSlots = 512

  private var blocks: [UnsafeMutablePointer<UInt8>] = []
  private var free: [Int32] = []
  private var sizes: [UInt16] = []
  private var copies: [UInt8] = []

  deinit { for block in blocks { block.deallocate() } }

  /// A free slot, held once.
  func take() -> Int32 {
    if free.isEmpty { grow() }
    let slot = free.removeLast()
    copies[Int(slot)] = 1
    return slot
  }

  /// Says what lies in a slot and how many copies of it will be released.
  func hold(_ slot: Int32, size: Int, copies count: Int) {
    sizes[Int(slot)] = UInt16(size)
    copies[Int(slot)] = UInt8(count)
  }

  /// Gives one copy back.
  func release(_ slot: Int32) {
    copies[Int(slot)] -= 1
    if copies[Int(slot)] == 0 { free.append(slot) }
  }

  /// Where a slot's bytes are.
  func bytes(of slot: Int32) -> UnsafeMutablePointer<UInt8> {
    blocks[Int(slot) / Self.blockSlots] + Int(slot) % Self.blockSlots * Self.slotSize
  }

  /// How many bytes lie in a slot.
  func size(of slot: Int32) -> Int { Int(sizes[Int(slot)]) }

  private func grow() {
    let first = blocks.count * Self.blockSlots
    blocks.append(.allocate(capacity: Self.blockSlots * Self.slotSize))
    sizes += repeatElement(0, count: Self.blockSlots)
    copies += repeatElement(0, count: Self.blockSlots)
    free.reserveCapacity(blocks.count * Self.blockSlots)
    for slot in (first..<first + Self.blockSlots).reversed() { free.append(Int32(slot)) }
  }
}
