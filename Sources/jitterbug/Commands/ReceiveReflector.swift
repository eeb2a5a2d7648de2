import Packets
import Probing
import Sockets
import Timeline

/// `receive --reflect`: what a prober asks for, it gets, once it has proved where it is.
struct ReceiveReflector {
  /// RTCP datagrams that were for it alone.
  private(set) var messageCount = 0
  private var reflector: Reflector<SocketAddress>
  private var generator = SystemRandomNumberGenerator()
  private var scratch = [UInt8](repeating: 0, count: 2048)

  init(ssrc: UInt32, clock: ClockOffset, rateLimit: Int?) {
    var configuration = Reflector<SocketAddress>.Configuration(
      ssrc: ssrc, cname: HostName.cname(), wallClockOffset: clock.realtimeMinusMonotonic.nanoseconds)
    if let rateLimit { configuration.rateLimit = rateLimit }
    reflector = Reflector(configuration)
  }

  /// When something is due.
  var nextWake: Instant? { reflector.nextWake }

  /// Takes in RTCP from the media port; true when it was for the reflector alone.
  mutating func take(
    _ datagram: RawSpan, from sender: SocketAddress, at arrival: Instant, reply send: (RawSpan) -> Void
  ) -> Bool {
    var reply = scratch
    var span = reply.mutableSpan
    let outcome = reflector.handleControl(datagram, from: sender, at: arrival, into: &span, using: &generator)
    switch outcome {
    case .ignored, .shared: return false
    case .taken: break
    case .reply(let size): send(reply.span.bytes.extracting(first: size))
    }
    messageCount += 1
    return true
  }

  /// Whether there are clients whose media is to be noted.
  var isServing: Bool { reflector.isServing }

  mutating func noteMedia(_ datagram: RawSpan, from sender: SocketAddress, at arrival: Instant) {
    reflector.noteMedia(datagram, from: sender, at: arrival)
  }

  /// Hands on what is due; `send` says whether the address can be reached.
  mutating func poll(at now: Instant, _ send: (RawSpan, SocketAddress) -> Bool) {
    for _ in 0..<256 {
      var bytes = scratch
      var span = bytes.mutableSpan
      guard let (size, address) = reflector.poll(into: &span, at: now) else { return }
      if !send(bytes.span.bytes.extracting(first: size), address) { reflector.fail(address) }
    }
  }

  mutating func stop(at now: Instant) { reflector.stop(at: now) }

  /// The next thing to tell people.
  mutating func pollSentence() -> String? {
    switch reflector.pollEvent() {
    case .began(let address, let wish)?:
      guard let profile = wish.profile else { return "reporting to \(address), which measures its path to here" }
      let rate = Int((profile.totalBitrate / 1_000).rounded())
      return "reflecting to \(address): \(profile.name), \(profile.streams) stream\(profile.streams == 1 ? "" : "s"), "
        + "\(rate) kbit/s for at most \(Int(wish.duration.seconds.rounded())) s"
    case .ended(let address, let reason)?: return "no longer reflecting to \(address): \(reason.sentence)"
    case .refused(let address, .busy)?: return "\(address) asked for reflection, but there are enough clients"
    case .refused(let address, _)?: return "\(address) asked for a higher rate than --reflect-limit allows"
    case nil: return nil
    }
  }
}

extension ReflectionEnd {
  fileprivate var sentence: String {
    switch self {
    case .goodbye: "it said goodbye"
    case .done: "the time is over"
    case .notRenewed: "it no longer asks"
    case .silent: "nothing comes from there any more"
    case .unreachable: "it can't be reached"
    case .replaced: "it asks anew"
    }
  }
}
