public import Statistics
public import Timeline

/// One line of `--trace FILE.csv`: one RTP packet that arrived, and what became of it.
public struct TraceLine: Sendable {
  /// What became of a packet.
  public enum Fate: Hashable, Sendable {
    /// It was played in time.
    case played
    /// It came after its place in the playout was over.
    case late
    /// Its number had arrived before.
    case duplicate
    /// It came after its media had been rebuilt from other packets and played.
    case recovered
    /// It was thrown away.
    case discarded(DiscardReason)
    /// It still waited in the buffer at the end.
    case buffered

    /// The word in the file: "discarded:malformed".
    public var name: String {
      switch self {
      case .played: "played"
      case .late: "late"
      case .duplicate: "duplicate"
      case .recovered: "recovered"
      case .discarded(let reason): "discarded:" + reason.name
      case .buffered: "buffered"
      }
    }
  }

  /// When it arrived, in nanoseconds since 1970.
  public var arrival: Int64
  /// Its source identifier.
  public var ssrc: UInt32
  /// Its sequence number as it stands in the packet.
  public var sequence: UInt16
  /// Its sequence number extended to 64 bits, moved on at a restart; nil when it belongs to no validated stream.
  public var extended: Int64?
  /// Its timestamp.
  public var timestamp: RTPTimestamp
  /// The size of the RTP packet in bytes, header included.
  public var bytes: Int
  /// What became of it.
  public var fate: Fate

  /// Makes a line.
  public init(
    arrival: Int64, ssrc: UInt32, sequence: UInt16, extended: Int64?, timestamp: RTPTimestamp, bytes: Int, fate: Fate
  ) {
    self.arrival = arrival
    self.ssrc = ssrc
    self.sequence = sequence
    self.extended = extended
    self.timestamp = timestamp
    self.bytes = bytes
    self.fate = fate
  }

  /// The first line of the file, with its line break.
  public static let header = "arrival,ssrc,sequence,extended_sequence,timestamp,bytes,fate\n"

  /// The line, with its line break.
  public var text: String {
    let sign = arrival < 0 ? "-" : ""
    let fraction = String(arrival.magnitude % 1_000_000_000)
    let seconds = "\(sign)\(arrival.magnitude / 1_000_000_000)."
    let time = seconds + String(repeating: "0", count: 9 - fraction.count) + fraction
    let extended = extended.map(String.init) ?? ""
    return "\(time),\(Figures.identifier(ssrc)),\(sequence),\(extended),\(timestamp.rawValue),\(bytes),\(fate.name)\n"
  }
}
