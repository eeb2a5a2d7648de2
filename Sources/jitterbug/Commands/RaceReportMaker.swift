import Codecs
import Impairment
import Racing
import Receiving
import Reporting
import Sockets
import Statistics
import Timeline

/// Fills the report of a race.
struct RaceReportMaker {
  private let options: RaceOptions
  private let media: RaceMedia
  private let setting: RaceReport.Setting

  init(_ options: RaceOptions, _ media: RaceMedia, setting: RaceReport.Setting) {
    self.options = options
    self.media = media
    self.setting = setting
  }

  /// The settings, without lanes.
  func settings() -> RaceReport {
    var report = RaceReport(
      version: Version.number, file: options.file, commandLine: commandLine, buffer: options.buffer.target,
      packetInterval: media.plain.packetInterval, setting: setting)
    report.encoding = "opus/48000/2"
    report.link = text(of: options.downLink)
    if options.upLink != options.downLink { report.returnLink = text(of: options.upLink) }
    report.seed = options.downLink.seed
    report.isBufferAdaptive = options.buffer.adaptation != nil
    report.tcpPlayer = options.tcpPlayer
    if media.isCut {
      report.notes.append("The first \(Int(options.duration.seconds)) s of the file were raced; --duration takes more.")
    }
    if media.protected != nil {
      report.notes.append(
        media.isPassedThrough
          ? "The lane udp+fec carries the file's sound encoded anew, for speech at \(options.encoder.bitrate / 1000) "
            + "kbit/s with a copy of each packet in the next; the other lanes carry the file's own packets."
          : "All lanes carry the file encoded for speech at \(options.encoder.bitrate / 1000) kbit/s; udp+fec with a copy "
            + "of each packet in the next.")
    }
    if setting != .namespaces {
      report.notes.append(
        "TCP is left out: the kernel's can't be put behind a link inside this process, and one made up here would prove "
          + "nothing.")
    }
    return report
  }

  /// The report of one race; `place` holds what was heard.
  func make(_ outcome: RaceOutcome, _ place: RaceFolder?) -> RaceReport {
    var report = settings()
    report.duration = outcome.duration
    report.began = outcome.began
    report.ended = outcome.ended
    let crossing = outcome.lanes.filter { $0.kind != .unix }.map(\.listener.receiver)
    let deadline = RaceDeadline(
      buffer: options.buffer.adaptation == nil ? options.buffer.target : nil,
      lanes: crossing.isEmpty ? outcome.lanes.map(\.listener.receiver) : crossing)
    report.lanes = outcome.lanes.map { lane($0, due: outcome.due, by: deadline, began: outcome.began) }
    if outcome.worstSending > .milliseconds(5) {
      report.notes.append(
        "This machine was busy: a packet was sent \(Self.text(outcome.worstSending)) after it was due.")
    }
    if outcome.lateLink > .milliseconds(2) {
      report.notes.append(
        "The link was late, too: one packet in a hundred left it \(Self.text(outcome.lateLink)) or more "
          + "after its time.")
    }
    let missed = outcome.lanes.reduce(0) { $0 + $1.missedByLink }
    if missed > 0 {
      report.notes.append("The link was too slow for \(missed) packets and lost them against its rules.")
    }
    for lane in outcome.lanes where lane.refused > 0 {
      report.notes.append(
        "\(lane.refused) packets of \(lane.kind.name) were given up by the sender: its own buffers were full.")
    }
    if let place { RaceClips(outcome, deadline, channels: media.channels, in: place).add(to: &report) }
    return report
  }

  private func lane(
    _ result: RaceLaneResult, due: Int, by deadline: RaceDeadline, began: Int64?
  ) -> LaneReport {
    let receiver = result.listener.receiver
    // The virtual clock has no time of day.
    let offset = Interval(nanoseconds: (began ?? 0) - (began == nil ? 0 : receiver.start.nanoseconds))
    let isStream = result.kind.isTCP
    var lane = LaneReport(
      name: result.kind.name,
      transport: result.kind == .unix ? .control : isStream ? .byteStream : .datagrams)
    let count = min(due, receiver.packets.count)
    lane.packets = (0..<count).map { index in
      LanePacket(
        sentAt: receiver.stream.due(index), delay: receiver.delay(index),
        fate: LaneFate(receiver.fate(of: index, by: deadline)))
    }
    lane.payloadBytes = receiver.stream.frames.prefix(count).reduce(0) { $0 + $1.payload.count }
    if let stream = receiver.session.streams.first {
      lane.stream = ReceiveReport.stream(
        stream, source: result.kind.name, offset: offset, heard: result.listener.account)
      lane.stream?.socketDrops = result.socketDrops
      completeEnds(of: &lane, result.listener, due: count)
    }
    if let link = result.link {
      lane.linkRecord = LinkReport(link)
      let back = result.linkBack.map { Int($0.bytesOffered) }
      lane.wireBytes = Int(link.bytesOffered) + (back ?? 0)
      lane.wireBytesBack = back
      lane.wirePackets = Int(link.offered) + (result.linkBack.map { Int($0.offered) } ?? 0)
      lane.returnLinkRecord = result.linkBack.map(LinkReport.init)
    }
    if let connection = result.connection {
      lane.congestionControl = connection.congestionControl
      lane.connectionSetup = connection.setup
      lane.tcpSamples = connection.samples
      lane.retransmits = connection.retransmits
    }
    lane.pauses = result.listener.waiting?.pauses.map { PlayerPause(at: $0.at - receiver.start, length: $0.length) }
    lane.failure = result.failure
    return lane
  }

  /// What the receiver couldn't know: how many packets were due before the first and after the last that came.
  private func completeEnds(of lane: inout LaneReport, _ listener: RaceListener, due: Int) {
    let packets = listener.receiver.packets
    guard let first = packets.firstIndex(where: { $0.arrival != nil }),
      let last = packets.lastIndex(where: { $0.arrival != nil })
    else { return }
    let (sent, after) = (max(due, last + 1), max(0, due - last - 1))
    var ends = StreamEnds(.finalCount)
    (ends.sent, ends.sentAtLeast) = (sent, sent)
    (ends.lostAtEnds, ends.lostBefore, ends.lostAfter) = (first + after, first, after)
    lane.stream?.ends = ends
    let concealed = Interval(units: listener.concealedAtEnd, rate: RaceStream.clockRate)
    guard listener.concealedAtEnd > 0 else { return }
    lane.stream?.playout.concealedDuration += concealed
    if var samples = lane.stream?.playout.samples {
      let more = Int(listener.concealedAtEnd) - samples.end.total
      samples.hearEnd()
      samples.total += more
      samples.concealed += more
      samples.end = PlayoutSamples.End()
      lane.stream?.playout.samples = samples
    }
    let packet = max(media.plain.packetInterval.nanoseconds, 1)
    lane.stream?.playout.concealed += Int(concealed.nanoseconds / packet)
  }

  private static func text(_ time: Interval) -> String { "\((time.milliseconds * 10).rounded() / 10) ms" }

  private func text(of spec: LinkSpec) -> String {
    var spec = spec
    spec.seed = LinkSpec.perfect.seed
    return spec.description
  }

  /// What repeats the race: the words that were given, and the seed where none was.
  private var commandLine: String {
    var words = ["jitterbug", "race"] + options.words
    if options.seed == nil { words += ["--seed", "\(options.downLink.seed)"] }
    return words.map(Self.quoted).joined(separator: " ")
  }

  /// A word as a shell takes it.
  private static func quoted(_ word: String) -> String {
    let plain = word.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        || "-_=+,.:/%@".utf8.contains(byte)
    }
    return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
