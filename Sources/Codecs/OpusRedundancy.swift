internal import COpus

extension OpusDecoder {
  /// Whether a packet carries a copy of the one before it, which ``decodeFEC(from:frames:into:)`` can use.
  ///
  /// The copy ("low bit-rate redundancy") exists in the speech and hybrid modes only. The first bits of their first
  /// frame are, for each channel, one voice activity flag for each 20 ms (or one for 10 ms) and then one flag that
  /// says whether there is a copy (RFC 6716 section 4.2.3). Each has the probability one half, so the range coder
  /// leaves it as a plain bit, from the top of the first byte: at most 2 × (3 + 1) = 8 bits.
  ///
  ///      mono, 20 ms    V L . . . . . .        stereo, 20 ms    V L v l . . . .
  ///      mono, 60 ms    V V V L . . . .        stereo, 60 ms    V V V L v v v l
  ///
  /// Bytes that aren't an Opus packet carry none. libopus has `opus_packet_has_lbrr` for this only since 1.5.
  public static func hasFEC(_ packet: RawSpan) -> Bool {
    packet.withUnsafeBytes { raw in
      let bytes = raw.bindMemory(to: UInt8.self)
      // Configurations 16 to 31 are without a speech layer (RFC 6716 section 3.1, table 2).
      guard let start = bytes.baseAddress, bytes.count > 0, bytes[0] >> 3 < 16 else { return false }
      guard let first = firstFrameByte(start, count: Int32(clamping: bytes.count)) else { return false }
      let speechFrames = max(Int(opus_packet_get_samples_per_frame(start, 48_000)) / 960, 1)
      let flag = UInt8(1) << (7 - speechFrames)
      if first & flag != 0 { return true }
      guard opus_packet_get_nb_channels(start) == 2 else { return false }
      return first & (flag >> (speechFrames + 1)) != 0
    }
  }

  /// The first byte of a packet's first frame, or nil when the packet is malformed or that frame empty.
  private static func firstFrameByte(_ packet: UnsafePointer<UInt8>, count: Int32) -> UInt8? {
    // 48 frames of 2.5 ms is the most that a packet holds.
    withUnsafeTemporaryAllocation(of: Int16.self, capacity: 48) { sizes in
      withUnsafeTemporaryAllocation(of: UnsafePointer<UInt8>?.self, capacity: 48) { frames in
        sizes.initialize(repeating: 0)
        frames.initialize(repeating: nil)
        guard let size = sizes.baseAddress else { return nil }
        let parsed = opus_packet_parse(packet, count, nil, frames.baseAddress, size, nil)
        guard parsed > 0, sizes[0] > 0 else { return nil }
        return frames[0]?.pointee
      }
    }
  }
}
