import Buffering
import Codecs
import Media
import Packets
import Timeline

/// Writes what a listener hears of one stream: as WAV, as raw samples, or as the Opus packets themselves.
///
/// What is filled in while nobody knows whether the stream goes on (the end of a stream whose goodbye was lost looks
/// like a pause) is kept back from a file until something follows, so that a recording ends where the media ended. A
/// pipe has a listener now, so there everything is written at once.
final class StreamOutput {
  private enum Sink: ~Copyable {
    case wav(WAVWriter)
    case raw(RawWriter)
    case opus(OggOpusWriter)
    case closed
  }

  /// The file's name, for messages.
  let name: String
  private var sink: Sink
  private var decoder: OpusDecoder
  private let channels: Int
  private let isLive: Bool
  private let isOpus: Bool
  private var samples: [Int16]
  /// Samples kept back, and silence kept back behind them, in frames.
  private var pending: [Int16] = []
  private var pendingSilence: Int64 = 0
  /// Packets that the decoder refused; their time was concealed.
  private(set) var undecodable = 0
  /// The playout's position in samples at 48 kHz since the first packet.
  private var position: Int64 = 0

  /// The most samples kept back: beyond it silence is only counted.
  private static let pendingLimit = 48_000

  init(path: String, format: ReceiveOptions.Format, channels: Int, interrupt: WriteInterrupt) throws(CommandError) {
    var output: OutputFile
    do { output = try OutputFile(path: path) } catch { throw CommandError(error.description) }
    output.interrupt = interrupt
    name = path
    isLive = !output.isSeekable
    isOpus = format == .opus
    self.channels = channels
    samples = [Int16](repeating: 0, count: OpusDecoder.maximumFrames * channels)
    do { decoder = try OpusDecoder(channels: channels) } catch { throw CommandError(error.description) }
    do {
      switch format {
      case .wav: sink = .wav(try WAVWriter(output: output, sampleRate: 48_000, channels: channels))
      case .raw: sink = .raw(RawWriter(output: output))
      case .opus:
        let head = OpusHead(channels: channels, preSkip: 312, inputSampleRate: 48_000)
        sink = .opus(try OggOpusWriter(output: output, head: head, serial: 0x6a62_7567))
      }
    } catch { throw CommandError(error.description) }
  }

  /// Plays a packet, without its first `skip` samples.
  func play(_ payload: RawSpan, duration: Int64, skip: Int64) throws(CommandError) {
    if isOpus {
      try writePacket(payload, at: position - skip)
      position += duration - skip
      return
    }
    position += duration - skip
    var span = samples.mutableSpan
    if let frames = try? decoder.decode(packet: payload, into: &span) {
      try settle()
      try write(from: Int(skip), to: frames)
    } else {
      undecodable += 1
      try conceal(duration - skip)
      try settle()
    }
  }

  /// Rebuilds what was lost from the copy in the packet that follows it.
  func recover(from next: RawSpan, duration: Int64) throws(CommandError) {
    position += duration
    guard !isOpus else { return }
    var span = samples.mutableSpan
    guard let frames = try? decoder.decodeFEC(from: next, frames: Int(duration), into: &span) else {
      return try conceal(duration)
    }
    try settle()
    try write(from: 0, to: frames)
  }

  /// Conceals a gap.
  func fill(concealing duration: Int64) throws(CommandError) {
    position += duration
    if !isOpus { try conceal(duration) }
  }

  /// Leaves a pause.
  func fill(silent duration: Int64) throws(CommandError) {
    position += duration
    guard !isOpus else { return }
    pendingSilence += duration
    if isLive { try settle() }
  }

  /// Ends the file; what was kept back belonged to nothing.
  func finish() throws(CommandError) {
    do {
      switch exchange(with: .closed) {
      case .wav(let writer): try writer.finish()
      case .raw(let writer): try writer.finish()
      case .opus(let writer): try writer.finish()
      case .closed: break
      }
    } catch { throw CommandError(error.description) }
  }

  private func conceal(_ duration: Int64) throws(CommandError) {
    var remaining = duration
    while remaining > 0 {
      let frames = Int(min(remaining, Int64(OpusDecoder.maximumFrames)))
      remaining -= Int64(frames)
      var span = samples.mutableSpan
      guard (try? decoder.conceal(frames: frames, into: &span)) != nil, pendingSilence == 0,
        pending.count < Self.pendingLimit * channels
      else {
        pendingSilence += Int64(frames)
        continue
      }
      pending += samples[..<(frames * channels)]
    }
    if isLive { try settle() }
  }

  /// Writes what was kept back: the stream goes on.
  private func settle() throws(CommandError) {
    guard !pending.isEmpty || pendingSilence > 0 else { return }
    let kept = pending
    if !kept.isEmpty { try write(kept.span) }
    pending.removeAll(keepingCapacity: true)
    let silence = pendingSilence
    pendingSilence = 0
    guard silence > 0 else { return }
    do {
      switch exchange(with: .closed) {
      case .wav(var writer):
        try writer.writeSilence(frames: Int(silence))
        sink = .wav(writer)
      case .raw(var writer):
        try writer.writeSilence(samples: Int(silence) * channels)
        sink = .raw(writer)
      case .opus(let writer): sink = .opus(writer)
      case .closed: break
      }
    } catch { throw CommandError(error.description) }
  }

  private func write(from start: Int, to end: Int) throws(CommandError) {
    guard start < end else { return }
    let kept = samples
    try write(kept.span.extracting((start * channels)..<(end * channels)))
  }

  private func write(_ span: Span<Int16>) throws(CommandError) {
    do {
      switch exchange(with: .closed) {
      case .wav(var writer):
        try writer.write(span)
        sink = .wav(writer)
      case .raw(var writer):
        try writer.write(span)
        sink = .raw(writer)
      case .opus(let writer): sink = .opus(writer)
      case .closed: break
      }
    } catch { throw CommandError(error.description) }
  }

  private func writePacket(_ payload: RawSpan, at time: Int64) throws(CommandError) {
    guard case .opus(var writer) = exchange(with: .closed) else { return }
    do { if try writer.write(payload, at: time) == .invalid { undecodable += 1 } } catch {
      throw CommandError(error.description)
    }
    sink = .opus(writer)
  }

  /// Takes the sink out: a noncopyable value in a class is changed by moving it out and back.
  private func exchange(with new: consuming Sink) -> Sink {
    var taken = new
    swap(&taken, &sink)
    return taken
  }
}
