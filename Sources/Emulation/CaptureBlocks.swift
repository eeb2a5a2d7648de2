/// The blocks of a pcapng file (draft-ietf-opsawg-pcapng) of Ethernet frames, with times in nanoseconds.
///
/// A frame that was read is older than one that was handed over just before, so frames wait until none can come that
/// belongs before them.
public struct CaptureBlocks: Sendable {
  /// What was written and not taken yet.
  public private(set) var bytes: [UInt8] = []
  /// Frames that wait for older ones, by their time.
  private var waiting: [(time: Int64, block: [UInt8])] = []

  /// Writes the section header and an interface for each name.
  public init(application: String, interfaces: [(name: String, description: String)]) {
    block(0x0a0d_0d0a) { blocks in
      blocks.append(0x1a2b_3c4d as UInt32)
      blocks.append(1 as UInt16)
      blocks.append(0 as UInt16)
      blocks.append(UInt64.max)
      blocks.option(4, Array(application.utf8))
      blocks.option(0, [])
    }
    for interface in interfaces {
      block(1) { blocks in
        blocks.append(1 as UInt16)
        blocks.append(0 as UInt16)
        blocks.append(0 as UInt32)
        blocks.option(2, Array(interface.name.utf8))
        blocks.option(3, Array(interface.description.utf8))
        blocks.option(9, [9])
        blocks.option(0, [])
      }
    }
  }

  /// Writes a frame.
  ///
  /// - Parameters:
  ///   - interface: the interface's place, from 0.
  ///   - unixNanoseconds: when.
  ///   - isInbound: whether the side that has the interface received it.
  public mutating func frame(
    _ frame: RawSpan, interface: Int, unixNanoseconds: Int64, isInbound: Bool, comment: String?
  ) {
    let start = bytes.count
    block(6) { blocks in
      let time = UInt64(bitPattern: unixNanoseconds)
      blocks.append(UInt32(interface))
      blocks.append(UInt32(truncatingIfNeeded: time >> 32))
      blocks.append(UInt32(truncatingIfNeeded: time))
      blocks.append(UInt32(frame.byteCount))
      blocks.append(UInt32(frame.byteCount))
      frame.withUnsafeBytes { blocks.bytes.append(contentsOf: $0) }
      blocks.pad()
      blocks.option(2, [isInbound ? 1 : 2, 0, 0, 0])
      if let comment { blocks.option(1, Array(comment.utf8)) }
      blocks.option(0, [])
    }
    waiting.append((unixNanoseconds, Array(bytes[start...])))
    bytes.removeLast(bytes.count - start)
  }

  /// Writes the frames that are older than this, in the order of their times.
  public mutating func settle(before unixNanoseconds: Int64) {
    // The sort is stable in fact but not by contract, so their order is part of the key.
    let order = waiting.indices.sorted { (waiting[$0].time, $0) < (waiting[$1].time, $1) }
    var later: [(time: Int64, block: [UInt8])] = []
    for index in order {
      if waiting[index].time < unixNanoseconds { bytes += waiting[index].block } else { later.append(waiting[index]) }
    }
    waiting = later
  }

  /// Frames that wait.
  public var waitingCount: Int { waiting.count }

  /// Forgets what was written, once it is in a file.
  public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  private mutating func block(_ type: UInt32, _ body: (inout CaptureBlocks) -> Void) {
    let start = bytes.count
    append(type)
    append(0 as UInt32)
    body(&self)
    let length = UInt32(bytes.count - start + 4)
    append(length)
    for index in 0..<4 { bytes[start + 4 + index] = UInt8(truncatingIfNeeded: length >> (8 * UInt32(index))) }
  }

  private mutating func option(_ code: UInt16, _ value: [UInt8]) {
    append(code)
    append(UInt16(value.count))
    bytes += value
    pad()
  }

  private mutating func pad() { while !bytes.count.isMultiple(of: 4) { bytes.append(0) } }

  private mutating func append(_ value: some FixedWidthInteger) {
    for shift in stride(from: 0, to: value.bitWidth, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }
}
