import Buffering
import Packets
import Receiving

/// Carries out playout decisions for each stream: into its output, if it has one.
final class StreamRecorder {
  private let options: ReceiveOptions
  private var outputs: [Int: StreamOutput] = [:]
  private var recorded = 0
  private(set) var undecodable = 0
  /// Why an output couldn't be written; nothing is recorded any more.
  private(set) var failure: CommandError?

  init(_ options: ReceiveOptions) { self.options = options }

  /// A stream begins: the first one gets the output, later ones a file of their own beside it.
  func begin(_ stream: ReceiveStream) {
    do throws(CommandError) { try open(stream) } catch { fail(error) }
  }

  private func open(_ stream: ReceiveStream) throws(CommandError) {
    guard let path = options.outputFile, failure == nil else { return }
    guard stream.format == .opus else {
      throw CommandError(
        "the stream is \(stream.format), which can't be written as audio: leave out --output to measure it, or name what it is with --format"
      )
    }
    if options.isEnding && recorded > 0 { return }
    if path == "-" && !outputs.isEmpty { return }
    let name = recorded == 0 || path == "-" ? path : Self.numbered(path, recorded + 1)
    // The suffix was looked at before anything ran.
    let format = (try? options.resolvedFormat()) ?? .raw
    outputs[stream.id] = try StreamOutput(path: name, format: format, channels: options.channels)
    recorded += 1
  }

  func perform(_ decision: PlayoutDecision, of id: Int, in session: borrowing ReceiveSession) {
    guard let output = outputs[id] else { return }
    do throws(CommandError) { try perform(decision, of: id, in: session, to: output) } catch { fail(error) }
  }

  private func perform(
    _ decision: PlayoutDecision, of id: Int, in session: borrowing ReceiveSession, to output: StreamOutput
  ) throws(CommandError) {
    switch decision {
    case .play(let packet, let slot, let skip):
      try session.withPayload(of: id, in: slot) { (payload) throws(CommandError) in
        try output.play(payload, duration: packet.duration, skip: skip)
      }
    case .recover(let slot, let duration):
      try session.withPayload(of: id, in: slot) { (payload) throws(CommandError) in
        try output.recover(from: payload, duration: duration)
      }
    case .conceal(let duration): try output.fill(concealing: duration)
    case .silence(let duration): try output.fill(silent: duration)
    case .wait, .ended: break
    }
  }

  func end(_ id: Int) {
    guard let output = outputs.removeValue(forKey: id) else { return }
    undecodable += output.undecodable
    do throws(CommandError) { try output.finish() } catch { fail(error) }
  }

  func endAll() {
    for id in outputs.keys.sorted() { end(id) }
  }

  /// What can't be written any more is closed as it is.
  private func fail(_ error: CommandError) {
    failure = failure ?? error
    outputs.removeAll()
  }

  /// `heard.wav` becomes `heard-2.wav`.
  private static func numbered(_ path: String, _ number: Int) -> String {
    guard let dot = path.lastIndex(of: "."), !path[dot...].contains("/") else { return "\(path)-\(number)" }
    return "\(path[..<dot])-\(number)\(path[dot...])"
  }
}

extension ReceiveOptions {
  /// The format to write: as asked for, else by the file's suffix, else raw for standard output.
  func resolvedFormat() throws(UsageError) -> Format {
    if let outputFormat { return outputFormat }
    guard let outputFile, outputFile != "-" else { return .raw }
    let suffix = outputFile.split(separator: ".").last.map { $0.lowercased() } ?? ""
    switch suffix {
    case "wav": return .wav
    case "opus", "ogg", "oga": return .opus
    case "raw", "pcm", "s16": return .raw
    default:
      throw UsageError(
        "\(outputFile) has no suffix that names a format: call it FILE.wav, FILE.opus or FILE.raw, or add --output-format"
      )
    }
  }
}
