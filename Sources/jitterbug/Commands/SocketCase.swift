import Glibc
import Impairment
import Timeline
import Verification

/// One case with real sockets: a receiver, then its senders, then the receiver's report.
struct SocketCase {
  private enum Phase {
    case new, opening, sending, ending, stopping, over
  }

  private let test: VerificationCase
  private let time: Interval
  private let seed: UInt64
  private let port: Int
  private let files: CaseFiles
  private let isVerbose: Bool
  private var phase = Phase.new
  private var receiver: ChildProcess?
  private var senders: [ChildProcess] = []
  private var address = ""
  private var sendingSince = Instant.zero
  private var isPaused = false
  private var hasPaused = false
  private var failure: String?

  init(_ test: VerificationCase, time: Interval, seed: UInt64, port: Int, files: CaseFiles, isVerbose: Bool) {
    self.test = test
    self.time = time
    self.seed = seed
    self.port = port
    self.files = files
    self.isVerbose = isVerbose
  }

  /// How many ports a case has to itself: the receiver's, of which it takes the first free two, and the sender's.
  static let portCount = 8

  var isOver: Bool { phase == .over }

  mutating func fail(_ sentence: String) {
    failure = failure ?? sentence
    phase = .over
    receiver = nil
    senders = []
  }

  /// Does what is due.
  mutating func advance(at now: Instant) throws(CommandError) {
    if phase != .new, phase != .stopping, let receiver, receiver.hasEnded {
      throw CommandError("the receiver ended too early: " + lastWords("receiver-errors"))
    }
    switch phase {
    case .new:
      try writeLinks()
      receiver = try start(receiverWords, "receiver")
      phase = .opening
    case .opening:
      let line = files.text("receiver-errors").split(separator: "\n").first { $0.hasPrefix("listening on ") }
      guard let line else { return }
      address = String(line.dropFirst("listening on ".count))
      try startSender()
      while test.isParallel, senders.count < test.sources.count { try startSender() }
      sendingSince = now
      phase = .sending
    case .sending:
      pauseReceiver(at: now)
      guard !isPaused, senders.allSatisfy(\.hasEnded) else { return }
      if let bad = senders.firstIndex(where: { $0.status != 0 }) {
        throw CommandError("a sender failed: " + lastWords("sender\(bad)-errors"))
      }
      if senders.count < test.sources.count { try startSender() } else { phase = .ending }
    case .ending:
      let ends = files.text("receiver-errors").split(separator: "\n").count { $0.contains(" ended: ") }
      guard ends >= test.sources.count(where: \.saysGoodbye) else { return }
      receiver?.signal(SIGTERM)
      phase = .stopping
    case .stopping:
      guard let receiver, receiver.hasEnded else { return }
      guard receiver.status == 0 else { throw CommandError("the receiver failed: " + lastWords("receiver-errors")) }
      phase = .over
    case .over: break
    }
  }

  // MARK: Commands

  private var packets: Int { test.packets(in: time) }

  /// A receiver of muxed RTCP never hears a sender that isn't muxed: that one might as well have crashed.
  private var isMuxed: Bool { test.sources.contains { !$0.saysGoodbye } }

  private var receiverWords: [String] {
    var words = ["receive", "--json", "--trace", files.path("trace"), "--idle-timeout", "5s"]
    words += ["--buffer", "\(Int(test.buffer.milliseconds))ms"]
    if isMuxed { words.append("--rtcp-mux") }
    if test.pausesReceiver { words += ["--socket-buffer", "8192"] }
    return words + ["rtp://127.0.0.1:\(port)-\(port + 5)"]
  }

  private func senderWords(_ place: Int) -> [String] {
    let source = test.sources[place]
    var words = ["send", "--json", "--quiet", "--synthetic"]
    words.append("bytes=100,interval=\(test.interval.nanoseconds / 1000)us")
    words += ["--duration", "\(time.milliseconds)ms", "--seed", "\(place + 1)"]
    words += ["--ssrc", "\(source.ssrc)", "--sequence", "\(source.firstSequence)"]
    words += ["--link", files.path("sender\(place).link"), "--link-trace", files.path("sender\(place)-trace")]
    if isMuxed, source.saysGoodbye { words.append("--rtcp-mux") }
    // The same source from another port at once would be somebody else.
    if isMuxed { words += ["--source-port", "\(port + 6)"] }
    return words + [address]
  }

  private mutating func startSender() throws(CommandError) {
    senders.append(try start(senderWords(senders.count), "sender\(senders.count)"))
  }

  private func start(_ words: [String], _ name: String) throws(CommandError) -> ChildProcess {
    if isVerbose { StandardError.write("\(test.name): jitterbug \(words.joined(separator: " "))\n") }
    return try ChildProcess(words, output: files.path("\(name)-report"), errors: files.path("\(name)-errors"))
  }

