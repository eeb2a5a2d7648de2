import Packets

/// Cuts an input into the packets of a transport stream, and finds them again where it has lost them.
struct TransportPacketReader: ~Copyable {
  /// So much may lie before the first packet.
  static let searchLimit = 65_536
  /// So many bytes are looked at for packets of other sizes.
  private static let looked = 1_024
  /// So many bytes are read at once: a tenth of a second at 1 Mbit/s.
  private static let readSize = 64 * TransportPacket.size
  /// So many sync bytes in their places are believed.
  private static let proofs = 3

  /// Bytes that belong to no packet.
  private(set) var skippedBytes: Int64 = 0

  private var input: InputBytes
  private var bytes: [UInt8] = []
  private var offset = 0
  /// Whether the first bytes have been looked at for packets of other sizes.
  private var isKnown = false
  private var isInSync = false
  private var hasBegun = false
  private var hasEnded = false

  init(_ input: consuming InputBytes) { self.input = input }

  var name: String { input.name }
  var descriptor: CInt { input.descriptor.value }

  /// Whether a file that begins with `prefix` is a transport stream, also one whose packets have bytes before or behind.
  static func recognizes(_ prefix: [UInt8]) -> Bool {
    [(0, 188), (4, 192), (0, 204)].contains { start, step in isPeriodic(prefix, from: start, step: step) }
  }

  /// Appends the next packet's 188 bytes; false at the end.
  mutating func next(into packets: inout [UInt8]) throws(MediaError) -> Bool {
    while true {
      if isInSync, bytes.count - offset >= TransportPacket.size {
        if bytes[offset] == TransportPacket.syncByte {
          packets += bytes[offset..<(offset + TransportPacket.size)]
          offset += TransportPacket.size
          hasBegun = true
          return true
        }
        isInSync = false
      }
      if !isInSync, try find() { continue }
      guard try refill() else {
        // What is left is a cut packet, or nothing that was ever one.
        skippedBytes += Int64(bytes.count - offset)
        offset = bytes.count
        if !hasBegun { throw noPackets() }
        return false
      }
    }
  }

  // MARK: -

  /// Looks for packets from `offset` on; false when more must be read first.
  private mutating func find() throws(MediaError) -> Bool {
    if !isKnown {
      guard bytes.count >= Self.looked || hasEnded else { return false }
      isKnown = true
      let variants = [(4, 192, "a time of 4 bytes before each"), (0, 204, "16 bytes of parity behind each")]
      for (start, step, what) in variants
      where Self.isPeriodic(bytes, from: start, step: step) && !Self.isPeriodic(bytes, from: 0, step: 188) {
        throw .notVideo(
          path: name,
          detail: "it is a transport stream in packets of \(step) bytes, with \(what); "
            + "ffmpeg -i INPUT -map 0 -c copy -f mpegts OUTPUT.ts makes packets of 188 bytes of it")
      }
    }
    let span = TransportPacket.size * (Self.proofs - 1)
    while offset < bytes.count {
      if bytes[offset] == TransportPacket.syncByte {
        guard hasEnded || offset + span < bytes.count else { return false }
        let rest = min(bytes.count, offset + span + 1)
        let places = stride(from: offset, to: rest, by: TransportPacket.size)
        if places.allSatisfy({ bytes[$0] == TransportPacket.syncByte }), bytes.count - offset >= TransportPacket.size {
          isInSync = true
          return true
        }
      }
      offset += 1
      skippedBytes += 1
      if !hasBegun, skippedBytes > Int64(Self.searchLimit) { throw noPackets() }
    }
    return false
  }

  private mutating func refill() throws(MediaError) -> Bool {
    guard !hasEnded else { return false }
    if offset > 0 {
      bytes.removeFirst(offset)
      offset = 0
    }
    if try input.read(into: &bytes, count: Self.readSize) == 0 { hasEnded = true }
    return true
  }

  private func noPackets() -> MediaError {
    .notVideo(
      path: name, detail: "no packets of 188 bytes that begin with 0x47 are in its first \(Self.searchLimit >> 10) KiB")
  }

  /// Whether sync bytes stand where they must, as far as the bytes go, at three places at least.
  private static func isPeriodic(_ bytes: [UInt8], from start: Int, step: Int) -> Bool {
    let places = stride(from: start, to: bytes.count, by: step)
    return bytes.count > start + (proofs - 1) * step && places.allSatisfy { bytes[$0] == TransportPacket.syncByte }
  }
}
