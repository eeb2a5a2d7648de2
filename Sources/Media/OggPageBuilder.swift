import COgg

/// Builds the pages of one logical Ogg stream (RFC 3533 section 6), one at a time.
struct OggPageBuilder {
  /// Whether the page has no segment yet.
  var isEmpty: Bool { lengths.isEmpty }

  private let serial: UInt32
  private var sequence: UInt32 = 0
  private var lengths: [UInt8] = []
  private var body: [UInt8] = []
  private var isContinued = false
  private var completesPacket = false

  /// How many segments a page holds.
  private static let capacity = 255

  init(serial: UInt32) {
    self.serial = serial
    lengths.reserveCapacity(Self.capacity)
    body.reserveCapacity(Self.capacity * 255)
  }

  /// Whether a packet of `size` bytes fits into what is left of the page.
  func fits(_ size: Int) -> Bool { lengths.count + size / 255 + 1 <= Self.capacity }

  /// Adds the bytes of a packet from `offset` on, as far as they fit.
  ///
  /// Returns how far it came, or nil when the packet is complete. After an offset the page is full: take it and go on.
  mutating func add(_ packet: RawSpan, from offset: Int) -> Int? {
    var offset = offset
    while lengths.count < Self.capacity {
      let length = min(255, packet.byteCount - offset)
      packet.extracting(offset..<(offset + length)).withUnsafeBytes { body.append(contentsOf: $0) }
      lengths.append(UInt8(length))
      offset += length
      // A length below 255 ends the packet, so one that is a multiple of 255 ends with a length of 0.
      if length < 255 {
        completesPacket = true
        return nil
      }
    }
    return offset
  }

  /// Appends the page to `output` and begins the next one.
  ///
  /// - Parameter granulePosition: that of the end of the last packet which completes on the page.
  mutating func finish(granulePosition: Int64, isLast: Bool, insidePacket: Bool, into output: inout [UInt8]) {
    let start = output.count
    var flags: UInt8 = isContinued ? 1 : 0
    if sequence == 0 { flags |= 2 }
    if isLast { flags |= 4 }
    output += [0x4F, 0x67, 0x67, 0x53, 0, flags]
    Self.append(completesPacket || lengths.isEmpty ? UInt64(bitPattern: granulePosition) : .max, to: &output)
    Self.append(serial, to: &output)
    Self.append(sequence, to: &output)
    Self.append(UInt32(0), to: &output)
    output.append(UInt8(lengths.count))
    output += lengths
    let headerSize = output.count - start
    output += body
    output.withUnsafeMutableBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      var page = ogg_page(
        header: base + start, header_len: headerSize, body: base + start + headerSize,
        body_len: bytes.count - start - headerSize)
      ogg_page_checksum_set(&page)
    }
    sequence &+= 1
    isContinued = insidePacket
    completesPacket = false
    lengths.removeAll(keepingCapacity: true)
    body.removeAll(keepingCapacity: true)
  }

  private static func append(_ value: some FixedWidthInteger, to output: inout [UInt8]) {
    var rest = value
    for _ in 0..<(value.bitWidth / 8) {
      output.append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }
}
