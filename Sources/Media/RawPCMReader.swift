/// Reads raw samples as they come, from a file or a live pipe.
struct RawPCMReader: ~Copyable {
  let format: RawPCMFormat
  /// The channels that ``read(into:frames:)`` gives: 1 or 2.
  let channels: Int

  private var input: InputBytes
  private var remaining: Int64?
  private let downmix: StereoDownmix?
  /// Bytes read that aren't a whole frame yet, then those of the frames being read.
  private var bytes: [UInt8] = []
  private var samples: [Float] = []
  private var hasEnded = false

  /// - Parameter byteCount: where the samples end, or nil for the end of the input.
  init(_ input: consuming InputBytes, format: RawPCMFormat, byteCount: Int64?) {
    self.input = input
    self.format = format
    channels = min(format.channels, 2)
    remaining = byteCount
    downmix = StereoDownmix.defaultPlaces(channels: format.channels).map { StereoDownmix($0) }
  }

  /// The name of the input, for messages.
  var name: String { input.name }

  /// What to wait for with `poll(2)` before a read, so that it doesn't block.
  var descriptor: CInt { input.descriptor.value }

  /// The frames left, where the input says.
  var framesLeft: Int64? { remaining.map { ($0 + Int64(bytes.count)) / Int64(format.frameBytes) } }

  /// Appends up to `frames` frames, as many as are there but at least one; returns how many, 0 only at the end.
  ///
  /// A frame that the input cuts in two at its end is dropped.
  mutating func read(into output: inout [Float], frames: Int) throws(MediaError) -> Int {
    guard try fill(frames: min(frames, 65_536)) else { return 0 }
    let count = min(bytes.count / format.frameBytes, frames)
    let used = count * format.frameBytes
    if let downmix {
      samples.removeAll(keepingCapacity: true)
      format.encoding.decode(bytes[..<used], appendingTo: &samples)
      downmix.mix(samples[...], appendingTo: &output)
    } else {
      format.encoding.decode(bytes[..<used], appendingTo: &output)
    }
    bytes.removeFirst(used)
    return count
  }

  /// Reads until there is a whole frame; false at the end.
  private mutating func fill(frames: Int) throws(MediaError) -> Bool {
    guard frames > 0 else { return false }
    while bytes.count < format.frameBytes {
      guard !hasEnded else { return false }
      let wanted = frames * format.frameBytes - bytes.count
      let allowed = remaining.map { Int(min($0, Int64(wanted))) } ?? wanted
      let done = allowed > 0 ? try input.read(into: &bytes, count: allowed) : 0
      if done == 0 { hasEnded = true }
      if let left = remaining { remaining = left - Int64(done) }
    }
    return true
  }
}

extension RawPCMFormat.Encoding {
  /// Appends the samples of whole frames as floats, ±1 at full scale.
  func decode(_ bytes: ArraySlice<UInt8>, appendingTo output: inout [Float]) {
    func little(_ index: Int, _ shift: Int) -> UInt32 { UInt32(bytes[index]) << UInt32(shift) }
    let end = bytes.endIndex - (self.bytes - 1)
    for index in stride(from: bytes.startIndex, to: end, by: self.bytes) {
      switch self {
      case .s16le:
        output.append(Self.scaled(little(index, 16) | little(index + 1, 24)))
      case .s24le:
        output.append(Self.scaled(little(index, 8) | little(index + 1, 16) | little(index + 2, 24)))
      case .s32le, .f32le:
        let bits = little(index, 0) | little(index + 1, 8) | little(index + 2, 16) | little(index + 3, 24)
        let float = self == .f32le ? Float(bitPattern: bits) : Self.scaled(bits)
        output.append(float.isFinite ? float : 0)
      }
    }
  }

  /// A sample in the upper bits of 32.
  private static func scaled(_ bits: UInt32) -> Float { Float(Int32(bitPattern: bits)) * 0x1p-31 }
}