  private mutating func pauseReceiver(at now: Instant) {
    guard test.pausesReceiver else { return }
    let since = now - sendingSince
    if !hasPaused, since > time / 3 {
      hasPaused = true
      isPaused = true
      receiver?.signal(SIGSTOP)
    } else if isPaused, since > time / 3 + .seconds(1) {
      isPaused = false
      receiver?.signal(SIGCONT)
    }
  }

  private func lastWords(_ kind: String) -> String {
    files.text(kind).split(separator: "\n").last.map { String($0.prefix(300)) } ?? "it said nothing"
  }

  // MARK: The truth

  private func recording(_ place: Int) -> LinkRecording {
    test.recording(packets: packets, seed: seed &+ UInt64(place) &* 1_000_003)
  }

  private func writeLinks() throws(CommandError) {
    for place in test.sources.indices {
      let file = try TextFile(path: files.path("sender\(place).link"))
      recording(place).write(comment: "\(test.name), sender \(place), seed \(seed)") { file.write($0) }
      try file.close()
    }
  }

  /// The receiver's report, and the senders', beside what the links did and what the receiver's trace says.
  func result(falsified: String?) -> CaseResult {
    var result = CaseResult(test, falsifying: falsified)
    result.failure = failure
    guard failure == nil else { return result }
    guard let report = JSONValue(parsing: Array(files.text("receiver-report").utf8).span) else {
      result.failure = "the receiver's report isn't JSON"
      return result
    }
    let truth = streams()
    result.compare(report, with: truth, socketDrops: truth.reduce(0) { $0 + $1.droppedBySocket })
    for place in test.sources.indices { compareSender(place, with: truth, into: &result) }
    return result
  }

  private func streams() -> [StreamTruth] {
    var streams: [StreamTruth] = []
    for (place, source) in test.sources.enumerated() {
      let recording = recording(place)
      let copies = (0..<packets).map { recording.copies(of: $0).count }
      if let known = streams.firstIndex(where: { $0.ssrc == source.ssrc }) {
        streams[known].sent.append(copies)
        streams[known].knowsSent = source.saysGoodbye
      } else {
        var stream = StreamTruth(
          ssrc: source.ssrc, sent: [copies], arrivals: [], clockRate: 90_000, buffer: test.buffer,
          socketDrops: test.pausesReceiver)
        stream.knowsSent = source.saysGoodbye
        streams.append(stream)
      }
    }
    for row in TraceRow.all(in: files.text("trace")) {
      guard let stream = streams.firstIndex(where: { $0.ssrc == row.ssrc }) else { continue }
      let sources = test.sources.filter { $0.ssrc == row.ssrc }
      // The runs of one source are far apart, so only one of them has this number.
      let run = sources.firstIndex { Int(row.sequence &- $0.firstSequence) < packets } ?? 0
      streams[stream].arrivals.append(
        StreamTruth.Arrival(
          run: run, index: Int(row.sequence &- sources[run].firstSequence), timestamp: row.timestamp, time: row.time))
    }
    return streams
  }

  private func compareSender(_ place: Int, with truth: [StreamTruth], into result: inout CaseResult) {
    let prefix = test.sources.count > 1 ? "sender \(place + 1) " : "sender "
    let bytes = Array(files.text("sender\(place)-report").utf8)
    let report = JSONValue(parsing: bytes.span) ?? .null
    let recording = recording(place)
    let sent = SenderTruth(copies: (0..<packets).map { recording.copies(of: $0).count })
    // Of a source with several runs no single sender has sent them all.
    let stream = truth.first { $0.ssrc == test.sources[place].ssrc && $0.sent.count == 1 }
    result.compare(report, with: sent, stream: stream, prefix: prefix)
  }
}

/// One line of a receiver's trace, as far as it is needed here.
struct TraceRow {
  var time: Int64
  var ssrc: UInt32
  var sequence: UInt16
  var timestamp: UInt32

  /// The lines of a trace; what isn't one is left out.
  static func all(in text: String) -> [TraceRow] {
    text.utf8.split(separator: UInt8(ascii: "\n")).dropFirst().compactMap { line in
      let fields = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { String($0) ?? "" }
      guard fields.count >= 5 else { return nil }
      let stamp = fields[0].split(separator: ".")
      guard stamp.count == 2, let seconds = Int64(stamp[0]), let fraction = Int64(stamp[1]), stamp[1].utf8.count == 9,
        let ssrc = UInt32(fields[1].dropFirst(2), radix: 16), let sequence = UInt16(fields[2]),
        let timestamp = UInt32(fields[4])
      else { return nil }
      return TraceRow(
        time: seconds &* 1_000_000_000 &+ fraction, ssrc: ssrc, sequence: sequence, timestamp: timestamp)
    }
  }
}
