/// Writes 16-bit samples into a WAV file that is valid at every moment.
///
/// Samples are gathered and written every half second of audio at the latest; then, in a second step, the two sizes in
/// the header are brought up to date. So killed at any moment the file opens, its header claims nothing that isn't
/// there, and it lacks half a second at most.
///
/// A pipe's header can't be changed later, so its sizes are 0xFFFFFFFF, "until the end", which ffmpeg, sox and aplay
/// understand. So are those of a file that grows beyond 4 GiB: the samples all are there, and programs that follow
/// the sizes by the letter play the first 4 GiB.
public struct WAVWriter: ~Copyable {
  /// Sample frames (one sample of every channel) given so far.
  public private(set) var frames: Int64 = 0

  private var output: OutputFile
  private let channels: Int
  private let sampleRate: Int
  private let flushSize: Int
  private let largestData: Int64
  private var pending: [UInt8] = []
  private var written: Int64 = 0

  /// Begins a file by writing a header for no samples.
  ///
  /// - Parameters:
  ///   - output: where the file goes, from its first byte on.
  ///   - sampleRate: in Hz, at least 1.
  ///   - channels: at least 1; their samples are given interleaved.
  public init(output: consuming OutputFile, sampleRate: Int, channels: Int) throws(MediaError) {
    // The RIFF size counts the 36 header bytes behind it as well.
    try self.init(output: output, sampleRate: sampleRate, channels: channels, largestData: 0xFFFF_FFFF - 36)
  }

  /// As above, with another limit in place of 4 GiB, for tests.
  init(
    output: consuming OutputFile, sampleRate: Int, channels: Int, largestData: Int64
  ) throws(MediaError) {
    precondition(sampleRate > 0 && channels > 0)
    self.sampleRate = sampleRate
    self.channels = channels
    self.largestData = largestData
    flushSize = max(1, sampleRate / 2) * channels * 2
    pending.reserveCapacity(flushSize)
    self.output = output
    try self.output.write(header(dataSize: self.output.isSeekable ? 0 : nil).span.bytes)
  }

  /// Adds samples, interleaved when there are several channels.
  public mutating func write(_ samples: Span<Int16>) throws(MediaError) {
    precondition(samples.count % channels == 0)
    for index in samples.indices {
      let bits = UInt16(bitPattern: samples[index])
      pending.append(UInt8(truncatingIfNeeded: bits))
      pending.append(UInt8(bits >> 8))
      if pending.count >= flushSize { try flush() }
    }
    frames += Int64(samples.count / channels)
  }

  /// Adds sample frames of silence.
  public mutating func writeSilence(frames count: Int) throws(MediaError) {
    var left = max(0, count) * channels * 2
    while left > 0 {
      let size = min(left, flushSize - pending.count)
      pending.append(contentsOf: repeatElement(0, count: size))
      left -= size
      if pending.count >= flushSize { try flush() }
    }
    frames += Int64(max(0, count))
  }

  /// Writes what was gathered and then the sizes in the header.
  public mutating func flush() throws(MediaError) {
    guard !pending.isEmpty else { return }
    try output.write(pending.span.bytes)
    written += Int64(pending.count)
    pending.removeAll(keepingCapacity: true)
    guard output.isSeekable else { return }
    try output.overwrite(header(dataSize: written <= largestData ? written : nil).span.bytes, at: 0)
  }

  /// Writes what is left and closes the file.
  public consuming func finish() throws(MediaError) {
    try flush()
    try output.close()
  }

  /// The 44 bytes before the samples; nil stands for a size that isn't known.
  private func header(dataSize: Int64?) -> [UInt8] {
    func bytes(_ value: Int, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    let frameSize = channels * 2
    var header = Array("RIFF".utf8) + bytes(Int(dataSize.map { $0 + 36 } ?? 0xFFFF_FFFF), 4)
    // Format 1: integer PCM.
    header += Array("WAVEfmt ".utf8) + bytes(16, 4) + bytes(1, 2) + bytes(channels, 2) + bytes(sampleRate, 4)
    header += bytes(sampleRate * frameSize, 4) + bytes(frameSize, 2) + bytes(16, 2)
    return header + Array("data".utf8) + bytes(Int(dataSize ?? 0xFFFF_FFFF), 4)
  }
}
