internal import COpus

/// An Opus decoder (RFC 6716) at 48 kHz: packets in, interleaved 16-bit samples out.
///
/// A packet's channels, bandwidth, mode and duration may change from one to the next; the output's channels don't:
/// libopus mixes. Packets are hostile until decoded: a bad one throws and leaves the decoder usable.
@safe public struct OpusDecoder: ~Copyable {
  /// The interleaved channels of the output: 1 or 2.
  public let channels: Int

  private let state: OpaquePointer
  /// The state that ``mark()`` kept.
  private let marked: OpaquePointer
  /// Where concealment is decoded, in multiples of 2.5 ms.
  private var scratch: [Int16]
  /// What of `scratch` wasn't asked for yet, in frames: further concealment begins with it.
  private var spare = 0..<0

  /// The longest packet: 120 ms (RFC 6716 section 3.2.5), in frames, that is samples at 48 kHz for each channel.
  public static let maximumFrames = 5760
  /// What libopus conceals is a multiple of this: 2.5 ms, in frames.
  private static let quantum = 120
  /// The steps in which is concealed: those of the packets, up to 20 ms, as for a packet that was lost.
  ///
  /// Of speech libopus really conceals no less than 10 ms, whatever is asked: what is more is lost to the next piece.
  private var step = quantum

  /// Makes a decoder for 1 or 2 channels.
  public init(channels: Int) throws(OpusError) {
    guard (1...2).contains(channels) else {
      throw .invalidSetting(name: "channel count", value: channels, accepted: "1 or 2")
    }
    var code: Int32 = 0
    guard let state = opus_decoder_create(48_000, Int32(channels), &code) else { throw .library(code: code) }
    guard let marked = opus_decoder_create(48_000, Int32(channels), &code) else {
      opus_decoder_destroy(state)
      throw .library(code: code)
    }
    self.state = state
    self.marked = marked
    self.channels = channels
    scratch = [Int16](repeating: 0, count: Self.maximumFrames * channels)
  }

  deinit {
    opus_decoder_destroy(state)
    opus_decoder_destroy(marked)
  }

  /// Decodes a packet and returns its frames: samples for each channel.
  ///
  /// Give an output with room for ``maximumFrames``; a packet that is longer than the room throws
  /// ``OpusError/outputTooSmall(given:)``.
  public mutating func decode(
    packet: RawSpan, into output: inout MutableSpan<Int16>
  ) throws(OpusError) -> Int {
    // libopus takes an empty packet for a lost one; nothing arrives empty but by mistake.
    guard packet.byteCount > 0 else { throw .invalidPacket(byteCount: 0) }
    let room = output.count
    guard room >= channels else { throw .outputTooSmall(given: room) }
    let frames = min(room / channels, Self.maximumFrames)
    spare = 0..<0
    let result = decode(packet, frames: frames, fec: false, into: &output, at: 0)
    switch result {
    case 0...:
      step = result % 960 == 0 ? 960 : result % 480 == 0 ? 480 : Self.quantum
      return Int(result)
    case OPUS_BUFFER_TOO_SMALL: throw .outputTooSmall(given: room)
    case OPUS_INVALID_PACKET: throw .invalidPacket(byteCount: packet.byteCount)
    default: throw .library(code: result)
    }
  }

  /// Recovers the `frames` before the packet `next` from the copy that it carries (RFC 6716 section 2.1.7).
  ///
  /// Call it for the last lost packet before `next`, then decode `next` itself. What the copy doesn't cover is
  /// concealed, as ``conceal(frames:into:)`` does it. Any length from 1 to ``maximumFrames`` is taken; returns
  /// `frames`.
  public mutating func decodeFEC(
    from next: RawSpan, frames: Int, into output: inout MutableSpan<Int16>
  ) throws(OpusError) -> Int {
    guard next.byteCount > 0 else { throw .invalidPacket(byteCount: 0) }
    guard frames > 0, frames <= Self.maximumFrames, frames <= output.count / channels else {
      throw .invalidLength(frames: frames)
    }
    // The copy belongs to the end of the gap, so the odd piece is concealed at its start, before the copy.
    let odd = frames % Self.quantum
    spare = 0..<0
    if odd > 0 { try concealPiece(odd, at: 0, into: &output) }
    guard frames > odd else { return frames }
    spare = 0..<0
    let result = decode(next, frames: frames - odd, fec: true, into: &output, at: odd)
    guard result >= 0 else {
      throw result == OPUS_INVALID_PACKET ? .invalidPacket(byteCount: next.byteCount) : .library(code: result)
    }
    return frames
  }

  /// Fills a gap of `frames` with what the signal so far suggests, fading out; returns `frames`.
  ///
  /// Any positive length that fits the output is taken: libopus works in steps of its own, and with what is left of the
  /// last one the next concealment begins, so the lengths in which a gap is filled don't matter.
  public mutating func conceal(frames: Int, into output: inout MutableSpan<Int16>) throws(OpusError) -> Int {
    guard frames > 0, frames <= output.count / channels else { throw .invalidLength(frames: frames) }
    var done = 0
    while done < frames {
      let piece = min(frames - done, Self.maximumFrames)
      try concealPiece(piece, at: done, into: &output)
      done += piece
    }
    return frames
  }

  /// Forgets the signal so far, for a new stream.
  public mutating func reset() {
    _ = copus_reset_decoder(state)
    spare = 0..<0
  }

  /// Keeps the signal so far, for ``rewind()``.
  public mutating func mark() { copus_copy_decoder(marked, state, Int32(channels)) }

  /// Goes back to where ``mark()`` was: what was concealed since then never happened, so a packet that wasn't lost
  /// decodes as it should.
  public mutating func rewind() {
    copus_copy_decoder(state, marked, Int32(channels))
    spare = 0..<0
  }

  /// Conceals up to ``maximumFrames`` at an offset in frames.
  private mutating func concealPiece(
    _ frames: Int, at offset: Int, into output: inout MutableSpan<Int16>
  ) throws(OpusError) {
    let old = min(spare.count, frames)
    for index in 0..<old * channels { output[offset * channels + index] = scratch[spare.lowerBound * channels + index] }
    spare = spare.dropFirst(old)
    let new = frames - old
    guard new > 0 else { return }
    let rounded = (new + step - 1) / step * step
    let state = state
    let code = scratch.withUnsafeMutableBufferPointer { samples in
      guard let target = samples.baseAddress else { return OPUS_BUFFER_TOO_SMALL }
      return opus_decode(state, nil, 0, target, Int32(rounded), 0)
    }
    guard code == rounded else { throw .library(code: code) }
    for index in 0..<new * channels { output[(offset + old) * channels + index] = scratch[index] }
    spare = new..<rounded
  }

  /// One call of libopus; the caller has checked that `frames` fit the output behind `offset`, both in frames.
  private mutating func decode(
    _ packet: RawSpan, frames: Int, fec: Bool, into output: inout MutableSpan<Int16>, at offset: Int
  ) -> Int32 {
    let state = state
    let skipped = offset * channels
    return packet.withUnsafeBytes { bytes in
      output.withUnsafeMutableBufferPointer { samples in
        guard let target = samples.baseAddress else { return OPUS_BUFFER_TOO_SMALL }
        return opus_decode(
          state, bytes.bindMemory(to: UInt8.self).baseAddress, Int32(clamping: bytes.count), target + skipped,
          Int32(frames), fec ? 1 : 0)
      }
    }
  }
}
