import Packets

/// Reads a file or pipe of an MPEG transport stream, in packets of 188 bytes.
///
/// Each ``VideoFrame`` is what goes into one datagram; its times are those of its first packet by the stream's program
/// clock references, so that a live pipe is read as far as the next of them, a tenth of a second at most. What belongs
/// to no packet is left out and counted.
public struct TransportStreamReader: ~Copyable {
  /// So many packets are read on for the next clock reference: 3 MiB.
  public static let waitingLimit = 16_384

  /// The packets of a datagram, from the next one on: 1 to 340.
  public private(set) var packetsPerFrame: Int
  /// Bytes that belong to no packet, and were left out.
  public var skippedBytes: Int64 { packets.skippedBytes }
  /// How often the stream's clock was set anew.
  public var clockLeaps: Int { clock.leaps }

  private var packets: TransportPacketReader
  private var clock = TransportClock()
  /// Packets that aren't sent yet, from the number `first` on.
  private var waiting: [UInt8] = []
  private var start = 0
  private var first: Int64 = 0
  private var read: Int64 = 0
  private var hasEnded = false
  /// The time of the first packet of all, and the last one told.
  private var origin: Int64?
  private var lastTime: Int64 = 0

  /// Takes over an input, and reads up to its second clock reference.
  ///
  /// A datagram gets `packetsPerFrame` packets, seven where nothing else is asked for, from 1 to 7 all that a datagram
  /// carries without being cut on its way.
  init(_ input: consuming InputBytes, packetsPerFrame: Int = 7) throws(MediaError) {
    self.packetsPerFrame = Self.allowed(packetsPerFrame)
    packets = TransportPacketReader(input)
    try readOn()
    guard clock.hasBegun else {
      throw .notVideo(
        path: packets.name,
        detail: "it is a transport stream without clock references (PCR), so that nobody knows when to send what")
    }
  }

  /// The name of the input, for messages.
  public var name: String { packets.name }
  /// What to wait for with `poll(2)` before a read, so that it doesn't block.
  public var descriptor: CInt { packets.descriptor }

  /// The packets of the next datagram; nil at the end.
  public mutating func next() throws(MediaError) -> VideoFrame? {
    try readOn()
    let size = min(packetsPerFrame * TransportPacket.size, waiting.count - start)
    guard size > 0, let time = clock.time(of: first, isForced: true) else { return nil }
    let bytes = Array(waiting[start..<(start + size)])
    let count = Int64(size / TransportPacket.size)
    let after = clock.time(of: first + count, isForced: true) ?? time
    start += size
    first += count
    if origin == nil { origin = time }
    lastTime = max(lastTime, Self.ticks(time - (origin ?? time)))
    let duration = max(Self.ticks(after - (origin ?? time)) - lastTime, 0)
    return VideoFrame(
      bytes: bytes, decode: lastTime, presentation: lastTime, duration: duration,
      isKey: TransportDepacketizer.piece(of: bytes.span.bytes)?.isKey ?? false)
  }

  /// Changes the packets of a datagram: what the way carries may be known only once the input lies open.
  public mutating func setPacketsPerFrame(_ count: Int) { packetsPerFrame = Self.allowed(count) }

  // MARK: -

  private static func allowed(_ count: Int) -> Int { min(max(count, 1), 340) }

  /// Reads until the next datagram is there and when it is due is known, or the input ends.
  private mutating func readOn() throws(MediaError) {
    if start > 0, start >= waiting.count / 2 {
      waiting.removeFirst(start)
      start = 0
    }
    while !hasEnded {
      let count = (waiting.count - start) / TransportPacket.size
      if count >= packetsPerFrame, clock.time(of: first) != nil || count >= Self.waitingLimit { return }
      let end = waiting.count
      guard try packets.next(into: &waiting) else {
        hasEnded = true
        return
      }
      let packet = TransportPacket(parsing: waiting.span.bytes.extracting(end..<waiting.count))
      if let packet { clock.take(packet, index: read) }
      read += 1
    }
  }

  private static func ticks(_ time: Int64) -> Int64 { time / 300 }
}
