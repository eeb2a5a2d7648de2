import Timeline

/// Decides which packets are lost at random: a Markov chain of two states, one step a packet.
///
/// Two random numbers belong to each packet, whatever the parameters are. Independent loss is the chain that never
/// leaves the good state, so the packets lost at 5 % are among those lost at 10 % with the same seed.
struct LossModel: Sendable {
  private let chain: GilbertElliott
  private var generator: SeededGenerator
  private var isBad: Bool?

  init(_ spec: LinkSpec, generator: SeededGenerator) {
    self.generator = generator
    if let chain = spec.gilbertElliott {
      self.chain = chain
    } else if spec.burst > 0, spec.loss < 1 {
      let r = 1 / spec.burst
      chain = GilbertElliott(p: min(1, spec.loss * r / (1 - spec.loss)), r: r)
    } else {
      chain = GilbertElliott(p: 0, r: 1, goodLoss: spec.loss)
    }
  }

  /// Whether the next packet is lost; the first one meets the chain in its long-run distribution.
  mutating func takesNext() -> Bool {
    let step = generator.nextUnit()
    let chance = generator.nextUnit()
    let wasBad = isBad
    let bad =
      switch wasBad {
      case nil: step < chain.badShare
      case .some(true): step >= chain.r
      case .some(false): step < chain.p
      }
    isBad = bad
    return chance < (bad ? chain.badLoss : chain.goodLoss)
  }
}
