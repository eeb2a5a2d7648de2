import Buffering
import Codecs
import Dissection
import Glibc
import Media
import Packets
import Receiving
import Statistics
import Timeline

/// `analyze --extract`: writes each stream's media into a folder, as a listener would have heard it.
///
/// Without a folder nothing is written: the audio is made for the figures alone, which then don't depend on `--extract`.
final class StreamExtractor {
  /// Where one stream goes.
  private struct Outputs {
    var opus: StreamOutput?
    var wave: StreamOutput?
    var g711: G711Output?
    /// How much silence may still be written, in seconds.
    var silence: Double
  }

  /// The most streams that are written: two files are open for each.
  private static let limit = 256
  /// The most silence written for one stream in seconds: stamps in a capture may lie, and an hour of WAV has 690 MB.
  private static let silenceLimit = 3600.0

  private let folder: String?
  private let channels: Int
  private let isElastic: Bool
  private let interrupt = WriteInterrupt(descriptor: -1)
  private var outputs: [AnalyzeReport.StreamID: Outputs] = [:]
  private var names: [String] = []
  private var refused: [AnalyzeReport.StreamID: String] = [:]
  private var shortened = 0
  /// Streams that are written.
  private var written = 0
  private var failure: CommandError?
  /// What the players of the streams know.
  private(set) var accounts: [AnalyzeReport.StreamID: ListenerAccount] = [:]

  init(folder: String?, channels: Int, isElastic: Bool) throws(CommandError) {
    self.folder = folder
    self.channels = channels
    self.isElastic = isElastic
    guard let folder else { return }
    var information = stat()
    if stat(folder, &information) != 0, mkdir(folder, 0o777) != 0 {
      throw CommandError("the folder \(folder) can't be made: \(String(cString: strerror(errno)))")
    }
    guard stat(folder, &information) == 0, information.st_mode & S_IFMT == S_IFDIR, access(folder, W_OK | X_OK) == 0
    else { throw CommandError("\(folder) is no folder that can be written to: name another for --extract") }
  }

  /// Carries out a playout decision; returns by how many units a packet has become longer, nil when nobody heard it.
  func perform(
    _ decision: PlayoutDecision, source: Int, stream id: Int, in session: borrowing ReceiveSession
  ) -> Int64? {
    let key = AnalyzeReport.StreamID(source: source, stream: id)
    guard failure == nil else { return nil }
    do throws(CommandError) {
      if outputs[key] == nil, refused[key] == nil, let stream = session.stream(id) { try open(key, stream) }
      guard outputs[key] != nil else { return nil }
      return try perform(decision, of: key, in: session)
    } catch { failure = error }
    return nil
  }

  private func perform(
    _ decision: PlayoutDecision, of key: AnalyzeReport.StreamID, in session: borrowing ReceiveSession
  ) throws(CommandError) -> Int64? {
    guard let (opus, wave, g711) = outputs[key].map({ ($0.opus, $0.wave, $0.g711) }) else { return nil }
    switch decision {
    case .play(let packet, let slot, _) where g711 != nil:
      try session.withPayload(of: key.stream, in: slot) { (payload) throws(CommandError) in
        try g711?.play(payload, at: packet.timestamp)
      }
      return nil
    case .silence(let duration):
      let seconds = Double(duration) / 48_000
      guard let left = outputs[key]?.silence, left >= seconds else {
        if outputs[key]?.silence ?? 0 > 0 { shortened += 1 }
        outputs[key]?.silence = 0
        return nil
      }
      outputs[key]?.silence -= seconds
    default: break
    }
    _ = try opus?.perform(decision, of: key.stream, in: session)
    return try wave?.perform(decision, of: key.stream, in: session)
  }

