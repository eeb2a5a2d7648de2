import Codecs
import Media

/// A file or pipe for one stream: WAV, raw samples, or the Opus packets themselves; or nothing, for figures alone.
///
/// What is filled in while nobody knows whether the stream goes on (the end of a stream whose goodbye was lost looks
/// like a pause) is kept back from a file until something follows, so that a recording ends where the media ended. A
/// pipe has a listener now, so there everything is written at once.
final class StreamSink {
  private enum Writer: ~Copyable {
    case wav(WAVWriter)
    case raw(RawWriter)
    case opus(OggOpusWriter)
    /// Nothing is written, or nothing any more.
    case closed
  }

  /// Whether packets are written as they are.
  let takesPackets: Bool
  let channels: Int
  /// Taken out and put back to change it: a noncopyable value in a class.
  private var writer: Writer
  /// Whether what is filled in is written at once.
  let isLive: Bool
  /// Samples kept back, and silence kept back behind them, in frames.
  private var pending: [Int16] = []
  private var pendingSilence: Int64 = 0

  /// Makes up for the sender's clock; nil where samples stay what they are.
  private var resampler: DriftResampler?
  private var resampled: [Int16] = []
  /// What rounding has left out of resampled silence, in frames.
  private var silenceCarry = 0.0
  /// By how many frames what was written is longer than what was given.
  private(set) var resampledFrames = 0

  /// The most samples kept back: beyond it silence is only counted.
  private static let pendingLimit = 48_000

  init(
    path: String?, format: ReceiveOptions.Format, channels: Int, isElastic: Bool, interrupt: WriteInterrupt
  ) throws(CommandError) {
    self.channels = channels
    if isElastic { resampler = DriftResampler(channels: channels) }
    guard let path else {
      (isLive, takesPackets) = (false, false)
      writer = .closed
      return
    }
    var output: OutputFile
    do { output = try OutputFile(path: path) } catch { throw CommandError(error.description) }
    output.interrupt = interrupt
    isLive = !output.isSeekable
    takesPackets = format == .opus
    do {
      switch format {
      case .wav: writer = .wav(try WAVWriter(output: output, sampleRate: 48_000, channels: channels))
      case .raw: writer = .raw(RawWriter(output: output))
      case .opus:
        let head = OpusHead(channels: channels, preSkip: 312, inputSampleRate: 48_000)
        writer = .opus(try OggOpusWriter(output: output, head: head, serial: 0x6a62_7567))
      }
    } catch { throw CommandError(error.description) }
  }

  /// By what share what follows is made longer.
  var driftCorrection: Double {
    get { resampler?.correction ?? 0 }
    set { if newValue != driftCorrection { resampler?.correction = newValue } }
  }

  /// Writes samples, and before them what was kept back: the stream goes on.
  func write(_ samples: Span<Int16>) throws(CommandError) {
    try settle()
    try put(samples)
  }

  /// Takes samples that are only heard if something follows them.
  func keep(_ samples: Span<Int16>) throws(CommandError) {
    if pendingSilence == 0, pending.count < Self.pendingLimit * channels {
      for index in samples.indices { pending.append(samples[index]) }
    } else {
      pendingSilence += Int64(samples.count / channels)
    }
    if isLive { try settle() }
  }

  /// Takes silence that only counts if something follows it.
  func keep(silence frames: Int64) throws(CommandError) {
    pendingSilence += frames
    if isLive { try settle() }
  }

  /// Writes a packet at its place in samples at 48 kHz; false when it isn't one.
  func write(packet: RawSpan, at time: Int64) throws(CommandError) -> Bool {
    guard case .opus(var opus) = exchange(&writer, with: .closed) else { return true }
    var isValid = true
    do { isValid = try opus.write(packet, at: time) != .invalid } catch { throw CommandError(error.description) }
    writer = .opus(opus)
    return isValid
  }

  /// Ends the file.
  ///
  /// Of what was kept back the last `unheard` frames belong to nothing, nil of all of it.
  func finish(without unheard: Int64?) throws(CommandError) {
    if let unheard, !takesPackets { try settle(without: unheard) }
    // What the filter still holds.
    if resampler?.isEngaged == true {
      let rest = [Int16](repeating: 0, count: DriftResampler.delay * channels)
      try put(rest.span)
      resampledFrames += DriftResampler.delay
    }
    do {
      switch exchange(&writer, with: .closed) {
      case .wav(let writer): try writer.finish()
      case .raw(let writer): try writer.finish()
      case .opus(let writer): try writer.finish()
      case .closed: break
      }
    } catch { throw CommandError(error.description) }
  }

  /// Writes what was kept back but for the last `unheard` frames.
  private func settle(without unheard: Int64) throws(CommandError) {
    let kept = Int64(pending.count / channels) + pendingSilence
    let silence = min(max(kept - unheard, 0), pendingSilence)
    let samples = max(kept - unheard - pendingSilence, 0)
    pending.removeLast(pending.count - Int(samples) * channels)
    pendingSilence = silence
    try settle()
  }

  private func settle() throws(CommandError) {
    guard !pending.isEmpty || pendingSilence > 0 else { return }
    let kept = pending
    if !kept.isEmpty { try put(kept.span) }
    pending.removeAll(keepingCapacity: true)
    let silence = pendingSilence
    pendingSilence = 0
    guard silence > 0 else { return }
    try put(silence: silence)
  }

  private func put(silence frames: Int64) throws(CommandError) {
    var frames = frames
    if resampler?.isEngaged == true {
      // The filter runs empty; from then on silence is a number.
      let nothing = [Int16](repeating: 0, count: Int(min(frames, 960)) * channels)
      try put(nothing.span)
      let rest = frames - min(frames, 960)
      silenceCarry += Double(rest) * (1 + driftCorrection)
      frames = Int64(silenceCarry.rounded(.down))
      silenceCarry -= Double(frames)
      resampledFrames += Int(frames - rest)
    }
    guard frames > 0 else { return }
    do {
      switch exchange(&writer, with: .closed) {
      case .wav(var wav):
        try wav.writeSilence(frames: Int(frames))
        writer = .wav(wav)
      case .raw(var raw):
        try raw.writeSilence(samples: Int(frames) * channels)
        writer = .raw(raw)
      case .opus(let opus): writer = .opus(opus)
      case .closed: break
      }
    } catch { throw CommandError(error.description) }
  }

  /// Writes samples, resampled where that is needed.
  private func put(_ samples: Span<Int16>) throws(CommandError) {
    guard !samples.isEmpty else { return }
    guard var filter = resampler.take() else { return try store(samples) }
    let room = DriftResampler.mostFrames(for: samples.count / channels) * channels
    if resampled.count < room { resampled = [Int16](repeating: 0, count: room) }
    var span = resampled.mutableSpan
    let frames = filter.process(samples, into: &span)
    resampledFrames += frames - samples.count / channels
    resampler = filter
    let kept = resampled
    try store(kept.span.extracting(0..<frames * channels))
  }

  private func store(_ samples: Span<Int16>) throws(CommandError) {
    do {
      switch exchange(&writer, with: .closed) {
      case .wav(var wav):
        try wav.write(samples)
        writer = .wav(wav)
      case .raw(var raw):
        try raw.write(samples)
        writer = .raw(raw)
      case .opus(let opus): writer = .opus(opus)
      case .closed: break
      }
    } catch { throw CommandError(error.description) }
  }
}
