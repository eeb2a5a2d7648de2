import Glibc
public import Timeline

/// What the kernel knows of a TCP connection (TCP_INFO).
public struct StreamStatistics: Hashable, Sendable {
  /// The smoothed round-trip time.
  public var roundTrip: Interval
  /// The congestion window in segments.
  public var congestionWindow: Int
  /// Segments sent again since the connection began.
  public var retransmits: Int
  /// The retransmission timeout in force.
  public var timeout: Interval
  /// Bytes in the send buffer that the peer hasn't acknowledged, sent or not.
  public var queuedBytes: Int
}

extension StreamConnection {
  /// What the kernel knows of the connection now; nil when it is closed.
  public func statistics() -> StreamStatistics? {
    var info = tcp_info()
    var size = socklen_t(MemoryLayout<tcp_info>.size)
    guard checked({ getsockopt(descriptor, CInt(IPPROTO_TCP), TCP_INFO, &info, &size) }) >= 0 else { return nil }
    var queued: CInt = 0
    if checked({ ioctl(descriptor, UInt(TIOCOUTQ), &queued) }) < 0 { queued = 0 }
    return StreamStatistics(
      roundTrip: .microseconds(Int64(info.tcpi_rtt)), congestionWindow: Int(info.tcpi_snd_cwnd),
      retransmits: Int(info.tcpi_total_retrans), timeout: .microseconds(Int64(info.tcpi_rto)),
      queuedBytes: Int(queued))
  }

  /// The name of the congestion control in force: "cubic"; nil when it can't be asked.
  public var congestionControl: String? {
    var name = [CChar](repeating: 0, count: 17)
    var size = socklen_t(16)
    guard checked({ getsockopt(descriptor, CInt(IPPROTO_TCP), TCP_CONGESTION, &name, &size) }) >= 0 else { return nil }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

extension OptionSetter {
  /// Chooses how the connection reacts to loss.
  func setCongestionControl(_ name: String) throws(SocketError) {
    var bytes = Array(name.utf8)
    let result = checked {
      setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_CONGESTION, &bytes, socklen_t(bytes.count))
    }
    guard result >= 0 else { throw .system(.set("TCP_CONGESTION"), code: -result, address: nil) }
  }
}
