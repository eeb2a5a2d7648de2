internal import COpus

/// An Opus encoder (RFC 6716) at 48 kHz: one frame of samples in, one packet out.
@safe public struct OpusEncoder: ~Copyable {
  /// What the encoder was made with.
  public let settings: OpusSettings
  /// The samples at 48 kHz by which the decoded signal comes after the input: the pre-skip of RFC 7845 section 4.2.
  public let lookahead: Int

  private let state: OpaquePointer

  /// A room that every packet of one frame fits.
  ///
  /// A packet of 60 ms may hold three frames of 20 ms, each of up to 1275 bytes (RFC 6716 section 3.2.1), and their
  /// sizes.
  public static let maximumPacketBytes = 3 * 1275 + 7

  /// Makes an encoder; throws when a setting is out of range.
  public init(_ settings: OpusSettings) throws(OpusError) {
    try settings.validate()
    let application =
      switch settings.application {
      case .voip: OPUS_APPLICATION_VOIP
      case .audio: OPUS_APPLICATION_AUDIO
      case .lowDelay: OPUS_APPLICATION_RESTRICTED_LOWDELAY
      }
    var code: Int32 = 0
    guard let state = opus_encoder_create(48_000, Int32(settings.channels), application, &code) else {
      throw .library(code: code)
    }
    // Every request that can fail is settled before `self` exists, for then its `deinit` frees the encoder.
    var lookahead: Int32 = 0
    let codes = [
      copus_set_bitrate(state, Int32(settings.bitrate)),
      copus_set_complexity(state, Int32(settings.complexity)),
      copus_set_vbr(state, settings.rateControl == .constant ? 0 : 1),
      copus_set_vbr_constraint(state, settings.rateControl == .constrained ? 1 : 0),
      copus_set_inband_fec(state, settings.forwardErrorCorrection ? 1 : 0),
      copus_set_packet_loss(state, Int32(settings.expectedLossPercent)),
      copus_set_dtx(state, settings.discontinuous ? 1 : 0),
      copus_get_lookahead(state, &lookahead),
    ]
    if let failed = codes.first(where: { $0 != OPUS_OK }) {
      opus_encoder_destroy(state)
      throw .library(code: failed)
    }
    self.state = state
    self.settings = settings
    self.lookahead = Int(lookahead)
  }

  deinit { opus_encoder_destroy(state) }

  /// Encodes one frame and returns the bytes written.
  ///
  /// `samples` are interleaved, `settings.frameSize` for each channel, nominally within ±1. Give an output of
  /// ``maximumPacketBytes``; in a smaller one libopus lowers the quality to fit.
  public mutating func encode(
    _ samples: Span<Float>, into output: inout MutableSpan<UInt8>
  ) throws(OpusError) -> Int {
    try check(sampleCount: samples.count)
    let state = state
    let frames = Int32(settings.frameSize)
    let result = samples.withUnsafeBufferPointer { input in
      output.withUnsafeMutableBufferPointer { bytes in
        guard let source = input.baseAddress, let target = bytes.baseAddress else { return OPUS_BUFFER_TOO_SMALL }
        return opus_encode_float(state, source, frames, target, Int32(clamping: bytes.count))
      }
    }
    return try written(result, room: output.count)
  }

  /// Whether a packet of so many bytes is what an encoder makes of silence in discontinuous transmission.
  ///
  /// libopus documents it so: a result of two bytes or less needn't be transmitted.
  public static func isDTX(byteCount: Int) -> Bool { byteCount <= 2 }

  private func check(sampleCount: Int) throws(OpusError) {
    let needed = settings.frameSize * settings.channels
    guard sampleCount == needed else { throw .wrongSampleCount(given: sampleCount, needed: needed) }
  }

  private func written(_ result: Int32, room: Int) throws(OpusError) -> Int {
    guard result >= 0 else {
      throw result == OPUS_BUFFER_TOO_SMALL || room == 0 ? .outputTooSmall(given: room) : .library(code: result)
    }
    return Int(result)
  }
}
