import Buffering
import Packets
import Receiving

/// Carries out playout decisions for each stream: into its output, if it has one.
final class StreamRecorder {
  private let options: ReceiveOptions
  private var outputs: [Int: StreamOutput] = [:]
  private var recorded = 0
  private(set) var undecodable = 0
  /// Whether an output couldn't be written to.
  private(set) var hasFailed = false

  init(_ options: ReceiveOptions) { self.options = options }

  /// A stream begins: the first one gets the output, later ones a file of their own beside it.
  func begin(_ stream: ReceiveStream) throws(CommandError) {
    guard let path = options.outputFile else { return }
    guard stream.format == .opus else {
      throw CommandError(
        "the stream is \(stream.format), which can't be written as audio: leave out --output to measure it, or name what it is with --format"
      )
    }
    if options.isEnding && recorded > 0 { return }
    if path == "-" && !outputs.isEmpty { return }
    let name = recorded == 0 || path == "-" ? path : Self.numbered(path, recorded + 1)
    outputs[stream.id] = try StreamOutput(
      path: name, format: try options.resolvedFormat(), channels: options.channels)
    recorded += 1
  }

  func perform(_ decision: PlayoutDecision, of id: Int, in session: borrowing ReceiveSession) throws(CommandError) {
    guard let output = outputs[id] else { return }
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

  func end(_ id: Int) throws(CommandError) {
    guard let output = outputs.removeValue(forKey: id) else { return }
    undecodable += output.undecodable
    try output.finish()
  }

  func endAll() throws(CommandError) {
    for id in outputs.keys.sorted() { try end(id) }
  }

  /// `heard.wav` becomes `heard-2.wav`.
  private static func numbered(_ path: String, _ number: Int) -> String {
    guard let dot = path.lastIndex(of: "."), !path[dot...].contains("/") else { return "\(path)-\(number)" }
    return "\(path[..<dot])-\(number)\(path[dot...])"
  }
}

extension ReceiveOptions {
  /// The format to write: as asked for, else by the file's suffix, else raw for standard output.
  func resolvedFormat() throws(CommandError) -> Format {
    if let outputFormat { return outputFormat }
    guard let outputFile, outputFile != "-" else { return .raw }
    let suffix = outputFile.split(separator: ".").last.map { $0.lowercased() } ?? ""
    switch suffix {
    case "wav": return .wav
    case "opus", "ogg", "oga": return .opus
    case "raw", "pcm", "s16": return .raw
    default:
      throw CommandError(
        "\(outputFile) has no suffix that names a format: call it FILE.wav, FILE.opus or FILE.raw, or add --output-format"
      )
    }
  }
}
