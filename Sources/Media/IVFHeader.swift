/// The 32 bytes that an IVF file begins with, and the 12 before each frame; all numbers are little-endian.
struct IVFHeader: Equatable, Sendable {
  static let size = 32
  static let frameSize = 12
  /// Where the length in ticks lies, or the number of frames: programs differ.
  static let lengthOffset = 24
  /// The longest header that is passed over; the format has never had another than 32.
  static let longest = 1024

  /// The codec: `VP80` is the one that is read.
  var codec: [UInt8] = Array("VP80".utf8)
  var width = 0
  var height = 0
  /// A frame's time is its number times `scale` / `rate` seconds.
  var rate: Int64 = 90_000
  var scale: Int64 = 1
  /// The length in ticks, or the number of frames; 0 where the writer couldn't come back to say it.
  var count = 0
  /// The whole header's length in bytes.
  var length = Self.size

  init() {}

  /// Reads the first 32 bytes; nil when there are fewer, or they don't begin with `DKIF`.
  init?(parsing bytes: [UInt8]) {
    guard bytes.count >= Self.size, bytes.starts(with: "DKIF".utf8) else { return nil }
    func number(_ offset: Int, _ size: Int) -> Int64 {
      (0..<size).reduce(0) { $0 | Int64(bytes[offset + $1]) << Int64(8 * $1) }
    }
    length = Int(number(6, 2))
    codec = Array(bytes[8..<12])
    (width, height) = (Int(number(12, 2)), Int(number(14, 2)))
    (rate, scale) = (number(16, 4), number(20, 4))
    count = Int(number(Self.lengthOffset, 4))
  }

  /// The header as it stands in a file.
  var bytes: [UInt8] {
    Array("DKIF".utf8) + Self.little(0, 2) + Self.little(Int64(length), 2) + codec + Self.little(Int64(width), 2)
      + Self.little(Int64(height), 2) + Self.little(rate, 4) + Self.little(scale, 4) + Self.little(Int64(count), 4)
      + Self.little(0, 4)
  }

  /// A number of `size` bytes, the lowest first.
  static func little(_ value: Int64, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> Int64(8 * $0)) }
  }
}
