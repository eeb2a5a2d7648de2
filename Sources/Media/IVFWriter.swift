import Packets

/// Writes VP8 frames to an IVF file or pipe.
///
/// The header goes out with the first key frame, whose size it names; what comes before has nothing to be decoded from
/// and is left out. After each frame the header's length is set right, where the output can be gone back in: the file is
/// valid at every moment.
public struct IVFWriter: ~Copyable {
  /// Frames written.
  public private(set) var frameCount = 0
  /// Bytes written.
  public private(set) var byteCount: Int64 = 0
  /// Frames left out because no key frame had come before them, or because they hold nothing that VP8 could be.
  public private(set) var skippedFrames = 0

  private var output: OutputFile
  private var header = IVFHeader()
  private var firstTime: Int64 = 0
  private var lastTime: Int64 = -1
  private var bytes: [UInt8] = []

  /// Takes over the file or pipe to write to.
  ///
  /// Times are given and written in units of `scale` / `rate` seconds: both from 1 to 2^32 - 1.
  public init(output: consuming OutputFile, rate: UInt32 = 90_000, scale: UInt32 = 1) {
    self.output = output
    header.rate = Int64(max(rate, 1))
    header.scale = Int64(max(scale, 1))
  }

  /// Appends a frame that is to be shown at `time`; a time that isn't later than the one before becomes so.
  public mutating func append(_ frame: RawSpan, at time: Int64) throws(MediaError) {
    guard let known = VP8FrameHeader(parsing: frame), known.isKey || frameCount > 0 else {
      skippedFrames += 1
      return
    }
    bytes.removeAll(keepingCapacity: true)
    if frameCount == 0 {
      (header.width, header.height) = (known.width, known.height)
      bytes += header.bytes
    }
    lastTime = max(time, lastTime + 1)
    if frameCount == 0 { firstTime = lastTime }
    bytes += IVFHeader.little(Int64(frame.byteCount), 4) + IVFHeader.little(lastTime, 8)
    bytes.append(0..<frame.byteCount, of: frame)
    try output.write(bytes.span.bytes)
    byteCount += Int64(bytes.count)
    frameCount += 1
    guard output.isSeekable else { return }
    let length = IVFHeader.little(ticks, 4)
    try output.overwrite(length.span.bytes, at: Int64(IVFHeader.lengthOffset))
  }

  /// What the header says of the length: up to the end of the last frame, which is taken to last as long as the mean.
  ///
  /// The field was meant for the number of frames, and in files with a tick a frame it is that. But ffmpeg reads it as
  /// the length in ticks of the time base, and writes it so: with ticks of 1/90000 s the number of frames would make a
  /// film of an hour last for a second. A pipe has 0 there, which says nothing.
  private var ticks: Int64 {
    let span = min(lastTime - firstTime, Int64(UInt32.max))
    let mean = frameCount > 1 ? span / Int64(frameCount - 1) : 1
    return min(span + mean, Int64(UInt32.max))
  }

  /// Closes the file.
  public consuming func finish() throws(MediaError) { try output.close() }
}
