import Packets
import Timeline

/// A report that is being written: as many datagrams as it takes, each a compound packet of its own.
struct PendingReport: Sendable {
  /// No datagram of ours is longer: it fits into what every path carries.
  static let datagramLimit = 1200

  /// When it was begun.
  let begun: Instant
  let isGoodbye: Bool
  /// Reception reports that are left to be written.
  var blocks: [ReportBlock] = []
  /// Our clock, until it has been written; nil without extended reports.
  var clock: NTPTimestamp?
  /// What extended reports are left to be written.
  var extensions: [StreamExtension] = []
  /// The bytes written so far, with the IP and UDP headers of all datagrams but the first.
  private(set) var bytes = 0
  private(set) var isDone = false

  init(begun: Instant, isGoodbye: Bool) {
    self.begun = begun
    self.isGoodbye = isGoodbye
  }

  /// Writes the next datagram; nil when the buffer is too small for any.
  mutating func write(
    _ streams: [ReceiveStream], as ssrc: UInt32, cname: String, into bytes: inout MutableSpan<UInt8>
  ) -> Int? {
    var writer = CompoundWriter(limit: Self.datagramLimit)
    let count = min(blocks.count, ReportBlock.maximumCount)
    guard writer.receiverReport(ssrc: ssrc, blocks: blocks.span.extracting(first: count), into: &bytes),
      writer.sourceDescription(ssrc: ssrc, cname: cname.utf8, tool: "jitterbug".utf8, into: &bytes)
    else { return nil }
    blocks.removeFirst(count)
    let left = (clock == nil ? 0 : 1) + extensions.count
    if blocks.isEmpty, left > 0, !writeExtensions(streams, as: ssrc, with: &writer, into: &bytes), count == 0 {
      // Not even a part of one fits: nothing ever will.
      clock = nil
      extensions = []
    }
    if blocks.isEmpty, clock == nil, extensions.isEmpty {
      isDone = !isGoodbye || writer.goodbye(ssrc: ssrc, reason: "".utf8, into: &bytes)
    }
    self.bytes += writer.count + (self.bytes == 0 ? 0 : ReportTiming.lowerLayers)
    return writer.count
  }

  /// Writes what fits of the extended reports; false when that was nothing.
  private mutating func writeExtensions(
    _ streams: [ReceiveStream], as ssrc: UInt32, with writer: inout CompoundWriter,
    into bytes: inout MutableSpan<UInt8>
  ) -> Bool {
    // A packet without a block would be no use: the shortest block has 12 bytes.
    guard writer.room(in: bytes) >= RTCPHeader.size + ExtendedReport.fixedSize + XRReferenceTimeBlock.size,
      writer.extendedReport(ssrc: ssrc, into: &bytes)
    else { return false }
    let start = writer.count
    if let clock, writer.referenceTime(XRReferenceTimeBlock(ntp: clock), into: &bytes) { self.clock = nil }
    while !extensions.isEmpty {
      guard let place = streams.lastIndex(where: { [id = extensions[0].stream] in $0.id == id }),
        !extensions[0].write(streams[place].recorder, with: &writer, into: &bytes)
      else {
        extensions.removeFirst()
        continue
      }
      break
    }
    return writer.count > start
  }
}
