/// Builds a compound RTCP packet in the caller's buffer, one packet after the other (RFC 3550 section 6.1).
///
/// Each method appends one packet and returns true, or writes nothing and returns false when it doesn't fit, when a
/// limit is broken, or when the first one isn't a report. Give the same buffer each time.
public struct CompoundWriter: Sendable {
  /// The bytes written so far.
  public internal(set) var count = 0
  private let reducedSize: Bool
  private let limit: Int
  /// Where the extended report begins that blocks are appended to; nil when the last packet is another one.
  var openReport: Int?

  /// Starts at the beginning of a buffer.
  ///
  /// With `reducedSize` any packet may be the first (RFC 5506). No more than `limit` bytes are written, however large
  /// the buffer.
  public init(reducedSize: Bool = false, limit: Int = .max) {
    self.reducedSize = reducedSize
    self.limit = limit
  }

  /// The bytes that may still be written.
  public func room(in bytes: borrowing MutableSpan<UInt8>) -> Int { min(bytes.count, limit) - count }

  /// Appends a sender report with at most 31 report blocks.
  public mutating func senderReport(
    _ report: SenderReport, blocks: Span<ReportBlock> = Span(), into bytes: inout MutableSpan<UInt8>
  ) -> Bool {
    let size = SenderReport.fixedSize + blocks.count * ReportBlock.size
    let type = RTCPHeader.PacketType.senderReport
    guard blocks.count <= ReportBlock.maximumCount,
      let body = begin(type: type, count: blocks.count, bodySize: size, in: &bytes)
    else { return false }
    report.writeFixedPart(into: &bytes, at: body)
    return write(blocks, into: &bytes, at: body + SenderReport.fixedSize)
  }

  /// Appends a receiver report with at most 31 report blocks.
  public mutating func receiverReport(
    ssrc: UInt32, blocks: Span<ReportBlock> = Span(), into bytes: inout MutableSpan<UInt8>
  ) -> Bool {
    let size = ReceiverReport.fixedSize + blocks.count * ReportBlock.size
    let type = RTCPHeader.PacketType.receiverReport
    guard blocks.count <= ReportBlock.maximumCount,
      let body = begin(type: type, count: blocks.count, bodySize: size, in: &bytes)
    else { return false }
    bytes.writeBigEndian(ssrc, at: body)
    return write(blocks, into: &bytes, at: body + ReceiverReport.fixedSize)
  }

  /// Appends a source description of one source: its CNAME, and the name of the tool when one is given.
  ///
  /// Each text is UTF-8 of at most 255 bytes; false when one is longer.
  public mutating func sourceDescription(
    ssrc: UInt32, cname: some Collection<UInt8>, tool: (some Collection<UInt8>)? = [UInt8]?.none,
    into bytes: inout MutableSpan<UInt8>
  ) -> Bool {
    guard cname.count <= 255, tool?.count ?? 0 <= 255 else { return false }
    let items = 2 + cname.count + (tool.map { 2 + $0.count } ?? 0)
    // At least one null octet ends the list; the chunk fills a whole number of words.
    let size = 4 + (items / 4 + 1) * 4
    guard
      let body = begin(type: RTCPHeader.PacketType.sourceDescription, count: 1, bodySize: size, in: &bytes)
    else { return false }
    bytes.writeBigEndian(ssrc, at: body)
    var offset = body + 4
    append(item: SourceDescription.ItemType.cname, text: cname, into: &bytes, at: &offset)
    if let tool { append(item: SourceDescription.ItemType.tool, text: tool, into: &bytes, at: &offset) }
    while offset < count {
      bytes[offset] = 0
      offset += 1
    }
    return true
  }

  /// Appends a goodbye of one source with the reason, when one is given: UTF-8 of at most 255 bytes.
  public mutating func goodbye(
    ssrc: UInt32, reason: (some Collection<UInt8>)? = [UInt8]?.none, into bytes: inout MutableSpan<UInt8>
  ) -> Bool {
    guard reason?.count ?? 0 <= 255 else { return false }
    let size = 4 + (reason.map { ($0.count + 4) / 4 * 4 } ?? 0)
    guard let body = begin(type: RTCPHeader.PacketType.goodbye, count: 1, bodySize: size, in: &bytes) else {
      return false
    }
    bytes.writeBigEndian(ssrc, at: body)
    guard let reason else { return true }
    var offset = body + 4
    bytes[offset] = UInt8(reason.count)
    offset += 1
    for byte in reason {
      bytes[offset] = byte
      offset += 1
    }
    while offset < count {
      bytes[offset] = 0
      offset += 1
    }
    return true
  }

  /// Appends an application-defined packet (RFC 3550 section 6.7).
  ///
  /// False when `subtype` isn't within 0 to 31, or `data` isn't a multiple of four bytes or longer than 64 KiB.
  public mutating func application(
    ssrc: UInt32, name: UInt32, subtype: Int, data: RawSpan, into bytes: inout MutableSpan<UInt8>
  ) -> Bool {
    guard (0...31).contains(subtype), data.byteCount % 4 == 0, data.byteCount <= 65_536,
      let body = begin(
        type: RTCPHeader.PacketType.application, count: subtype,
        bodySize: ApplicationPacket.fixedSize + data.byteCount, in: &bytes)
    else { return false }
    bytes.writeBigEndian(ssrc, at: body)
    bytes.writeBigEndian(name, at: body + 4)
    _ = bytes.copy(0..<data.byteCount, of: data, at: body + ApplicationPacket.fixedSize)
    return true
  }

  /// Writes the header of a packet when all of it fits, counts it, and returns where its body begins.
  mutating func begin(
    type: UInt8, count packetCount: Int, bodySize: Int, in bytes: inout MutableSpan<UInt8>
  ) -> Int? {
    let length = RTCPHeader.size + bodySize
    guard room(in: bytes) >= length else { return nil }
    if count == 0, !reducedSize, type != RTCPHeader.PacketType.senderReport,
      type != RTCPHeader.PacketType.receiverReport
    {
      return nil
    }
    openReport = nil
    RTCPHeader(type: type, count: packetCount, hasPadding: false, length: length).write(into: &bytes, at: count)
    defer { count += length }
    return count + RTCPHeader.size
  }

  private func write(_ blocks: Span<ReportBlock>, into bytes: inout MutableSpan<UInt8>, at offset: Int) -> Bool {
    for index in 0..<blocks.count {
      guard blocks[index].write(into: &bytes, at: offset + index * ReportBlock.size) else { return false }
    }
    return true
  }

  private func append(
    item: UInt8, text: some Collection<UInt8>, into bytes: inout MutableSpan<UInt8>, at offset: inout Int
  ) {
    bytes[offset] = item
    bytes[offset + 1] = UInt8(text.count)
    offset += 2
    for byte in text {
      bytes[offset] = byte
      offset += 1
    }
  }
}
