/// A packet that an ``EncodingPipeline`` has made.
public struct EncodedPacket: Hashable, Sendable {
  /// The bytes of the packet, at the start of the caller's buffer.
  public let byteCount: Int
  /// The media it covers, in samples at 48 kHz for each channel: the step of the RTP timestamp (RFC 7587 section 4.2).
  public let frames: Int
  /// Whether it says no more than that there is silence, and needn't be sent.
  public var isDTX: Bool { OpusEncoder.isDTX(byteCount: byteCount) }
}

/// What can go wrong between samples of any rate and Opus packets.
public enum EncodingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The encoder refused a setting or failed.
  case opus(OpusError)
  /// The resampler refused a rate or failed.
  case resampler(ResamplerError)
  /// Samples were pushed for a number of channels other than 1 or 2.
  case unsupportedChannels(Int)

  /// One sentence for people.
  public var description: String {
    switch self {
    case .opus(let error): error.description
    case .resampler(let error): error.description
    case .unsupportedChannels(let channels): "\(channels) channels can't be encoded; give 1 or 2"
    }
  }
}

/// Samples of any rate in, Opus packets of one size out: resampling, cutting into frames and encoding.
///
/// Push samples as they come; after each push pop packets until there is none; at the end of the media call
/// ``finish()`` and pop again. Several sources one after the other make one continuous stream: announce each with
/// ``switchSource(rate:channels:)``.
///
///     var pipeline = try EncodingPipeline(settings, rate: 44_100, channels: 2)
///     try pipeline.push(samples)
///     while let packet = try pipeline.pop(into: &bytes) { … }
public struct EncodingPipeline: ~Copyable {
  /// What the packets are encoded with.
  public let settings: OpusSettings
  /// The media pushed so far as it comes out of the resampler, in samples at 48 kHz for each channel.
  ///
  /// Exact after ``finish()``: pushed frames × 48000 / rate, without the padding.
  public private(set) var frames: Int64 = 0

  private var encoder: OpusEncoder
  private var resampler: Resampler
  private var sourceChannels: Int
  /// Samples at 48 kHz that wait for a frame to be full; those before `consumed` are encoded already.
  private var pending: [Float] = []
  private var consumed = 0
  private var mixed: [Float] = []

  /// Makes a pipeline for a source of a rate in Hz with 1 or 2 interleaved channels, mixed to those of the settings.
  public init(_ settings: OpusSettings, rate: Int, channels: Int) throws(EncodingError) {
    guard (1...2).contains(channels) else { throw .unsupportedChannels(channels) }
    let encoder = try Self.makeEncoder(settings)
    let resampler = try Self.makeResampler(rate: rate, channels: settings.channels)
    self.encoder = encoder
    self.resampler = resampler
    self.settings = settings
    sourceChannels = channels
  }

  /// The pre-skip of the stream, in samples at 48 kHz (RFC 7845 section 4.2): the codec's delay.
  public var lookahead: Int { encoder.lookahead }

  /// Takes interleaved samples of the source, any number of whole frames.
  ///
  /// Samples that aren't finite, as files of floating point may hold them, become silence.
  public mutating func push(_ samples: Span<Float>) throws(EncodingError) {
    mix(samples)
    compact()
    let before = pending.count
    // A span of a stored array would lock all of `self`; a second reference to the array is as cheap.
    let mixed = mixed
    do throws(ResamplerError) {
      try resampler.process(mixed.span, appendingTo: &pending)
    } catch {
      throw .resampler(error)
    }
    frames += Int64((pending.count - before) / settings.channels)
  }

  /// Encodes the next frame when it is full; nil when more samples are needed.
  ///
  /// Give a buffer of ``OpusEncoder/maximumPacketBytes``.
  public mutating func pop(into buffer: inout MutableSpan<UInt8>) throws(EncodingError) -> EncodedPacket? {
    let needed = settings.frameSize * settings.channels
    guard pending.count - consumed >= needed else { return nil }
    let samples = pending
    do throws(OpusError) {
      let frame = samples.span.extracting(consumed..<consumed + needed)
      let byteCount = try encoder.encode(frame, into: &buffer)
      consumed += needed
      return EncodedPacket(byteCount: byteCount, frames: settings.frameSize)
    } catch {
      throw .opus(error)
    }
  }

  /// Ends one source and begins the next, with no gap between their samples.
  public mutating func switchSource(rate: Int, channels: Int) throws(EncodingError) {
    guard (1...2).contains(channels) else { throw .unsupportedChannels(channels) }
    try flushResampler()
    resampler = try Self.makeResampler(rate: rate, channels: settings.channels)
    sourceChannels = channels
  }

  /// Ends the media: the last frames become ready to pop.
  ///
  /// Silence is added for the ``lookahead``, so that the decoder gets all of the signal out, and then to the end of
  /// the last frame. Of what is decoded, skip the first `lookahead` samples and keep `frames`.
  public mutating func finish() throws(EncodingError) {
    try flushResampler()
    let waiting = (pending.count - consumed) / settings.channels + lookahead
    let partial = waiting % settings.frameSize
    let silence = lookahead + (partial == 0 ? 0 : settings.frameSize - partial)
    pending.append(contentsOf: repeatElement(0, count: silence * settings.channels))
  }

  private static func makeEncoder(_ settings: OpusSettings) throws(EncodingError) -> OpusEncoder {
    do throws(OpusError) { return try OpusEncoder(settings) } catch { throw .opus(error) }
  }

  private static func makeResampler(rate: Int, channels: Int) throws(EncodingError) -> Resampler {
    do throws(ResamplerError) {
      return try Resampler(from: rate, channels: channels)
    } catch {
      throw .resampler(error)
    }
  }

  private mutating func flushResampler() throws(EncodingError) {
    compact()
    let before = pending.count
    do throws(ResamplerError) {
      try resampler.flush(appendingTo: &pending)
    } catch {
      throw .resampler(error)
    }
    frames += Int64((pending.count - before) / settings.channels)
  }

  /// Brings the source's channels to the encoder's: one becomes two alike, two become their mean.
  private mutating func mix(_ samples: Span<Float>) {
    mixed.removeAll(keepingCapacity: true)
    func clean(_ sample: Float) -> Float { sample.isFinite ? sample : 0 }
    switch (sourceChannels, settings.channels) {
    case (1, 2):
      for index in 0..<samples.count {
        let sample = clean(samples[index])
        mixed.append(sample)
        mixed.append(sample)
      }
    case (2, 1):
      for frame in 0..<samples.count / 2 {
        mixed.append((clean(samples[2 * frame]) + clean(samples[2 * frame + 1])) / 2)
      }
    default:
      for index in 0..<samples.count { mixed.append(clean(samples[index])) }
    }
  }

  /// Forgets what is encoded already; the room is kept, so in steady state nothing is allocated.
  private mutating func compact() {
    pending.removeFirst(consumed)
    consumed = 0
  }
}
