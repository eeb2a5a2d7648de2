import Timeline

extension LinkSpec {
  /// A parameter's name in the text of a link spec.
  public enum Key: String, CaseIterable, Sendable {
    /// Random loss.
    case loss
    /// Mean length of a run of losses.
    case burst
    /// Gilbert-Elliott loss.
    case gilbertElliott = "ge"
    /// Times at which the link is down.
    case outage
    /// Mean one-way delay.
    case delay
    /// Standard deviation of the delay.
    case jitter
    /// Distribution of the delay.
    case jitterShape = "jitter-shape"
    /// Whether jitter keeps the order of packets.
    case jitterOrder = "jitter-order"
    /// Packets held back.
    case reorder
    /// How many packets overtake one held back.
    case reorderBy = "reorder-by"
    /// The longest time a packet is held back.
    case reorderWait = "reorder-wait"
    /// Packets that arrive twice.
    case duplicate
    /// The distance between two copies.
    case duplicateDelay = "duplicate-delay"
    /// Packets with a bit flipped.
    case corrupt
    /// Rate of the line.
    case rate
    /// What may wait for the line.
    case queue
    /// The start of all random numbers.
    case seed

    /// What the parameter means, in a few words, for help texts.
    public var summary: String {
      switch self {
      case .loss: "share of packets lost at random"
      case .burst: "mean length of a run of losses; 0: losses are independent"
      case .gilbertElliott: "Gilbert-Elliott loss p:r[:good-loss:bad-loss], in place of loss and burst"
      case .outage: "link up and down by turns, for these mean times"
      case .delay: "mean one-way delay"
      case .jitter: "standard deviation of the delay"
      case .jitterShape: "distribution of the delay; heavy: log-normal, a few packets come very late"
      case .jitterOrder: "keep: jitter never changes the order of packets; break: it may"
      case .reorder: "share of packets held back until others have overtaken them"
      case .reorderBy: "how many packets overtake one that is held back"
      case .reorderWait: "longest time that a packet is held back"
      case .duplicate: "share of packets that arrive twice"
      case .duplicateDelay: "how long after the first copy the second one arrives"
      case .corrupt: "share of packets in which one bit is flipped"
      case .rate: "rate of the line, in bits per second"
      case .queue: "what may wait for the line before packets are dropped, in time or bytes"
      case .seed: "the same seed gives every packet the same fate again"
      }
    }

    /// The values that are accepted, with an example, for help texts and errors.
    public var values: String {
      switch self {
      case .loss, .reorder, .duplicate, .corrupt: "a share from 0% to 100%, such as 5% or 0.05"
      case .burst: "a number of packets from 1 to 10000, such as 3, or 0"
      case .gilbertElliott: "two or four shares from 0% to 100%, such as 1%:20% or 1%:20%:0%:100%"
      case .outage: "two times from 1ms to 3600s, such as 10s:400ms"
      case .delay, .jitter, .duplicateDelay, .reorderWait: "a time from 0ms to 60s, such as 40ms, 1.5s or 200us"
      case .jitterShape: "normal or heavy"
      case .jitterOrder: "keep or break"
      case .reorderBy: "a whole number of packets from 1 to 1000, such as 3"
      case .rate: "a rate from 1kbit to 100gbit, such as 2mbit or 500kbit"
      case .queue: "a time from 0ms to 60s, such as 200ms, or a size from 0B to 1000MB, such as 64kB"
      case .seed: "a whole number from 0 to 18446744073709551615, such as 7"
      }
    }

    /// The parameter without which this one has no effect.
    var parent: Key? {
      switch self {
      case .burst: .loss
      case .jitterShape, .jitterOrder: .jitter
      case .reorderBy, .reorderWait: .reorder
      case .duplicateDelay: .duplicate
      case .queue: .rate
      default: nil
      }
    }
  }

  /// Sets one parameter from its text; `none` is its default.
  mutating func set(_ key: Key, to value: Substring) throws(LinkSpecError) {
    if value == "none" {
      reset(key)
      return
    }
    let text = LinkQuantity(key: key, text: value)
    switch key {
    case .loss: loss = try text.share()
    case .burst: burst = try text.meanBurst()
    case .gilbertElliott: gilbertElliott = try text.gilbertElliott()
    case .outage: outage = try text.outage()
    case .delay: delay = try text.time(in: LinkQuantity.times)
    case .jitter: jitter = try text.time(in: LinkQuantity.times)
    case .jitterShape: jitterShape = try text.choice()
    case .jitterOrder: jitterOrder = try text.choice()
    case .reorder: reorder = try text.share()
    case .reorderBy: reorderBy = Int(try text.whole(in: 1...1000))
    case .reorderWait: reorderWait = try text.time(in: LinkQuantity.times)
    case .duplicate: duplicate = try text.share()
    case .duplicateDelay: duplicateDelay = try text.time(in: LinkQuantity.times)
    case .corrupt: corrupt = try text.share()
    case .rate: rate = try text.rate()
    case .queue: queue = try text.queue()
    case .seed: seed = try text.whole(in: 0...UInt64.max)
    }
  }

  /// Gives one parameter its default.
  mutating func reset(_ key: Key) {
    let fresh = LinkSpec.perfect
    switch key {
    case .loss: loss = fresh.loss
    case .burst: burst = fresh.burst
    case .gilbertElliott: gilbertElliott = fresh.gilbertElliott
    case .outage: outage = fresh.outage
    case .delay: delay = fresh.delay
    case .jitter: jitter = fresh.jitter
    case .jitterShape: jitterShape = fresh.jitterShape
    case .jitterOrder: jitterOrder = fresh.jitterOrder
    case .reorder: reorder = fresh.reorder
    case .reorderBy: reorderBy = fresh.reorderBy
    case .reorderWait: reorderWait = fresh.reorderWait
    case .duplicate: duplicate = fresh.duplicate
    case .duplicateDelay: duplicateDelay = fresh.duplicateDelay
    case .corrupt: corrupt = fresh.corrupt
    case .rate: rate = fresh.rate
    case .queue: queue = fresh.queue
    case .seed: seed = fresh.seed
    }
  }

  /// The parameter's value as `set(_:to:)` reads it.
  func text(of key: Key) -> String {
    switch key {
    case .loss: LinkQuantity.text(share: loss)
    case .burst: LinkQuantity.text(number: burst)
    case .gilbertElliott: gilbertElliott.map(LinkQuantity.text(gilbertElliott:)) ?? "none"
    case .outage: outage.map { LinkQuantity.text(time: $0.up) + ":" + LinkQuantity.text(time: $0.down) } ?? "none"
    case .delay: LinkQuantity.text(time: delay)
    case .jitter: LinkQuantity.text(time: jitter)
    case .jitterShape: jitterShape.rawValue
    case .jitterOrder: jitterOrder.rawValue
    case .reorder: LinkQuantity.text(share: reorder)
    case .reorderBy: String(reorderBy)
    case .reorderWait: LinkQuantity.text(time: reorderWait)
    case .duplicate: LinkQuantity.text(share: duplicate)
    case .duplicateDelay: LinkQuantity.text(time: duplicateDelay)
    case .corrupt: LinkQuantity.text(share: corrupt)
    case .rate: rate.map(LinkQuantity.text(rate:)) ?? "none"
    case .queue: LinkQuantity.text(queue: queue)
    case .seed: String(seed)
    }
  }
}
