import Packets
import Sockets

extension StreamConnection {
  /// Writes a datagram behind its length (RFC 4571 section 2), all of it or nothing; `frame` is memory to build it in.
  func write(framing datagram: RawSpan, in frame: inout [UInt8]) -> StreamWriteOutcome {
    frame.removeAll(keepingCapacity: true)
    frame.append(contentsOf: repeatElement(0, count: StreamFraming.prefixSize))
    var prefix = frame.mutableSpan
    _ = StreamFraming.writeLength(datagram.byteCount, into: &prefix)
    datagram.withUnsafeBytes { frame.append(contentsOf: $0) }
    return write(frame.span.bytes)
  }
}
