public import Buffering
public import Statistics
public import Timeline

/// Who sent a datagram, as the shell numbers senders: an address on a port, a connection, a socket path.
public struct Peer: Hashable, Sendable {
  /// The shell's number for the sender.
  public var id: UInt32

  /// Names the sender that the shell numbers `id`.
  public init(id: UInt32) { self.id = id }
}

/// What became of one RTP datagram: a line of the trace.
public struct DatagramFate: Equatable, Sendable {
  /// The class that the datagram is in; each is in exactly one.
  public enum Fate: Equatable, Sendable {
    /// Played in time.
    case played
    /// Arrived after its place in the playout was over.
    case late
    /// Its number had arrived before.
    case duplicate
    /// Waited in the buffer when the session ended.
    case buffered
    /// Thrown away.
    case discarded(DiscardReason)
  }

  /// The datagram's number in order of arrival, from 0.
  public var index: UInt64
  /// When it arrived.
  public var arrival: Instant
  /// Its source; 0 with all else when it couldn't be parsed.
  public var ssrc: UInt32
  /// Its sequence number as it stood in the packet.
  public var sequence: UInt16
  /// Its extended sequence number; nil when it belongs to no validated stream.
  public var extended: Int64?
  /// Its RTP timestamp.
  public var timestamp: UInt32
  /// Its size in bytes, RTP header included.
  public var size: Int
  /// What became of it.
  public var fate: Fate
}

/// What happened to a stream as a whole.
public enum StreamEvent: Equatable, Sendable {
  /// A new source has been validated.
  case began
  /// The sender restarted with new sequence numbers.
  case restarted
  /// The stream went on after a gap too long to be told from a restart by its numbers alone.
  case dropout(packets: Int)
  /// The source goes on from another address.
  case moved
  /// The jitter buffer's delay changed.
  case buffer(BufferEvent)
  /// Everything was played.
  case ended(StreamEnd)
}

extension TimelineEvent.Kind {
  /// The event as a timeline notes it.
  init(_ event: StreamEvent) {
    switch event {
    case .began: self = .began
    case .restarted: self = .restarted
    case .dropout(let packets): self = .dropout(packets: packets)
    case .moved: self = .moved
    case .buffer(.targetRose(let from, let to, let delay)): self = .targetRose(from: from, to: to, delay: delay)
    case .buffer(.targetFell(let from, let to)): self = .targetFell(from: from, to: to)
    case .buffer(.routeChanged(let shift)): self = .routeChanged(shift)
    case .buffer(.ranDry(let length)): self = .ranDry(length)
    case .buffer(.recovered(let time)): self = .recovered(after: time)
    case .buffer(.gaveUp(let media)): self = .gaveUp(media)
    case .ended: self = .ended
    }
  }
}

/// Why a stream ended.
public enum StreamEnd: String, Sendable {
  /// The sender said goodbye.
  case goodbye
  /// The connection that it came by was closed.
  case closed
  /// Nothing arrived for the idle timeout.
  case idle
  /// The receiver was told to stop.
  case stopped
}
