import Impairment
import Packets
import Timeline

/// The bad network inside the process (`--link`): datagrams go in, and come out when and if the link delivers them.
///
/// RTP and RTCP go through links of their own with independent random numbers, so that the n-th RTP packet meets the
/// same fate for the same seed whenever reports happen to be sent. What was recorded of a link is what it did to RTP.
struct LinkStage {
  /// A datagram on its way, and where it goes or came from.
  struct Item {
    var bytes: [UInt8]
    var isControl: Bool
    var tag: UInt32
    /// What this host's socket dropped before it.
    var droppedBefore = 0
  }

  /// IP and UDP headers, which take their share of the link's rate: 20 + 8 bytes.
  private static let headers = 28

  private var media: Link<Item>
  private var control: Link<Item>
  private let trace: TextFile?
  /// What the socket dropped before datagrams that the link dropped in turn.
  private var carriedDrops = 0

  init(_ spec: LinkSpec, trace: TextFile?) {
    media = Link(spec, stream: 0)
    control = Link(spec.withoutReplay, stream: 1)
    self.trace = trace
    trace?.write("index,offered_s,ssrc,sequence,bytes,fate,copies,delay_ms,corrupted_bit\n")
  }

  /// What the link did to RTP packets.
  var record: LinkRecord { media.record }

  /// When the next datagram comes out.
  var nextDelivery: Instant? { Instant.earliest(media.nextDelivery, control.nextDelivery) }

  mutating func send(_ datagram: RawSpan, isControl: Bool, tag: UInt32, droppedBefore drops: Int = 0, at now: Instant) {
    var item = Item(bytes: datagram.withUnsafeBytes { [UInt8]($0) }, isControl: isControl, tag: tag)
    let size = datagram.byteCount + Self.headers
    guard !isControl else {
      _ = control.send(item, bytes: size, at: now)
      return
    }
    item.droppedBefore = drops + carriedDrops
    let fate = media.send(item, bytes: size, at: now)
    carriedDrops = fate.copies == 0 ? item.droppedBefore : 0
    guard let trace else { return }
    let header = (try? RTPPacket(parsing: datagram))?.header
    var line = "\(fate.index),\(TextFile.seconds(now)),"
    line += header.map { "\(TextFile.hexadecimal($0.ssrc)),\($0.sequenceNumber.rawValue)" } ?? ","
    line += ",\(datagram.byteCount),\(fate.cause.rawValue),\(fate.copies),"
    line += fate.delay.map { TextFile.milliseconds($0) } ?? ""
    line += "," + (fate.corruptedBit.map(String.init) ?? "") + "\n"
    trace.write(line)
  }

  /// Writes what is left of the trace.
  func closeTrace() throws(CommandError) { try trace?.close() }

  /// The next datagram that has come out by `now`, with the instant at which it did.
  mutating func receive(at now: Instant) -> (item: Item, deliveredAt: Instant)? {
    let isControlFirst =
      (control.nextDelivery ?? .distantFuture) < (media.nextDelivery ?? .distantFuture)
    guard let delivery = isControlFirst ? control.receive(at: now) : media.receive(at: now) else { return nil }
    var item = delivery.payload
    delivery.corrupt(&item.bytes)
    return (item, delivery.deliveredAt)
  }
}
