public import Timeline

/// An estimate of how good speech sounds after the network had its way with it.
public struct QualityEstimate: Hashable, Sendable {
  /// The transmission rating R, on the scale named.
  public var rating: Double
  /// The mean opinion score, 1 to 4.5.
  public var meanOpinionScore: Double
  /// The scale of R; "fullband" goes to 148 (ITU-T G.107.2).
  ///
  /// Ratings of different scales may not be compared.
  public var scale: String
  /// Where formula and figures come from.
  public var source: String
}

/// The E-model for fullband speech (ITU-T G.107.2), for the encodings that somebody measured.
public enum Quality {
  /// What the estimate is made from.
  public struct Inputs: Hashable, Sendable {
    /// The encoding's name as in SDP, without rate and channels, in any case of letters.
    public var encoding: String
    /// Frames that were due.
    public var expected: Int
    /// Frames not played in time: lost + late - recovered.
    public var missing: Int
    /// The mean length of a run of losses in packets; below 1 counts as 1.
    public var meanBurst: Double
    /// The length of media in one packet.
    public var packetization: Interval
    /// The mean delay in the jitter buffer.
    public var bufferDelay: Interval
    /// The round-trip time, of which half is added to the delay; nil when unknown.
    public var roundTrip: Interval?

    /// Makes the inputs.
    public init(
      encoding: String, expected: Int, missing: Int, meanBurst: Double, packetization: Interval,
      bufferDelay: Interval, roundTrip: Interval?
    ) {
      self.encoding = encoding
      self.expected = expected
      self.missing = missing
      self.meanBurst = meanBurst
      self.packetization = packetization
      self.bufferDelay = bufferDelay
      self.roundTrip = roundTrip
    }
  }

  /// The estimate; nil for an encoding without figures, or when nothing was due.
  ///
  /// R = 148 - Id - Ie,eff, where Ie,eff = Ie + (132 - Ie) · Ppl / (Ppl / BurstR + Bpl), Ppl in percent, and
  /// BurstR = the mean burst · (1 - Ppl), at least 1. The delay is packetisation, 6.5 ms of lookahead, the buffer and
  /// half the round trip. ITU-T has no figures for Opus: Ie 10.2 and Bpl 4.3 are those that rtpengine uses.
  public static func estimate(_ inputs: Inputs) -> QualityEstimate? {
    guard inputs.encoding.lowercased() == "opus", inputs.expected > 0 else { return nil }
    let share = min(max(Double(inputs.missing) / Double(inputs.expected), 0), 1)
    let burst = max(max(inputs.meanBurst, 1) * (1 - share), 1)
    let percent = share * 100
    let equipment = opusIe + (132 - opusIe) * percent / (percent / burst + opusBpl)
    var delay = inputs.packetization.milliseconds + opusLookahead + inputs.bufferDelay.milliseconds
    delay += (inputs.roundTrip?.milliseconds ?? 0) / 2
    let rating = min(max(148 - delayImpairment(milliseconds: delay) - equipment, 0), 148)
    return QualityEstimate(
      rating: rating, meanOpinionScore: meanOpinionScore(narrowbandRating: rating / 1.48), scale: "fullband",
      source: "ITU-T G.107.2 with rtpengine's figures for Opus (Ie 10.2, Bpl 4.3; ITU-T has none)")
  }

  /// The impairment Id by delay on the fullband scale (ITU-T G.107.2): none up to 100 ms.
  static func delayImpairment(milliseconds: Double) -> Double {
    guard milliseconds > 100 else { return 0 }
    let x = binaryLogarithm(milliseconds / 100)
    func sixthRoot(_ value: Double) -> Double { cubeRoot(value.squareRoot()) }
    func power6(_ value: Double) -> Double { value * value * value * value * value * value }
    return 1.48 * 25 * (sixthRoot(1 + power6(x)) - 3 * sixthRoot(1 + power6(x / 3)) + 2)
  }

  /// The mean opinion score of a rating on the scale to 100 (ITU-T G.107 annex B), kept within 1 to 4.5.
  static func meanOpinionScore(narrowbandRating rating: Double) -> Double {
    // Below 6.5 the cubic dips under 1.
    let cubic = 1 + 0.035 * rating + 7e-6 * rating * (rating - 60) * (100 - rating)
    return rating >= 100 ? 4.5 : min(max(cubic, 1), 4.5)
  }

  /// The logarithm to base 2 of a positive finite number, right to about 1e-15.
  ///
  /// The exponent is read off; of the significand s in [1, 2), ln s = 2 artanh((s - 1) / (s + 1)) as a power series.
  static func binaryLogarithm(_ value: Double) -> Double {
    let ratio = (value.significand - 1) / (value.significand + 1)
    let square = ratio * ratio
    var term = ratio
    var sum = 0.0
    // The ratio is below 1/3, so each term is less than a ninth of the one before.
    for step in 0..<18 {
      sum += term / Double(2 * step + 1)
      term *= square
    }
    return Double(value.exponent) + 2 * sum / 0.693_147_180_559_945_3
  }

  /// The natural logarithm of a positive finite number.
  static func naturalLogarithm(_ value: Double) -> Double { binaryLogarithm(value) * 0.693_147_180_559_945_3 }

  /// The cube root of a number of at least 1, by Newton's method from a power of two above it.
  static func cubeRoot(_ value: Double) -> Double {
    var root = Double(sign: .plus, exponent: Double.Exponent(value.exponent / 3 + 1), significand: 1)
    for _ in 0..<8 { root -= (root - value / (root * root)) / 3 }
    return root
  }

  private static let opusIe = 10.2
  private static let opusBpl = 4.3
  /// Milliseconds that an Opus encoder looks ahead.
  private static let opusLookahead = 6.5
}
