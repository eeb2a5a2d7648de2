import Timeline

/// One frame of a ``SyntheticSource``.
public struct SyntheticFrame: Hashable, Sendable {
  /// Its number, from 0.
  public let number: Int64
  /// Its payload in bytes, without any header.
  public let bytes: Int
  /// When it is due after the start, in units of 1/90000 s, rounded to the nearest.
  public let timestamp: Int64
  /// Whether it is a video's key frame; every frame of the constant kind is.
  public let isKey: Bool
}

/// Makes up the frames of a ``SyntheticSpec``, without end: the same ones for the same seed, everywhere.
public struct SyntheticSource: Sendable {
  /// What it makes.
  public let spec: SyntheticSpec
  /// What the sizes and the payload depend on.
  public let seed: UInt64

  private var number: Int64 = 0
  /// The number of the next key frame.
  private var nextKey: Int64 = 0
  /// Of the group of pictures at hand: its bytes, the weights of all its frames, and those of the frames so far.
  private var groupBytes: Int128 = 0
  private var groupWeight: Int128 = 1
  private var weightSoFar: Int128 = 0

  /// The weight of a frame that isn't a key frame varies by 30 % around this; a key frame's is six times it.
  private static let meanWeight: UInt64 = 1_000
  private static let keyWeight: UInt64 = 6

  /// Starts at frame 0.
  public init(_ spec: SyntheticSpec, seed: UInt64) {
    self.spec = spec
    self.seed = seed
  }

  /// Makes the next frame of a video a key frame, and begins a group of pictures with it.
  public mutating func makeKeyFrame() { nextKey = number }

  /// When the frame is due that is next, whatever it will be.
  public var nextTimestamp: Int64 {
    switch spec {
    case .constant(_, let interval): return (interval * number).units(rate: 90_000)
    case .video(let thousandths, _, _):
      let scale = Int128(90_000) * 1_000
      return Int64((Int128(number) * scale * 2 + Int128(thousandths)) / (Int128(thousandths) * 2))
    }
  }

  /// The next frame.
  public mutating func next() -> SyntheticFrame {
    defer { number += 1 }
    let timestamp = nextTimestamp
    switch spec {
    case .constant(let packetBytes, _):
      return SyntheticFrame(
        number: number, bytes: packetBytes - SyntheticSpec.headerBytes, timestamp: timestamp, isKey: true)
    case .video(let thousandths, let bitrate, let gop):
      let isKey = number == nextKey
      if isKey {
        nextKey = number + Int64(gop)
        startGroup(frames: gop, thousandths: thousandths, bitrate: bitrate)
      }
      let before = groupBytes * weightSoFar / groupWeight
      weightSoFar += Int128(weight(of: number, isKey: isKey))
      let after = groupBytes * weightSoFar / groupWeight
      return SyntheticFrame(number: number, bytes: Int(after - before), timestamp: timestamp, isKey: isKey)
    }
  }

  /// Shares out the bytes that the bit rate gives to the frames from this one to the next key frame.
  ///
  /// The share is taken of sums from the start of the stream and of the group, so no rounding ever adds up.
  private mutating func startGroup(frames: Int, thousandths: Int, bitrate: Int) {
    func bytes(before frame: Int64) -> Int128 { Int128(frame) * Int128(bitrate) * 1_000 / (8 * Int128(thousandths)) }
    groupBytes = bytes(before: number + Int64(frames)) - bytes(before: number)
    groupWeight = 0
    weightSoFar = 0
    for index in 0..<Int64(frames) { groupWeight += Int128(weight(of: number + index, isKey: index == 0)) }
  }

  /// How big a frame is beside the others: a number that depends on the seed and the frame alone.
  private func weight(of frame: Int64, isKey: Bool) -> UInt64 {
    let random = Self.mix(seed ^ UInt64(bitPattern: frame) &* 0x9e37_79b9_7f4a_7c15)
    let varied = Self.meanWeight * 7 / 10 + random % (Self.meanWeight * 6 / 10 + 1)
    return isKey ? Self.meanWeight * (Self.keyWeight - 1) + varied : varied
  }

  /// Fills a buffer with the payload of a frame from a byte offset on.
  ///
  /// Each byte depends on the seed, the frame's number and the place of the byte in the frame alone, so a frame may be
  /// filled in pieces, one for each packet, and a receiver can check any of them.
  public static func fill(_ output: inout MutableSpan<UInt8>, frame: Int64, offset: Int, seed: UInt64) {
    let base = mix(seed &+ UInt64(bitPattern: frame) &* 0xd6e8_feb8_6659_fd93)
    var index = 0
    while index < output.count {
      let place = offset &+ index
      var word = mix(base &+ UInt64(bitPattern: Int64(place >> 3))) >> UInt64(8 * (place & 7))
      for _ in 0..<min(8 - (place & 7), output.count - index) {
        output[index] = UInt8(truncatingIfNeeded: word)
        word >>= 8
        index += 1
      }
    }
  }

  /// The finalizer of SplitMix64: every bit of the result depends on every bit of the value.
  private static func mix(_ value: UInt64) -> UInt64 {
    var value = value &+ 0x9e37_79b9_7f4a_7c15
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }
}
