/// Lets the packets of a transport stream through but for those of pictures that can't be shown: damaged ones, and all
/// that follow until decoding can begin again.
///
/// Before the stream's first map, without which no player knows what the others are, only tables are let through.
///
/// A picture's packets are held back, with all that stand between them, until it has ended. Where pictures are left out
/// the counters of what follows go on without a gap, so that no player takes the place for another loss.
public struct TransportSieve: Sendable {
  /// The most bytes held back; a picture that is longer is left out.
  public static let limit = 8 << 20

  private var monitor = TransportStreamMonitor()
  private var held: [UInt8] = []
  private var references = TransportReferences()
  /// Whether what is held back of video is too much.
  private var isOverlong = false
  /// The counter of the next packet of video.
  private var counter: UInt8?
  private var picturePID: Int?

  /// Starts before a stream's first packet, or anywhere within it.
  public init() {}

  /// So many packets at most are missing before the next one.
  public mutating func noteGap(packets: Int) { monitor.noteGap(packets: packets) }

  /// Takes whole packets; appends to `output` what can be let through now.
  public mutating func append(_ packets: RawSpan, to output: inout [UInt8]) {
    var offset = 0
    while packets.byteCount - offset >= TransportPacket.size {
      take(packets.extracting(offset..<(offset + TransportPacket.size)), &output)
      offset += TransportPacket.size
    }
  }

  /// The stream is over: appends what was held back, if it is whole.
  public mutating func finish(to output: inout [UInt8]) {
    if let picture = monitor.finish() { release(picture, &output) }
  }

  private mutating func take(_ packet: RawSpan, _ output: inout [UInt8]) {
    if let ended = monitor.append(packet) { release(ended, &output) }
    picturePID = monitor.videoPID ?? picturePID
    if monitor.current == nil {
      // Nothing of video can be shown before a picture has begun.
      guard let parsed = TransportPacket(parsing: packet), parsed.pid != picturePID else { return }
      if monitor.isUsable(pid: parsed.pid) { Self.append(packet, to: &output) }
      return
    }
    Self.append(packet, to: &held)
    guard held.count > Self.limit else { return }
    isOverlong = true
    flush(keepingPictures: false, &output)
  }

  private mutating func release(_ picture: TransportStreamMonitor.Frame, _ output: inout [UInt8]) {
    let isDecodable = references.take(picture)
    if isOverlong { references.noteLoss() }
    flush(keepingPictures: isDecodable && !isOverlong, &output)
    isOverlong = false
  }

  private mutating func flush(keepingPictures: Bool, _ output: inout [UInt8]) {
    let bytes = held
    let span = unsafe bytes.span.bytes
    var offset = 0
    while offset < span.byteCount {
      let packet = span.extracting(offset..<(offset + TransportPacket.size))
      offset += TransportPacket.size
      guard isPicture(packet) else {
        Self.append(packet, to: &output)
        continue
      }
      guard keepingPictures else { continue }
      Self.append(packet, to: &output)
      recount(&output)
    }
    held.removeAll(keepingCapacity: true)
  }

  /// Sets the counter of the packet that was appended last; one without payload repeats it.
  private mutating func recount(_ output: inout [UInt8]) {
    let place = output.count - TransportPacket.size + 3
    let hasPayload = output[place] & 0x10 != 0
    let next = counter ?? output[place] & 0x0f
    let number = hasPayload ? next : (next &- 1) & 0x0f
    output[place] = output[place] & 0xf0 | number
    counter = hasPayload ? (next &+ 1) & 0x0f : next
  }

  private func isPicture(_ packet: RawSpan) -> Bool {
    guard let picturePID, let parsed = TransportPacket(parsing: packet) else { return false }
    return parsed.pid == picturePID
  }

  private static func append(_ packet: RawSpan, to bytes: inout [UInt8]) {
    bytes.append(0..<packet.byteCount, of: packet)
  }
}
