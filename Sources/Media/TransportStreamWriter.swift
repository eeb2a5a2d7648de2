/// Writes the packets of a transport stream to a file or pipe.
///
/// Each datagram's packets are written at once and whole, and the format has no header: the file is valid at every
/// moment.
public struct TransportStreamWriter: ~Copyable {
  /// Bytes written.
  public private(set) var byteCount: Int64 = 0

  private var output: OutputFile

  /// Takes over the file or pipe to write to.
  public init(output: consuming OutputFile) { self.output = output }

  /// Appends whole packets.
  public mutating func append(_ packets: RawSpan) throws(MediaError) {
    try output.write(packets)
    byteCount += Int64(packets.byteCount)
  }

  /// Closes the file.
  public consuming func finish() throws(MediaError) { try output.close() }
}
