/// Writes H.264 with start codes (annex B) to a file or pipe.
///
/// Each frame is written at once and whole, and the format has no header: the file is valid at every moment.
public struct AnnexBWriter: ~Copyable {
  /// Frames written.
  public private(set) var frameCount = 0
  /// Bytes written.
  public private(set) var byteCount: Int64 = 0

  private var output: OutputFile

  /// Takes over the file or pipe to write to.
  public init(output: consuming OutputFile) { self.output = output }

  /// Appends a frame: NAL units with start codes.
  public mutating func append(_ frame: RawSpan) throws(MediaError) {
    try output.write(frame)
    frameCount += 1
    byteCount += Int64(frame.byteCount)
  }

  /// Closes the file.
  public consuming func finish() throws(MediaError) { try output.close() }
}
