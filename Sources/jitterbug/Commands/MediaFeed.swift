import Codecs
import Media
import Packets
import Timeline

/// Reads, and where needed encodes, the inputs one after the other: the reading thread's work.
///
/// Everything becomes frames on one media timeline. Ogg Opus is passed through packet by packet; samples are encoded.
struct MediaFeed: ~Copyable {
  private let options: SendOptions
  private let inputs: SendInputs
  private let queue: MediaQueue
  /// The media time of the next frame.
  private var time: Int64 = 0
  /// What is still to be left out at the beginning.
  private var skip: Interval
  private let limit: Int64?
  private var isSpurtStart = true
  private var isInSilence = false
  private var bytes = [UInt8](repeating: 0, count: OpusEncoder.maximumPacketBytes)
  private var pipeline: EncodingPipeline?

  /// Why reading stopped early.
  private enum Stop: Error {
    /// The sender wants no more, or `--duration` is reached.
    case done
    case problem(String)
  }

  private static let rate: UInt32 = 48_000

  init(_ options: SendOptions, inputs: SendInputs, queue: MediaQueue) {
    self.options = options
    self.inputs = inputs
    self.queue = queue
    skip = options.start
    limit = options.duration?.units(rate: Self.rate)
  }

  /// Reads everything into the queue.
  consuming func run() {
    var isAnythingRead = false
    repeat {
      let before = time
      for file in inputs.audio {
        do throws(Stop) {
          try read(file)
          isAnythingRead = true
        } catch {
          if case .problem(let sentence) = error {
            guard queue.push(.problem(sentence)) else { return }
          } else {
            _ = queue.push(.ended)
            return
          }
        }
      }
      // Files without any media would be read again and again.
      if time == before { break }
    } while options.isLooping && isAnythingRead
    do throws(Stop) { try finishEncoding() } catch {
      if case .problem(let sentence) = error { _ = queue.push(.problem(sentence)) }
    }
    _ = queue.push(.ended)
  }

  private mutating func read(_ file: String) throws(Stop) {
    do {
      let input = try inputs.open(file)
      if let raw = options.raw {
        try encode(input.rawSource(raw))
      } else if input.format == .oggOpus {
        try passThrough(try input.oggOpusReader())
      } else {
        try encode(try input.audioSource())
      }
    } catch let stop as Stop {
      throw stop
    } catch let error as MediaError {
      throw .problem(error.description)
    } catch {
      throw .problem("\(file): \(error)")
    }
  }

  // MARK: Ogg Opus

  private mutating func passThrough(_ opened: consuming OggOpusReader) throws {
    try finishEncoding()
    var reader = opened
    var payload: [UInt8] = []
    while let packet = try reader.next(into: &payload) {
      let duration = Int64(packet.duration)
      if skip > .zero {
        skip -= Interval(units: duration + max(0, packet.gapBefore), rate: Self.rate)
        continue
      }
      if packet.gapBefore > 0 {
        time += packet.gapBefore
        isSpurtStart = true
      }
      // Handed over whole: storage that both threads held would be written to here again as soon as the other lets go.
      var whole: [UInt8] = []
      swap(&whole, &payload)
      try emit(whole, duration: duration)
    }
  }

  // MARK: Samples

  private mutating func encode(_ opened: consuming AudioSource) throws {
    var source = opened
    if skip > .zero { skip -= try source.skip(skip) }
    try prepare(rate: source.sampleRate, channels: source.channels)
    var samples: [Float] = []
    while true {
      samples.removeAll(keepingCapacity: true)
      let frames = try source.read(frames: max(1, source.sampleRate / 50), into: &samples)
      if frames == 0 { break }
      try pipeline?.push(samples.span)
      try drainPipeline()
    }
  }

  /// Files with the same number of channels are one signal for the encoder, without a seam.
  private mutating func prepare(rate: Int, channels: Int) throws {
    if pipeline?.settings.channels == channels {
      try pipeline?.switchSource(rate: rate, channels: channels)
      return
    }
    try finishEncoding()
    var settings = options.encoder
    settings.channels = channels
    pipeline = try EncodingPipeline(settings, rate: rate, channels: channels)
  }

  private mutating func finishEncoding() throws(Stop) {
    do throws(EncodingError) { try pipeline?.finish() } catch { throw .problem(error.description) }
    try drainPipeline()
    pipeline = nil
  }

  private mutating func drainPipeline() throws(Stop) {
    // Out of `self` for as long as a span of it is lent.
    var buffer: [UInt8] = []
    swap(&buffer, &bytes)
    defer { swap(&buffer, &bytes) }
    while true {
      var span = buffer.mutableSpan
      let packet: EncodedPacket?
      do throws(EncodingError) { packet = try pipeline?.pop(into: &span) ?? nil } catch {
        throw .problem(error.description)
      }
      guard let packet else { return }
      // In silence the first tiny packet tells the receiver, and the others needn't be sent (RFC 7587 section 3.1.3).
      if packet.isDTX && isInSilence {
        time += Int64(packet.frames)
        isSpurtStart = true
        continue
      }
      isInSilence = packet.isDTX
      try emit(Array(buffer[..<packet.byteCount]), duration: Int64(packet.frames))
    }
  }

  private mutating func emit(_ payload: consuming [UInt8], duration: Int64) throws(Stop) {
    if let limit, time >= limit { throw .done }
    let frame = MediaFrame(payload: payload, time: time, duration: duration, marker: isSpurtStart)
    time += duration
    isSpurtStart = false
    guard queue.push(.frame(frame)) else { throw .done }
  }
}