  private func open(_ key: AnalyzeReport.StreamID, _ stream: ReceiveStream) throws(CommandError) {
    let law = G711(encodingName: stream.format.encodingName)
    guard let folder, stream.format == .opus || law != nil, written < Self.limit else {
      if isElastic, stream.format == .opus {
        let listener = try StreamOutput(
          path: nil, format: .wav, channels: channels, isElastic: true, interrupt: interrupt)
        outputs[key] = Outputs(wave: listener, silence: .infinity)
      }
      refused[key] =
        written < Self.limit
        ? "\(TextFile.hexadecimal(stream.ssrc)) is \(stream.format), which isn't decoded here"
        : "\(TextFile.hexadecimal(stream.ssrc)) is one stream too many: \(Self.limit) are written"
      return
    }
    written += 1
    let number = written
    let base = "\(folder)/\(number < 10 ? "0" : "")\(number)-\(TextFile.hexadecimal(stream.ssrc))"
    var result = Outputs(silence: Self.silenceLimit)
    if let law, stream.format != .opus {
      result.g711 = try G711Output(path: try free(base + ".wav"), law: law)
    } else {
      result.opus = try StreamOutput(
        path: try free(base + ".opus"), format: .opus, channels: channels, isElastic: isElastic,
        interrupt: interrupt)
      result.wave = try StreamOutput(
        path: try free(base + ".wav"), format: .wav, channels: channels, isElastic: isElastic,
        interrupt: interrupt)
    }
    outputs[key] = result
  }

  /// The name, unless a file has it: nothing is overwritten.
  private func free(_ path: String) throws(CommandError) -> String {
    guard !InputFile.exists(path) else {
      throw CommandError("\(path) exists, and nothing is overwritten: name an empty folder for --extract")
    }
    names.append(path)
    return path
  }

  /// Ends all files.
  func endAll(_ analysis: borrowing CaptureAnalysis) {
    for (key, output) in outputs {
      let unheard = analysis.sources[key.source].session.stream(key.stream)?.playout.samples?.end.total
      do throws(CommandError) {
        try output.opus?.finish(without: unheard)
        try output.wave?.finish(without: unheard)
        try output.g711?.finish()
      } catch { failure = failure ?? error }
      accounts[key] = output.wave?.account
    }
  }

  /// Says what was written; throws what went wrong.
  func finish(_ say: (String) -> Void) throws(CommandError) {
    if let failure, folder == nil { throw failure }
    guard folder != nil else { return }
    for name in names.sorted() { say("wrote \(name)") }
    for sentence in refused.sorted(by: { $0.key.source < $1.key.source }).map(\.value).prefix(16) {
      say("not extracted: \(sentence)")
    }
    if shortened > 0 { say("\(shortened) streams have more than an hour of silence, which was left out") }
    if let failure { throw failure }
  }
}

/// Writes a G.711 stream as WAV, each packet at the place that its timestamp names; gaps are silent.
final class G711Output {
  private var writer: WAVWriter?
  private let law: G711
  private var next: Int64?
  private var samples: [Int16] = []
  private var silence: Int64 = 3600 * Int64(G711.sampleRate)

  init(path: String, law: G711) throws(CommandError) {
    self.law = law
    do {
      writer = try WAVWriter(output: try OutputFile(path: path), sampleRate: G711.sampleRate, channels: 1)
    } catch { throw CommandError(error.description) }
  }

  func play(_ payload: RawSpan, at timestamp: Int64) throws(CommandError) {
    samples.removeAll(keepingCapacity: true)
    law.decode(payload, appendingTo: &samples)
    let gap = timestamp.subtractingReportingOverflow(next ?? timestamp)
    let overlap = gap.partialValue < 0 && gap.partialValue > -Int64(samples.count) ? Int(-gap.partialValue) : 0
    next = timestamp &+ Int64(samples.count)
    do {
      // A step far back is a sender that began anew: it is played on.
      if !gap.overflow, gap.partialValue > 0, gap.partialValue <= silence {
        silence -= gap.partialValue
        try writer?.writeSilence(frames: Int(gap.partialValue))
      }
      let kept = Array(samples[overlap...])
      try writer?.write(kept.span)
    } catch { throw CommandError(error.description) }
  }

  func finish() throws(CommandError) {
    guard let taken = writer.take() else { return }
    do { try taken.finish() } catch { throw CommandError(error.description) }
  }
}
