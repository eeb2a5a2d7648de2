/// The header of a WAV that comes by a pipe, where libsndfile can't seek.
///
/// Only whole samples are understood: integers of 16, 24 and 32 bits and floats of 32, plain or in the extensible
/// form. Everything else is left to libsndfile.
struct WAVStreamHeader: Equatable {
  /// How the samples are stored.
  var format: RawPCMFormat
  /// The bytes up to the first sample.
  var headerBytes: Int
  /// The bytes of the samples, or nil when they go on to the end of the input.
  var dataBytes: Int64?

  /// What the bytes so far amount to.
  enum Outcome: Equatable {
    case complete(WAVStreamHeader)
    /// The header isn't there yet: so many bytes in all are needed to see more of it.
    case needsMore(total: Int)
    /// A WAV, but not of samples that are understood here.
    case otherEncoding
    case damaged(String)
  }

  /// The longest header that is read; comments and pictures before the samples seldom come near.
  static let longest = 1 << 20
  /// A size from here on is what programs write that don't know it: arecord 0x7FFFFFxx or 0x80000000, sox 0x7FFFF000,
  /// ffmpeg 0xFFFFFFFF.
  private static let unknownSize: UInt32 = 0x7FFF_0000

  /// Reads as much of the header as `bytes`, the beginning of the input, holds.
  ///
  ///     "RIFF" size "WAVE"   then chunks:   id (4)  size (4, little-endian)  content  a byte to an even length
  static func parse(_ bytes: [UInt8]) -> Outcome {
    guard bytes.count >= 12 else { return .needsMore(total: 12) }
    guard bytes.starts(with: "RIFF".utf8), bytes[8...].starts(with: "WAVE".utf8) else {
      return .damaged("it doesn't begin as a WAV does")
    }
    var offset = 12
    var format: RawPCMFormat?
    while offset + 8 <= longest {
      guard bytes.count >= offset + 8 else { return .needsMore(total: offset + 8) }
      let size = little32(bytes, offset + 4)
      let content = offset + 8
      if bytes[offset...].starts(with: "data".utf8) {
        guard let format else { return .damaged("its samples come before their description") }
        return .complete(
          WAVStreamHeader(
            format: format, headerBytes: content, dataBytes: size == 0 || size >= unknownSize ? nil : Int64(size)))
      }
      let (next, tooFar) = content.addingReportingOverflow(Int(size) + Int(size & 1))
      guard !tooFar, next <= longest else { break }
      if bytes[offset...].starts(with: "fmt ".utf8) {
        guard size >= 16 else { return .damaged("the description of its samples is cut short") }
        guard bytes.count >= next else { return .needsMore(total: next) }
        switch describe(bytes[content..<content + Int(size)]) {
        case .success(let found): format = found
        case .failure(.otherEncoding): return .otherEncoding
        case .failure(.damaged(let words)): return .damaged(words)
        }
      }
      offset = next
    }
    return .damaged("its samples don't begin within its first MiB")
  }

  private enum Refusal: Error {
    case otherEncoding
    case damaged(String)
  }

  /// Reads the content of the "fmt " chunk, at least 16 bytes.
  ///
  ///     tag (2)  channels (2)  rate (4)  bytes a second (4)  bytes a frame (2)  bits a sample (2)
  ///     and, extensible:  extra size (2)  valid bits (2)  places (4)  tag (2) + 14 fixed bytes
  private static func describe(_ chunk: ArraySlice<UInt8>) -> Result<RawPCMFormat, Refusal> {
    let bytes = Array(chunk)
    var tag = little16(bytes, 0)
    let channels = little16(bytes, 2)
    let rate = little32(bytes, 4)
    let frameBytes = little16(bytes, 12)
    let bits = little16(bytes, 14)
    if tag == 0xFFFE {
      guard bytes.count >= 40 else { return .failure(.damaged("the description of its samples is cut short")) }
      let rest: [UInt8] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]
      guard Array(bytes[26..<40]) == rest else { return .failure(.otherEncoding) }
      tag = little16(bytes, 24)
    }
    let encoding: RawPCMFormat.Encoding
    switch (tag, bits) {
    case (1, 16): encoding = .s16le
    case (1, 24): encoding = .s24le
    case (1, 32): encoding = .s32le
    case (3, 32): encoding = .f32le
    default: return .failure(.otherEncoding)
    }
    guard channels > 0, rate > 0 else { return .failure(.damaged("it says that it has no channel or no sample rate")) }
    guard Int(frameBytes) == encoding.bytes * Int(channels) else {
      return .failure(.damaged("the description of its samples contradicts itself"))
    }
    return .success(RawPCMFormat(encoding: encoding, rate: Int(rate), channels: Int(channels)))
  }

  private static func little16(_ bytes: [UInt8], _ offset: Int) -> UInt16 {
    UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8
  }

  private static func little32(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    UInt32(little16(bytes, offset)) | UInt32(little16(bytes, offset + 2)) << 16
  }
}
