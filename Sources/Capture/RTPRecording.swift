import Glibc
public import Timeline

/// A recording by rtpdump (rtptools): a line `#!rtpplay1.0 ADDRESS/PORT`, a header, then RTP and RTCP packets with
/// the milliseconds since the start.
public struct RTPRecording: ~Copyable {
  /// Where the packets came from, as the header says.
  public let source: (address: UInt32, port: UInt16)
  /// Where they were sent to, by the first line; 0.0.0.0 when it can't be read.
  public let destination: (address: UInt32, port: UInt16)
  /// The packets handed out.
  public private(set) var packets = 0
  /// The bytes read so far.
  public private(set) var position = 0

  private let file: UnsafeMutablePointer<FILE>
  private let start: Instant
  private var buffer = [UInt8](repeating: 0, count: 65_536)

  private static let lineLimit = 256
  private static let headerSize = 16
  private static let recordSize = 8

  init(_ file: UnsafeMutablePointer<FILE>, path: String) throws(CaptureError) {
    var line: [UInt8] = []
    var byte = getc(file)
    while byte != EOF, byte != 0x0a, line.count < Self.lineLimit {
      line.append(UInt8(truncatingIfNeeded: byte))
      byte = getc(file)
    }
    let text = String(decoding: line, as: UTF8.self)
    var header = [UInt8](repeating: 0, count: Self.headerSize)
    guard text.hasPrefix("#!rtpplay1.0 "), byte == 0x0a, fread(&header, 1, Self.headerSize, file) == Self.headerSize
    else {
      fclose(file)
      throw .notACapture(path: path, reason: "it begins with # but isn't #!rtpplay1.0")
    }
    self.file = file
    position = line.count + 1 + Self.headerSize
    func word(_ offset: Int) -> UInt32 { header[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt32($1) } }
    start = Instant(nanoseconds: Int64(word(0)) * 1_000_000_000 + Int64(word(4) % 1_000_000) * 1_000)
    source = (word(8), UInt16(header[12]) << 8 | UInt16(header[13]))
    destination = Self.endpoint(text.dropFirst("#!rtpplay1.0 ".count))
  }

  deinit { fclose(file) }

  /// Hands out up to `limit` packets: their bytes, their length on the wire, and their time in nanoseconds since 1970.
  public mutating func read(limit: Int, _ body: (RawSpan, _ length: Int, Instant) -> Void) -> CaptureSource.Outcome {
    for _ in 0..<limit {
      let got = fread(&buffer, 1, Self.recordSize, file)
      guard got > 0 else { return .end }
      position += got
      guard got == Self.recordSize else { return .broken("a packet's header has \(got) of 8 bytes") }
      let length = Int(buffer[0]) << 8 | Int(buffer[1])
      let packetLength = Int(buffer[2]) << 8 | Int(buffer[3])
      let offset = buffer[4..<8].reduce(Int64(0)) { $0 << 8 | Int64($1) }
      guard length >= Self.recordSize else { return .broken("a packet's record has \(length) bytes, fewer than 8") }
      let size = fread(&buffer, 1, length - Self.recordSize, file)
      position += size
      guard size == length - Self.recordSize else {
        return .broken("a packet has \(size) of \(length - Self.recordSize) bytes")
      }
      packets += 1
      // RTCP packets have a packet length of 0.
      body(
        buffer.span.bytes.extracting(first: size), max(packetLength, size), start + .milliseconds(offset))
    }
    return .more
  }

  private static func endpoint(_ text: Substring) -> (address: UInt32, port: UInt16) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let port = UInt16(parts[1].trimmingSuffix { $0 == " " || $0 == "\r" }) else { return (0, 0) }
    let bytes = parts[0].split(separator: ".").compactMap { UInt8($0) }
    return bytes.count == 4 ? (bytes.reduce(0) { $0 << 8 | UInt32($1) }, port) : (0, port)
  }
}

extension Substring {
  fileprivate func trimmingSuffix(_ drops: (Character) -> Bool) -> Substring {
    var rest = self
    while let last = rest.last, drops(last) { rest.removeLast() }
    return rest
  }
}
