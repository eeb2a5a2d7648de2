/// An RTCP packet of any type, read by the type that it says it has.
public enum RTCPPacket: Equatable, Sendable {
  /// A sender report.
  case senderReport(SenderReport)
  /// A receiver report.
  case receiverReport(ReceiverReport)
  /// A source description.
  case sourceDescription(SourceDescription)
  /// A goodbye.
  case goodbye(Goodbye)
  /// An application-defined packet.
  case application(ApplicationPacket)
  /// Feedback on a payload, such as a picture loss indication.
  case payloadFeedback(PayloadFeedback)
  /// An extended report.
  case extendedReport(ExtendedReport)
  /// A type that this module doesn't read, or feedback on a payload that is malformed; only its place is known.
  case other(CompoundPart)

  /// Reads the packet that a cursor has found; throws what the type's own initializer throws.
  ///
  /// Malformed feedback on a payload throws nothing and is ``other(_:)``: of its many kinds few are read, and the
  /// reports beside it are worth as much as before.
  public init(parsing part: CompoundPart, in datagram: RawSpan) throws(PacketParseError) {
    switch part.type {
    case RTCPHeader.PacketType.senderReport:
      self = .senderReport(try SenderReport(parsing: part, in: datagram))
    case RTCPHeader.PacketType.receiverReport:
      self = .receiverReport(try ReceiverReport(parsing: part, in: datagram))
    case RTCPHeader.PacketType.sourceDescription:
      self = .sourceDescription(try SourceDescription(parsing: part, in: datagram))
    case RTCPHeader.PacketType.goodbye:
      self = .goodbye(try Goodbye(parsing: part, in: datagram))
    case RTCPHeader.PacketType.application:
      self = .application(try ApplicationPacket(parsing: part, in: datagram))
    case RTCPHeader.PacketType.payloadFeedback:
      if let feedback = try? PayloadFeedback(parsing: part, in: datagram) {
        self = .payloadFeedback(feedback)
      } else {
        self = .other(part)
      }
    case RTCPHeader.PacketType.extendedReport:
      self = .extendedReport(try ExtendedReport(parsing: part, in: datagram))
    default:
      self = .other(part)
    }
  }

  /// Writes the same packet again, byte for byte, at the start of `bytes`.
  ///
  /// Returns its length, or nil when it doesn't fit in `bytes` or `source` is another datagram.
  public func write(from source: RawSpan, into bytes: inout MutableSpan<UInt8>) -> Int? {
    switch self {
    case .senderReport(let packet): packet.write(from: source, into: &bytes)
    case .receiverReport(let packet): packet.write(from: source, into: &bytes)
    case .sourceDescription(let packet): packet.write(from: source, into: &bytes)
    case .goodbye(let packet): packet.write(from: source, into: &bytes)
    case .application(let packet): packet.write(from: source, into: &bytes)
    case .payloadFeedback(let packet): packet.write(from: source, into: &bytes)
    case .extendedReport(let packet): packet.write(from: source, into: &bytes)
    case .other(let packet): packet.write(from: source, into: &bytes)
    }
  }
}
