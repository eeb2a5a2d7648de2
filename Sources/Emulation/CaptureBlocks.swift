/// The blocks of a pcapng file (draft-ietf-opsawg-pcapng) of Ethernet frames, with times in nanoseconds.
///
/// A frame that was read is older than one that was handed over just before, so frames wait until none can come that
/// belongs before them.
public struct CaptureBlocks: Sendable {
  private var written = BlockWriter()
  /// The blocks of frames that wait for older ones.
  private var held = BlockWriter()
  private var waiting: [Waiting] = []
  // What stays at a settling is moved here; both are used again.
  private var heldLater = BlockWriter()
  private var waitingLater: [Waiting] = []

  private struct Waiting: Sendable {
    var time: Int64
    /// Where its block lies in `held`.
    var place: Range<Int>
  }

  /// Writes the section header and an interface for each name.
  public init(application: String, interfaces: [(name: String, description: String)]) {
    written.block(0x0a0d_0d0a) { block in
      block.append(0x1a2b_3c4d as UInt32)
      block.append(1 as UInt16)
      block.append(0 as UInt16)
      block.append(UInt64.max)
      block.option(4, application.utf8)
      block.endOptions()
    }
    for interface in interfaces {
      written.block(1) { block in
        block.append(1 as UInt16)
        block.append(0 as UInt16)
        block.append(0 as UInt32)
        block.option(2, interface.name.utf8)
        block.option(3, interface.description.utf8)
        block.option(9, CollectionOfOne(9))
        block.endOptions()
      }
    }
  }

  /// What was written and not taken yet.
  public var bytes: [UInt8] { written.bytes }

  /// Writes a frame.
  ///
  /// - Parameters:
  ///   - frame: its bytes from the Ethernet header on.
  ///   - interface: the interface's place, from 0.
  ///   - unixNanoseconds: when.
  ///   - isInbound: whether the side that has the interface received it.
  ///   - comment: what a reader is told of it, if anything.
  public mutating func frame(
    _ frame: RawSpan, interface: Int, unixNanoseconds: Int64, isInbound: Bool, comment: String?
  ) {
    let start = held.bytes.count
    held.block(6) { block in
      let time = UInt64(bitPattern: unixNanoseconds)
      block.append(UInt32(interface))
      block.append(UInt32(truncatingIfNeeded: time >> 32))
      block.append(UInt32(truncatingIfNeeded: time))
      block.append(UInt32(frame.byteCount))
      block.append(UInt32(frame.byteCount))
      frame.withUnsafeBytes { block.append(contentsOf: $0) }
      block.append(2 as UInt16)
      block.append(4 as UInt16)
      block.append((isInbound ? 1 : 2) as UInt32)
      if let comment { block.option(1, comment.utf8) }
      block.endOptions()
    }
    waiting.append(Waiting(time: unixNanoseconds, place: start..<held.bytes.count))
  }

  /// Writes the frames that are older than this, in the order of their times.
  public mutating func settle(before unixNanoseconds: Int64) {
    guard !waiting.isEmpty else { return }
    // The sort is stable in fact but not by contract, so their order is part of the key.
    waiting.sort { ($0.time, $0.place.lowerBound) < ($1.time, $1.place.lowerBound) }
    for frame in waiting {
      if frame.time < unixNanoseconds {
        written.bytes += held.bytes[frame.place]
      } else {
        let start = heldLater.bytes.count
        heldLater.bytes += held.bytes[frame.place]
        waitingLater.append(Waiting(time: frame.time, place: start..<heldLater.bytes.count))
      }
    }
    swap(&waiting, &waitingLater)
    swap(&held, &heldLater)
    waitingLater.removeAll(keepingCapacity: true)
    heldLater.bytes.removeAll(keepingCapacity: true)
  }

  /// Frames that wait.
  public var waitingCount: Int { waiting.count }

  /// Forgets what was written, once it is in a file.
  public mutating func removeAll() { written.bytes.removeAll(keepingCapacity: true) }
}

/// Blocks one behind the other, numbers with their low byte first.
private struct BlockWriter: Sendable {
  var bytes: [UInt8] = []

  mutating func block(_ type: UInt32, _ body: (inout BlockWriter) -> Void) {
    let start = bytes.count
    append(type)
    append(0 as UInt32)
    body(&self)
    let length = UInt32(bytes.count - start + 4)
    append(length)
    for index in 0..<4 { bytes[start + 4 + index] = UInt8(truncatingIfNeeded: length >> (8 * UInt32(index))) }
  }

  mutating func option(_ code: UInt16, _ value: some Collection<UInt8>) {
    append(code)
    append(UInt16(value.count))
    append(contentsOf: value)
  }

  mutating func endOptions() { append(0 as UInt32) }

  mutating func append(contentsOf value: some Sequence<UInt8>) {
    bytes.append(contentsOf: value)
    while !bytes.count.isMultiple(of: 4) { bytes.append(0) }
  }

  mutating func append(_ value: some FixedWidthInteger) {
    for shift in stride(from: 0, to: value.bitWidth, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }
}
