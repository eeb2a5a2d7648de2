/// Why a datagram or packet was thrown away though it arrived.
public enum DiscardReason: Int, CaseIterable, Sendable {
  /// The jitter buffer had no room for it.
  case bufferFull
  /// The payload isn't what its format allows.
  case invalidPayload
  /// The datagram isn't RTP or RTCP, or breaks a length.
  case malformed
  /// A payload type that stands for nothing known here.
  case wrongPayloadType
  /// More sources than are followed at once.
  case sourceLimit
  /// The source hadn't sent enough packets in sequence to be believed (RFC 3550 A.1).
  case probation
  /// The source's identifier is used by two senders (RFC 3550 section 8.2).
  case collision
  /// A sequence number too far from the others (RFC 3550 A.1).
  case outOfRange
  /// The decoder refused the payload.
  case undecodable
  /// The playout had moved on for good: the sender restarted, or the stream was over.
  case superseded
  /// So much media waited that it would have been heard too late to be of use.
  case stale

  /// The name in reports and traces, in snake case.
  public var name: String {
    switch self {
    case .bufferFull: "buffer_full"
    case .invalidPayload: "invalid_payload"
    case .malformed: "malformed"
    case .wrongPayloadType: "wrong_payload_type"
    case .sourceLimit: "source_limit"
    case .probation: "probation"
    case .collision: "collision"
    case .outOfRange: "out_of_range"
    case .undecodable: "undecodable"
    case .superseded: "superseded"
    case .stale: "stale"
    }
  }
}

/// How much was thrown away for each reason.
public struct DiscardCounts: Hashable, Sendable {
  private var counts = [Int](repeating: 0, count: DiscardReason.allCases.count)

  /// Starts with nothing thrown away.
  public init() {}

  /// The count of one reason.
  public subscript(reason: DiscardReason) -> Int {
    get { counts[reason.rawValue] }
    set { counts[reason.rawValue] = newValue }
  }

  /// The sum over all reasons.
  public var total: Int { counts.reduce(0, +) }
}
