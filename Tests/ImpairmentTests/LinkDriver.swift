import Impairment
import Timeline

/// The text of a random spec that is accepted, from very mild to very bad.
func randomSpecText(_ generator: inout SeededGenerator) -> String {
  func unit() -> Double { generator.nextUnit() }
  func below(_ count: Int) -> Int { Int(generator.next() % UInt64(count)) }
  var parts: [String] = []
  switch below(5) {
  case 0: parts.append("loss=\(below(101))%")
  case 1: parts.append("loss=\(unit())")
  case 2: parts += ["loss=\(unit() * 50)%", "burst=\(1 + unit() * 8)"]
  case 3: parts.append("ge=\(unit()):\(below(101))%:\(unit()):\(unit() * 100)%")
  default: break
  }
  if below(4) == 0 { parts.append("outage=\(1 + below(500))ms:\(1 + unit() * 99)ms") }
  if below(3) > 0 { parts.append("delay=\(unit() * 90)ms") }
  if below(3) > 0 {
    parts.append("jitter=\(below(30_000))us")
    if below(2) == 0 { parts.append("jitter-shape=heavy") }
    if below(2) == 0 { parts.append("jitter-order=break") }
  }
  if below(2) == 0 {
    parts.append("reorder=\(unit() * unit() * 100)%")
    if below(2) == 0 { parts.append("reorder-by=\(1 + below(9))") }
    if below(2) == 0 { parts.append("reorder-wait=\(below(200))ms") }
  }
  if below(2) == 0 {
    parts.append("duplicate=\(unit())")
    if below(2) == 0 { parts.append("duplicate-delay=\(below(30))ms") }
  }
  if below(3) == 0 { parts.append("corrupt=\(unit())") }
  if below(2) == 0 {
    parts.append("rate=\(100 + below(3000))kbit")
    switch below(3) {
    case 0: parts.append("queue=\(below(300))ms")
    case 1: parts.append("queue=\(below(20_000))B")
    default: break
    }
  }
  parts.append("seed=\(generator.next())")
  return parts.joined(separator: ",")
}

/// Everything that came of sending packets through one link.
struct Crossing {
  var fates: [LinkFate] = []
  var deliveries: [Delivery<Int>] = []
  var link: Link<Int>

  init(_ text: String, stream: UInt64 = 0) throws {
    self.init(try LinkSpec(parsing: text), stream: stream)
  }

  init(_ spec: LinkSpec, stream: UInt64 = 0) { link = Link(spec, stream: stream) }

  /// Sends `count` packets of `bytes`, one every `interval`, and collects what arrives at the moment it does.
  mutating func run(count: Int, bytes: Int = 172, every interval: Interval = .milliseconds(20)) {
    for packet in 0..<count {
      let now = Instant.zero + interval * Int64(packet)
      drain(until: now)
      fates.append(link.send(packet, bytes: bytes, at: now))
    }
    drain(until: .distantFuture)
  }

  /// Sleeps from delivery to delivery until `now`.
  mutating func drain(until now: Instant) {
    while let next = link.nextDelivery, next <= now {
      while let delivery = link.receive(at: next) { deliveries.append(delivery) }
    }
  }

  var lostIndices: [UInt64] { fates.filter { $0.cause == .lost }.map(\.index) }
  var firstCopies: [Delivery<Int>] { deliveries.filter { $0.copy == 0 } }
  /// The one-way delays of first copies in milliseconds, in the order of arrival.
  var delays: [Double] { firstCopies.map { ($0.deliveredAt - $0.sentAt).milliseconds } }

  /// RFC 4737 by its definition: a first copy is reordered when one sent later has arrived before it.
  var reorderedIndices: [UInt64] {
    var highest: UInt64 = 0
    return firstCopies.map(\.sentIndex).filter { index in
      defer { highest = max(highest, index) }
      return index < highest
    }
  }
}

/// Mean, standard deviation and quantiles of a sample.
struct Sample {
  let sorted: [Double]
  init(_ values: [Double]) { sorted = values.sorted() }
  var mean: Double { sorted.reduce(0, +) / Double(sorted.count) }
  var deviation: Double {
    let mean = mean
    return (sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(sorted.count)).squareRoot()
  }
  func quantile(_ share: Double) -> Double { sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))] }
}
