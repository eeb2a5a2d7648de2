public import Packets
public import Statistics
import Timeline

/// What receivers say of the stream in their reports (RFC 3550 section 6.4).
public struct FarEnd: Sendable {
  /// The latest report block about our stream.
  public private(set) var block: ReportBlock?
  /// The source that sent it.
  public private(set) var reporter: UInt32?
  /// The interarrival jitter that was reported, in milliseconds.
  public private(set) var jitter = RunningExtent()
  /// Report blocks about our stream so far.
  public private(set) var blockCount = 0
  /// The round trip times, by LSR and DLSR (RFC 3550 section 6.4.1).
  public private(set) var roundTrip = RoundTrip()
  /// Datagrams on the RTCP port that were no valid RTCP.
  public internal(set) var invalidCount = 0

  private let ssrc: UInt32
  private let clockRate: UInt32

  init(ssrc: UInt32, clockRate: UInt32) {
    self.ssrc = ssrc
    self.clockRate = clockRate
  }

  mutating func handle(_ packet: RTCPPacket, in datagram: RawSpan, at now: NTPTimestamp) {
    switch packet {
    case .senderReport(let report):
      for index in 0..<report.reportCount { take(report.block(index, in: datagram), from: report.ssrc, at: now) }
    case .receiverReport(let report):
      for index in 0..<report.reportCount { take(report.block(index, in: datagram), from: report.ssrc, at: now) }
    case .sourceDescription, .goodbye, .application, .other: break
    }
  }

  private mutating func take(_ block: ReportBlock?, from reporter: UInt32, at now: NTPTimestamp) {
    guard let block, block.ssrc == ssrc else { return }
    self.block = block
    self.reporter = reporter
    jitter.record(Interval(units: Int64(block.jitter), rate: clockRate).milliseconds)
    blockCount += 1
    roundTrip.record(
      arrival: now, lastSenderReport: block.lastSenderReport, delay: block.delaySinceLastSenderReport)
  }
}
