public import Timeline

/// What a session's streams are and where they go, as SDP says it (RFC 8866).
///
/// It holds what is needed to send or receive RTP; other lines are skipped when one is read.
public struct SessionDescription: Equatable, Sendable {
  /// The longest description that is read, in bytes.
  public static let maximumSize = 65_536
  /// The most media in one description.
  public static let maximumMediaCount = 64

  /// Who made the description (`o=`).
  public var origin: Origin
  /// The session's name (`s=`).
  public var name: String
  /// The address for all media that have none of their own (`c=` before the first `m=`).
  public var connection: ConnectionAddress?
  /// The streams (`m=`), in order.
  public var media: [MediaDescription]

  /// Makes a description from its parts.
  public init(
    origin: Origin = Origin(), name: String = "-", connection: ConnectionAddress? = nil, media: [MediaDescription] = []
  ) {
    self.origin = origin
    self.name = name
    self.connection = connection
    self.media = media
  }

  /// The address that holds for a stream: its own, or the session's.
  public func connection(of stream: MediaDescription) -> ConnectionAddress? { stream.connection ?? connection }

  /// Who made the description: a session identifier that stays, and a version that grows (RFC 8866 section 5.2).
  public struct Origin: Equatable, Sendable {
    /// A number that, with the address, is unique to the session.
    public var sessionID: UInt64
    /// A number that grows with every change.
    public var version: UInt64
    /// The address of the machine that made the description.
    public var address: ConnectionAddress

    /// Makes an origin from its parts.
    public init(
      sessionID: UInt64 = 0, version: UInt64 = 0, address: ConnectionAddress = ConnectionAddress("127.0.0.1")
    ) {
      self.sessionID = sessionID
      self.version = version
      self.address = address
    }
  }
}

/// An address as `c=` and `o=` write it (RFC 8866 section 5.7).
public struct ConnectionAddress: Equatable, Sendable {
  /// An IPv4 or IPv6 address, or a host name.
  public var address: String
  /// Whether it is an IPv6 address (`IP6`).
  public var isIPv6: Bool
  /// The time to live of IPv4 multicast: 0 to 255; nil otherwise.
  public var timeToLive: UInt8?

  /// Makes an address; it is IPv6 when it contains a colon.
  public init(_ address: String, timeToLive: UInt8? = nil) {
    self.init(address, isIPv6: address.utf8.contains(UInt8(ascii: ":")), timeToLive: timeToLive)
  }

  /// Makes an address of the version told; the time to live is only kept for IPv4.
  public init(_ address: String, isIPv6: Bool, timeToLive: UInt8? = nil) {
    self.address = address
    self.isIPv6 = isIPv6
    self.timeToLive = isIPv6 ? nil : timeToLive
  }
}

/// One stream of a session: `m=` and the lines that belong to it (RFC 8866 section 5.14).
public struct MediaDescription: Equatable, Sendable {
  /// The kind of media, such as `audio` or `video`.
  public var kind: String
  /// The port for RTP; 0 when the stream is refused.
  public var port: UInt16
  /// The transport, such as `RTP/AVP`.
  public var transport: String
  /// The payload types offered, in order of preference; empty when the transport isn't RTP.
  public var payloads: [Payload]
  /// The stream's own address, when it differs from the session's.
  public var connection: ConnectionAddress?
  /// The port for RTCP when it isn't the one after `port` (`a=rtcp`, RFC 3605).
  public var rtcpPort: UInt16?
  /// Whether RTCP goes to the same port as RTP (`a=rtcp-mux`, RFC 5761).
  public var muxesRTCP: Bool
  /// The media time in one packet (`a=ptime`), to a microsecond.
  public var packetTime: Interval?
  /// The source that sends the stream (`a=ssrc`, RFC 5576).
  public var source: Source?
  /// The extended reports that receivers are asked for (`a=rtcp-xr`, RFC 3611 section 5.1); nil without the attribute.
  public var extendedReports: String?

  /// All the extended reports that this module reads, as they stand behind `a=rtcp-xr:`.
  public static let understoodReports =
    "pkt-loss-rle pkt-dup-rle pkt-rcpt-times rcvr-rtt=sender stat-summary=loss,dup,jitt voip-metrics"

  /// Makes a stream from its parts.
  public init(
    kind: String = "audio", port: UInt16, transport: String = "RTP/AVP", payloads: [Payload],
    connection: ConnectionAddress? = nil, rtcpPort: UInt16? = nil, muxesRTCP: Bool = false,
    packetTime: Interval? = nil, source: Source? = nil
  ) {
    self.kind = kind
    self.port = port
    self.transport = transport
    self.payloads = payloads
    self.connection = connection
    self.rtcpPort = rtcpPort
    self.muxesRTCP = muxesRTCP
    self.packetTime = packetTime
    self.source = source
  }

  /// The format that a payload type stands for in this stream, or nil when it isn't offered or its meaning is unknown.
  public func format(of payloadType: UInt8) -> PayloadFormat? {
    payloads.first { $0.payloadType == payloadType }?.format
  }

  /// A payload type and what it means.
  public struct Payload: Equatable, Sendable {
    /// The number in the packets: 0 to 127.
    public var payloadType: UInt8
    /// The encoding (`a=rtpmap`, or the static type of RFC 3551); nil when it is unknown.
    public var format: PayloadFormat?
    /// The parameters of the encoding (`a=fmtp`), such as `sprop-stereo=1`.
    public var parameters: String?

    /// Makes a payload type from its parts.
    public init(payloadType: UInt8, format: PayloadFormat?, parameters: String? = nil) {
      self.payloadType = payloadType
      self.format = format
      self.parameters = parameters
    }
  }

  /// A source and its canonical name.
  public struct Source: Equatable, Sendable {
    /// The synchronization source.
    public var ssrc: UInt32
    /// The canonical name, as in the RTCP source description.
    public var cname: String

    /// Makes a source from its parts.
    public init(ssrc: UInt32, cname: String) {
      self.ssrc = ssrc
      self.cname = cname
    }
  }
}
