/// How to encode to Opus: everything that a command line can choose.
public struct OpusSettings: Hashable, Sendable {
  /// What the encoder is to be good at.
  public enum Application: String, Hashable, Sendable, CaseIterable {
    /// Speech: the one in which in-band error correction is used most.
    case voip
    /// Music and everything else.
    case audio
    /// The least delay: no speech mode, so no in-band error correction.
    case lowDelay = "lowdelay"
  }

  /// How the size of the packets may vary.
  public enum RateControl: String, Hashable, Sendable, CaseIterable {
    /// As the signal needs, the mean near the bit rate.
    case variable = "vbr"
    /// Variable, but never far above the bit rate for long.
    case constrained = "cvbr"
    /// Every packet has the same size.
    case constant = "cbr"
  }

  /// The sizes of a frame that an encoder takes, in samples at 48 kHz: 2.5, 5, 10, 20, 40 and 60 ms.
  public static let frameSizes = [120, 240, 480, 960, 1920, 2880]

  /// The channels encoded: 1 or 2.
  public var channels = 2
  /// The bit rate aimed at, in bits a second: 6 000 to 510 000.
  public var bitrate = 64_000
  /// What the encoder is to be good at.
  public var application = Application.audio
  /// The effort, from 0 (least work) to 10 (best sound).
  public var complexity = 10
  /// How the size of the packets may vary.
  public var rateControl = RateControl.variable
  /// Whether a packet carries a coarse copy of the one before it (RFC 6716 section 2.1.7).
  ///
  /// libopus does it only in its speech modes, only when ``expectedLossPercent`` is above 0, and only where the bit
  /// rate leaves room; in the low-delay application never.
  public var forwardErrorCorrection = false
  /// The loss the encoder prepares for, in percent: 0 to 100.
  public var expectedLossPercent = 0
  /// Whether to send next to nothing while the input is silent.
  public var discontinuous = false
  /// The samples of a frame at 48 kHz, for each channel: one of ``frameSizes``.
  public var frameSize = 960

  /// The settings that suit music at a good quality: stereo, 64 kbit/s, 20 ms.
  public init() {}

  /// Checks every setting; throws ``OpusError/invalidSetting(name:value:accepted:)`` for the first bad one.
  public func validate() throws(OpusError) {
    try check("channel count", channels, in: 1...2, "1 or 2")
    try check("bit rate", bitrate, in: 6_000...510_000, "6000 to 510000 bits a second")
    try check("complexity", complexity, in: 0...10, "0 to 10")
    try check("expected loss", expectedLossPercent, in: 0...100, "0 to 100 percent")
    guard Self.frameSizes.contains(frameSize) else {
      throw .invalidSetting(
        name: "frame size", value: frameSize,
        accepted: "120, 240, 480, 960, 1920 or 2880 samples (2.5, 5, 10, 20, 40 or 60 ms)")
    }
  }

  private func check(_ name: String, _ value: Int, in range: ClosedRange<Int>, _ accepted: String) throws(OpusError) {
    guard range.contains(value) else { throw .invalidSetting(name: name, value: value, accepted: accepted) }
  }
}
