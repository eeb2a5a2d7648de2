/// Writes 16-bit samples without any header, little-endian and interleaved (s16le), for piping into other programs.
///
/// Nothing is held back: what is given is written at once.
public struct RawWriter: ~Copyable {
  private var output: OutputFile
  private var bytes: [UInt8] = []

  /// Takes over the file or pipe to write to.
  public init(output: consuming OutputFile) { self.output = output }

  /// Writes samples.
  public mutating func write(_ samples: Span<Int16>) throws(MediaError) {
    bytes.removeAll(keepingCapacity: true)
    for index in samples.indices {
      let bits = UInt16(bitPattern: samples[index])
      bytes.append(UInt8(truncatingIfNeeded: bits))
      bytes.append(UInt8(bits >> 8))
    }
    try output.write(bytes.span.bytes)
  }

  /// Writes `count` samples of silence: frames times channels.
  public mutating func writeSilence(samples count: Int) throws(MediaError) {
    var left = max(0, count) * 2
    while left > 0 {
      let size = min(left, 65_536)
      bytes.removeAll(keepingCapacity: true)
      bytes.append(contentsOf: repeatElement(0, count: size))
      try output.write(bytes.span.bytes)
      left -= size
    }
  }

  /// Closes the file.
  public consuming func finish() throws(MediaError) { try output.close() }
}
