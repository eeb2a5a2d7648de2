/// G.711: one byte a sample at 8 kHz, by either of two logarithmic laws (ITU-T G.711).
public enum G711: Sendable {
  /// μ-law, PCMU in RTP.
  case muLaw
  /// A-law, PCMA in RTP.
  case aLaw

  /// The law that an RTP encoding name stands for, without regard to case (RFC 3551 section 4.5.14).
  public init?(encodingName: String) {
    switch encodingName.lowercased() {
    case "pcmu": self = .muLaw
    case "pcma": self = .aLaw
    default: return nil
    }
  }

  /// The sampling rate in Hz.
  public static let sampleRate = 8_000

  /// The 16-bit sample that a byte stands for.
  public func decode(_ byte: UInt8) -> Int16 {
    switch self {
    case .muLaw:
      let bits = ~byte
      let magnitude = (Int16(bits & 0xf) << 3 + 0x84) << Int16(bits >> 4 & 7) - 0x84
      return bits & 0x80 != 0 ? -magnitude : magnitude
    case .aLaw:
      let bits = byte ^ 0x55
      let exponent = Int16(bits >> 4 & 7)
      let mantissa = Int16(bits & 0xf) << 4 + 8
      let magnitude = exponent == 0 ? mantissa : (mantissa + 0x100) << (exponent - 1)
      return bits & 0x80 != 0 ? magnitude : -magnitude
    }
  }

  /// Decodes a packet's payload.
  public func decode(_ payload: RawSpan, appendingTo samples: inout [Int16]) {
    for offset in 0..<payload.byteCount {
      samples.append(decode(payload.unsafeLoad(fromByteOffset: offset, as: UInt8.self)))
    }
  }
}
