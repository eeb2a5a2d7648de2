public import Timeline

/// An estimate of how good speech sounds after the network had its way with it.
public struct QualityEstimate: Hashable, Sendable {
  /// The transmission rating R, on the scale named.
  public var rating: Double
  /// The mean opinion score, 1 to 4.5.
  public var meanOpinionScore: Double
  /// The scale of R.
  public var scale: QualityScale
  /// Where formula and figures come from.
  public var source: String
}

/// The band of speech that a rating is about; ratings and scores of different scales may not be compared.
public enum QualityScale: String, Sendable {
  /// 300 to 3400 Hz (ITU-T G.107).
  case narrowband
  /// 50 to 7000 Hz (ITU-T G.107.1).
  case wideband
  /// 20 to 20,000 Hz (ITU-T G.107.2).
  case fullband

  /// The rating of a call without any impairment.
  public var best: Double {
    switch self {
    case .narrowband: 93.2
    case .wideband: 129
    case .fullband: 148
    }
  }

  /// The most that losses can take off, in the formula of Ie,eff.
  var impairmentLimit: Double { self == .fullband ? 132 : 95 }

  /// By what a rating is divided to get that of the scale to 100 which scores are made from.
  public var divisor: Double {
    switch self {
    case .narrowband: 1
    case .wideband: 1.29
    case .fullband: 1.48
    }
  }
}

/// Why no quality is estimated: there are no published figures that would fit.
public enum QualityWithheld: Error, Hashable, Sendable, CustomStringConvertible {
  /// Nothing was due.
  case nothingDue
  /// Nobody published figures for this encoding.
  case unknownEncoding(String)
  /// There are figures for the encoding itself, none for what losses do to it.
  case unknownUnderLoss(String)

  /// The reason as a sentence's end.
  public var description: String {
    switch self {
    case .nothingDue: "nothing was due"
    case .unknownEncoding(let name): name.isEmpty ? "unknown encoding" : "no published figures for \(name)"
    case .unknownUnderLoss(let name): "no published figures for \(name) under loss"
    }
  }
}

/// The E-model (ITU-T G.107, G.107.1 and G.107.2), for the encodings that somebody measured.
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
    /// How long packets waited in the jitter buffer on average.
    public var bufferDelay: Interval
    /// The round-trip time, of which half is added to the delay where `transit` isn't known; nil when unknown.
    public var roundTrip: Interval?
    /// How long packets were under way; nil when the clocks don't tell.
    public var transit: Interval?

    /// Makes the inputs.
    public init(
      encoding: String, expected: Int, missing: Int, meanBurst: Double, packetization: Interval,
      bufferDelay: Interval, roundTrip: Interval?, transit: Interval? = nil
    ) {
      self.encoding = encoding
      self.expected = expected
      self.missing = missing
      self.meanBurst = meanBurst
      self.packetization = packetization
      self.bufferDelay = bufferDelay
      self.roundTrip = roundTrip
      self.transit = transit
    }
  }

  /// What is published of an encoding.
  private struct Equipment {
    var scale: QualityScale
    /// The impairment by the encoding itself, Ie.
    var impairment: Double
    /// How well it stands losses, Bpl; nil when nobody published it.
    var robustness: Double?
    /// The encoder's lookahead in milliseconds.
    var lookahead: Double
    var source: String
  }

  private static func equipment(for encoding: String) -> Equipment? {
    switch encoding.uppercased() {
    case "OPUS":
      Equipment(
        scale: .fullband, impairment: 10.2, robustness: 4.3, lookahead: 6.5,
        source: "ITU-T G.107.2 with rtpengine's figures for Opus (Ie 10.2, Bpl 4.3; ITU-T has none)")
    case "PCMU", "PCMA":
      Equipment(
        scale: .narrowband, impairment: 0, robustness: 25.1, lookahead: 0,
        source: "ITU-T G.107 with G.113's figures for G.711 with packet loss concealment (Ie 0, Bpl 25.1)")
    case "G729":
      Equipment(
        scale: .narrowband, impairment: 11, robustness: 19, lookahead: 5,
        source: "ITU-T G.107 with G.113's figures for G.729A (Ie 11, Bpl 19)")
    case "G722":
      Equipment(
        scale: .wideband, impairment: 13, robustness: nil, lookahead: 0,
        source: "ITU-T G.107.1 with G.113's figure for G.722 at 64 kbit/s (Ie 13)")
    default: nil
    }
  }

  /// The estimate, or why there is none.
  ///
  /// R = Ro - Id - Ie,eff with the Ro of the scale, where Ie,eff = Ie + (X - Ie) · Ppl / (Ppl / BurstR + Bpl), X being 95
  /// or, fullband, 132, Ppl in percent, and BurstR = the mean burst · (1 - Ppl), at least 1. The delay is packetisation,
  /// lookahead, the time under way (or half the round trip) and the wait in the buffer.
  public static func estimate(_ inputs: Inputs) -> Result<QualityEstimate, QualityWithheld> {
    guard inputs.expected > 0 else { return .failure(.nothingDue) }
    guard let equipment = equipment(for: inputs.encoding) else { return .failure(.unknownEncoding(inputs.encoding)) }
    let share = min(max(Double(inputs.missing) / Double(inputs.expected), 0), 1)
    var impairment = equipment.impairment
    if share > 0 {
      guard let robustness = equipment.robustness else { return .failure(.unknownUnderLoss(inputs.encoding)) }
      let burst = max(max(inputs.meanBurst, 1) * (1 - share), 1)
      let percent = share * 100
      impairment += (equipment.scale.impairmentLimit - impairment) * percent / (percent / burst + robustness)
    }
    var delay = inputs.packetization.milliseconds + equipment.lookahead + inputs.bufferDelay.milliseconds
    delay += inputs.transit?.milliseconds ?? (inputs.roundTrip?.milliseconds ?? 0) / 2
    let scale = equipment.scale
    let rating = min(max(scale.best - delayImpairment(milliseconds: delay, on: scale) - impairment, 0), scale.best)
    return .success(
      QualityEstimate(
        rating: rating, meanOpinionScore: meanOpinionScore(narrowbandRating: rating / scale.divisor), scale: scale,
        source: equipment.source))
  }

  /// The impairment Id by delay without echo: none up to 100 ms (Idd of ITU-T G.107 and G.107.1; times 1.48, G.107.2).
  static func delayImpairment(milliseconds: Double, on scale: QualityScale) -> Double {
    guard milliseconds > 100 else { return 0 }
    let x = binaryLogarithm(milliseconds / 100)
    func sixthRoot(_ value: Double) -> Double { cubeRoot(value.squareRoot()) }
    func power6(_ value: Double) -> Double { value * value * value * value * value * value }
    let impairment = 25 * (sixthRoot(1 + power6(x)) - 3 * sixthRoot(1 + power6(x / 3)) + 2)
    return scale == .fullband ? 1.48 * impairment : impairment
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
}
