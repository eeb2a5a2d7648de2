import Impairment
import Packets
import Probing
import Sending
import Timeline

/// A prober and a reflector, joined by two links on a virtual clock.
struct ProbeWorld {
  /// What the prober sends.
  enum Up {
    case ramp(RampSender)
    case media(ProbeSender)
  }

  var now = Instant.zero + .seconds(100)
  var client: ReflectionClient
  var reflector: Reflector<Int>
  var up: Up?
  /// RTP packets that came back, with their arrival.
  var returned: [(bytes: [UInt8], arrival: Instant)] = []
  /// Bytes by direction, UDP payload.
  var bytesUp = 0
  var bytesDown = 0
  /// What the reflector told.
  var events: [Reflector<Int>.Event] = []
  var upLink: Link<[UInt8]>
  private var upControl: Link<[UInt8]>
  private var downLink: Link<[UInt8]>
  private var secrets = SeededGenerator(seed: 99)

  /// The prober's address.
  static let address = 7

  init(_ wish: ProbeWish, up: LinkSpec = .perfect, down: LinkSpec = .perfect, limit: Int? = nil) {
    upLink = Link(up, stream: 0)
    upControl = Link(up, stream: 1)
    downLink = Link(down, stream: 2)
    var configuration = Reflector<Int>.Configuration(ssrc: 1, cname: "far@end", wallClockOffset: 0)
    if let limit { configuration.rateLimit = limit }
    reflector = Reflector(configuration)
    client = ReflectionClient(wish, ssrc: 2, cname: "near@end", at: now, using: &secrets)
  }

  static func session(_ seed: UInt64, type: UInt8 = 112, clockRate: UInt32 = 90_000) -> SendSession.Configuration {
    SendSession.Configuration(
      ssrc: 0x1000 + UInt32(seed), payloadType: type, clockRate: clockRate,
      firstSequence: SequenceNumber(65_500), firstTimestamp: RTPTimestamp(UInt32.max - 5_000), cname: "near@end",
      bandwidth: 100_000, wallClockOffset: 0, seed: seed)
  }

  /// Goes on until `limit` of time has passed or `isOver` says so.
  mutating func run(for limit: Interval, until isOver: (ProbeWorld) -> Bool = { _ in false }) {
    let end = now + limit
    while now < end, !isOver(self) {
      turn()
      var wake = Instant.earliest(client.nextWake, reflector.nextWake)
      wake = Instant.earliest(wake, Instant.earliest(upLink.nextDelivery, upControl.nextDelivery))
      wake = Instant.earliest(wake, downLink.nextDelivery)
      switch up {
      case .ramp(let sender)?: wake = Instant.earliest(wake, sender.nextWake)
      case .media(let sender)?: wake = Instant.earliest(wake, sender.nextWake)
      case nil: break
      }
      now = max(now + .microseconds(1), min(wake ?? end, end))
    }
  }

  private mutating func turn() {
    send()
    while let delivery = upControl.receive(at: now) { arriveUp(delivery.payload, isControl: true) }
    while let delivery = upLink.receive(at: now) { arriveUp(delivery.payload, isControl: false) }
    reflect()
    while let delivery = downLink.receive(at: now) {
      let bytes = delivery.payload
      guard DatagramKind.classify(bytes.span.bytes) == .rtcp else {
        returned.append((bytes, now))
        continue
      }
      _ = client.handle(bytes.span.bytes, at: now)
      if let feedback = client.feedback, case .ramp(var sender)? = up {
        sender.handle(feedback, at: now)
        up = .ramp(sender)
      }
    }
  }

  private mutating func send() {
    var scratch = [UInt8](repeating: 0, count: 2_000)
    while true {
      var span = scratch.mutableSpan
      guard let size = client.poll(into: &span, at: now) else { break }
      offer(Array(scratch[..<size]), isControl: true)
    }
    while let sending = up {
      let output: ProbeSender.Output?
      var next = scratch.mutableSpan
      switch sending {
      case .ramp(var sender):
        output = sender.poll(into: &next, at: now)
        up = .ramp(sender)
      case .media(var sender):
        output = sender.poll(into: &next, at: now)
        up = .media(sender)
      }
      switch output {
      case .media(let size)?: offer(Array(scratch[..<size]), isControl: false)
      // The RTCP of the way up goes to another port.
      case .control?: break
      case nil: return
      }
    }
  }

  private mutating func offer(_ bytes: [UInt8], isControl: Bool) {
    if isControl {
      upControl.send(bytes, bytes: bytes.count + 28, at: now)
    } else {
      upLink.send(bytes, bytes: bytes.count + 28, at: now)
    }
  }

  private mutating func arriveUp(_ bytes: [UInt8], isControl: Bool) {
    bytesUp += bytes.count
    guard isControl else { return reflector.noteMedia(bytes.span.bytes, from: Self.address, at: now) }
    var reply = [UInt8](repeating: 0, count: 2_000)
    var span = reply.mutableSpan
    let outcome = reflector.handleControl(
      bytes.span.bytes, from: Self.address, at: now, into: &span, using: &secrets)
    if case .reply(let size) = outcome {
      bytesDown += size
      downLink.send(Array(reply[..<size]), bytes: size + 28, at: now)
    }
  }

  private mutating func reflect() {
    var scratch = [UInt8](repeating: 0, count: 2_000)
    while true {
      var span = scratch.mutableSpan
      guard let (size, address) = reflector.poll(into: &span, at: now) else { break }
      guard address == Self.address else { continue }
      bytesDown += size
      downLink.send(Array(scratch[..<size]), bytes: size + 28, at: now)
    }
    while let event = reflector.pollEvent() { events.append(event) }
  }
}
