import Impairment
import Packets
import Reporting
import Sending
import Sockets
import Statistics
import Timeline

/// Fills the report of `jitterbug send`.
enum SendReport {
  static func make(_ sender: Sender) -> Report {
    let configuration = sender.session.configuration
    var report = Report(version: Version.number, verb: "send", link: sender.options.link?.description)
    report.linkRecord = sender.link.map { LinkReport($0.record) }
    report.duration = MonotonicClock.now() - sender.started
    report.ended = sender.ended
    var sending = SendingReport(ssrc: configuration.ssrc, payloadType: configuration.payloadType)
    sending.destinations = sender.destinations.map(\.endpoint.description)
    sending.encoding = sender.options.payload.format.description
    sending.packets = sender.session.packetCount
    sending.bytes = sender.session.octetCount + sender.session.packetCount * RTPHeader.size
    sending.neverSent = sender.session.refusedCount
    sending.rtcpPackets = sender.session.reportCount
    sending.timeline = sender.timeline
    sending.mediaDuration = Interval(units: sender.mediaEnd, rate: configuration.clockRate)
    if let schedule = sender.schedule {
      sending.pacing = schedule.error
      sending.sentLate = schedule.lateCount
      sending.stalls = schedule.pauseCount
      sending.stalledDuration = schedule.pausedTime
    }
    var errors: [String: Int] = [:]
    for destination in sender.destinations { errors.merge(destination.errors, uniquingKeysWith: +) }
    sending.socketErrors = errors.sorted { $0.key < $1.key }.map { SendingReport.SocketErrors(kind: $0, count: $1) }
    let farEnd = sender.session.farEnd
    if let block = farEnd.block {
      var far = SendingReport.FarEnd(ssrc: farEnd.reporter ?? 0)
      far.reports = farEnd.blockCount
      far.cumulativeLost = Int(block.cumulativeLost)
      far.lastFractionLost = Double(block.fractionLost) / 256
      far.jitter = farEnd.jitter
      far.roundTrip = farEnd.roundTrip
      sending.farEnds = [far]
    }
    report.sending = sending
    return report
  }
}
