internal import CSoxr

/// Why a resampler couldn't be made or failed.
public enum ResamplerError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A rate in Hz outside ``Resampler/rates``.
  case unsupportedRate(Int)
  /// A number of channels below 1 or above 8.
  case unsupportedChannels(Int)
  /// libsoxr failed, with its words.
  case library(String)

  /// One sentence for people.
  public var description: String {
    switch self {
    case .unsupportedRate(let rate):
      "a sample rate of \(rate) Hz can't be converted; give audio of \(Resampler.rates.lowerBound) to "
        + "\(Resampler.rates.upperBound) Hz"
    case .unsupportedChannels(let channels): "\(channels) channels can't be resampled; give 1 to 8"
    case .library(let words): "libsoxr failed: \(words)"
    }
  }
}

/// Converts interleaved samples from one rate to another, piece by piece, by libsoxr in its high quality (20 bits).
///
/// After ``flush(appendingTo:)`` the frames put out are exactly those put in × output rate / input rate, rounded to
/// the nearest, and without delay: frame n of the output belongs to the same instant as frame n × ratio of the input.
@safe public struct Resampler: ~Copyable {
  /// The rates in Hz that are taken on both sides.
  public static let rates = 1_000...768_000

  /// The rate of what goes in, in Hz.
  public let inputRate: Int
  /// The rate of what comes out, in Hz.
  public let outputRate: Int
  /// The interleaved channels.
  public let channels: Int

  /// Nil when the rates are equal and samples pass unchanged.
  private let state: OpaquePointer?
  private var framesIn: Int64 = 0
  private var framesOut: Int64 = 0

  /// The most frames that one call of libsoxr puts out.
  private static let block = 4096

  /// Makes a resampler between two rates of ``rates`` for 1 to 8 channels.
  public init(from inputRate: Int, to outputRate: Int = 48_000, channels: Int) throws(ResamplerError) {
    // What can fail comes before anything is stored: a half-made value that can't be copied can't be dropped.
    state = try Self.makeState(from: inputRate, to: outputRate, channels: channels)
    self.inputRate = inputRate
    self.outputRate = outputRate
    self.channels = channels
  }

  private static func makeState(
    from inputRate: Int, to outputRate: Int, channels: Int
  ) throws(ResamplerError) -> OpaquePointer? {
    for rate in [inputRate, outputRate] where !rates.contains(rate) { throw .unsupportedRate(rate) }
    guard (1...8).contains(channels) else { throw .unsupportedChannels(channels) }
    guard inputRate != outputRate else { return nil }
    var failure: soxr_error_t?
    var format = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I)
    var quality = soxr_quality_spec(UInt(SOXR_20_BITQ), 0)
    var runtime = soxr_runtime_spec(1)
    let made = soxr_create(
      Double(inputRate), Double(outputRate), UInt32(channels), &failure, &format, &quality, &runtime)
    guard let made, failure == nil else {
      if let made { soxr_delete(made) }
      throw .library(failure.map { String(cString: $0) } ?? "no memory")
    }
    return made
  }

  deinit { if let state { soxr_delete(state) } }

  /// Converts a piece of any length, whole frames, and appends what comes of it so far.
  ///
  /// The first pieces may yield nothing: the filter looks ahead.
  public mutating func process(_ input: Span<Float>, appendingTo output: inout [Float]) throws(ResamplerError) {
    let frames = input.count / channels
    framesIn += Int64(frames)
    guard state != nil else {
      for index in 0..<frames * channels { output.append(input[index]) }
      framesOut += Int64(frames)
      return
    }
    var consumed = 0
    while consumed < frames {
      consumed += try step(input.extracting(consumed * channels..<frames * channels), appendingTo: &output)
    }
  }

  /// Ends the signal and appends the rest of it; the resampler is done afterwards.
  public mutating func flush(appendingTo output: inout [Float]) throws(ResamplerError) {
    guard state != nil else { return }
    let wanted = (framesIn * Int64(outputRate) * 2 + Int64(inputRate)) / (Int64(inputRate) * 2)
    while framesOut < wanted {
      let before = framesOut
      try drain(appendingTo: &output)
      if framesOut == before { break }
    }
    // libsoxr's own rounding may be off by a frame: the length promised is kept.
    if framesOut > wanted {
      output.removeLast(min(Int(framesOut - wanted) * channels, output.count))
    } else if framesOut < wanted {
      output.append(contentsOf: repeatElement(0, count: Int(wanted - framesOut) * channels))
    }
    framesOut = wanted
  }

  /// One call of libsoxr with input; returns the frames it took.
  private mutating func step(
    _ input: Span<Float>, appendingTo output: inout [Float]
  ) throws(ResamplerError) -> Int {
    let start = output.count
    output.append(contentsOf: repeatElement(0, count: Self.block * channels))
    var consumed = 0
    var produced = 0
    let channels = channels
    let state = state
    let failure = output.withUnsafeMutableBufferPointer { samples in
      input.withUnsafeBufferPointer { source in
        soxr_process(
          state, source.baseAddress, source.count / channels, &consumed,
          samples.baseAddress.map { UnsafeMutableRawPointer($0 + start) }, Self.block, &produced)
      }
    }
    try settle(failure, produced: produced, in: &output)
    // libsoxr takes all of its input unless the output is full: neither moving would be an endless loop.
    if consumed == 0, produced == 0 { throw .library("no progress") }
    return consumed
  }

  /// One call of libsoxr at the end of the input.
  private mutating func drain(appendingTo output: inout [Float]) throws(ResamplerError) {
    let start = output.count
    output.append(contentsOf: repeatElement(0, count: Self.block * channels))
    var produced = 0
    let state = state
    let failure = output.withUnsafeMutableBufferPointer { samples in
      soxr_process(
        state, nil, 0, nil, samples.baseAddress.map { UnsafeMutableRawPointer($0 + start) }, Self.block, &produced)
    }
    try settle(failure, produced: produced, in: &output)
  }

  /// Counts what a call put out and gives back the room it left.
  private mutating func settle(
    _ failure: soxr_error_t?, produced: Int, in output: inout [Float]
  ) throws(ResamplerError) {
    output.removeLast((Self.block - produced) * channels)
    framesOut += Int64(produced)
    if let failure { throw .library(String(cString: failure)) }
  }
}
