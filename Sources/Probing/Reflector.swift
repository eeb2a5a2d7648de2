import Packets
import Sending
public import Timeline

/// The far side of a probe: answers only addresses that have proved that they asked, and sends them media back.
///
/// A request gets a challenge with a token of 128 random bits, sent to the address that the request claims to come
/// from. Only whoever reads datagrams there can give it back; until it has, that address gets no more bytes than came
/// from it. After that it gets media, as long as it keeps asking and keeps sending, and no more than two bytes for each
/// byte that it sends.
///
/// - Inputs: `handleControl`, `noteMedia`, `fail`, `stop`.
/// - Outputs: `poll` and `pollEvent`, after each input and at `nextWake`, until they return nil.
public struct Reflector<Address: Hashable & Sendable>: Sendable {
  /// What a reflector is set up with.
  public struct Configuration: Sendable {
    /// The highest rate that is sent to one client, in bits a second, with all headers.
    public var rateLimit = 8_000_000
    /// Clients at once.
    public var clientLimit = 4
    /// Challenges remembered; a random one makes room.
    public var challengeLimit = 1_024
    /// How long a token may be given back.
    public var tokenLifetime = Interval.seconds(10)
    /// A client that hasn't given its token back for this long gets nothing more.
    public var renewalLimit = Interval.seconds(10)
    /// A client from which nothing came for this long gets nothing more.
    public var silenceLimit = Interval.seconds(5)
    /// The longest that one client gets media, in all.
    public var durationLimit = Interval.seconds(3_600)
    /// Our source in messages.
    public var ssrc: UInt32
    /// Our canonical name, at most 200 bytes.
    public var cname: String
    /// What has to be added to an `Instant` to get nanoseconds since the Unix epoch.
    public var wallClockOffset: Int64

    /// A reflector with the usual limits.
    public init(ssrc: UInt32, cname: String, wallClockOffset: Int64) {
      self.ssrc = ssrc
      self.cname = cname
      self.wallClockOffset = wallClockOffset
    }
  }

  /// What became of a datagram.
  public enum Outcome: Equatable, Sendable {
    /// It isn't for a reflector.
    case ignored
    /// A client's report about what is sent to it, which may hold something for a receiver, too.
    case shared
    /// It was taken in, and there is nothing to say.
    case taken
    /// It was taken in, and this many bytes go back where it came from: never more than it had.
    case reply(bytes: Int)
  }

  /// Something that people may want to know.
  public enum Event: Equatable, Sendable {
    /// A client has proved its address.
    case began(Address, ProbeWish)
    /// A client gets nothing more.
    case ended(Address, ReflectionEnd)
    /// A client that has proved its address was turned away.
    case refused(Address, ProbeAnswer)
  }

  let configuration: Configuration
  var challenges = ChallengeTable<Address>()
  var clients: [ReflectorClient<Address>] = []
  private var events: [Event] = []

  /// Events that wait to be asked for, at most.
  static var eventLimit: Int { 64 }

  /// Begins without clients.
  public init(_ configuration: Configuration) { self.configuration = configuration }

  // MARK: Inputs

  /// Takes in a datagram of RTCP from the port on which media arrives; what is to be said at once is written into
  /// `reply`.
  ///
  /// The generator has to be one for secrets: tokens come from it.
  public mutating func handleControl(
    _ datagram: RawSpan, from address: Address, at now: Instant, into reply: inout MutableSpan<UInt8>,
    using generator: inout some RandomNumberGenerator
  ) -> Outcome {
    expire(at: now)
    let place = clients.firstIndex { $0.address == address }
    guard let message = ProbeMessage(parsing: datagram) else {
      guard let place else { return .ignored }
      // Reports about the media that we send, and the goodbye.
      clients[place].noteReceived(bytes: datagram.byteCount, at: now)
      clients[place].sender?.handleRTCP(datagram, at: now)
      if Self.saysGoodbye(datagram) { end(place, because: .goodbye) }
      return .shared
    }
    switch message {
    case .request(let nonce):
      let token = challenges.token(
        for: address, at: now, lifetime: configuration.tokenLifetime, limit: configuration.challengeLimit,
        using: &generator)
      return write(.challenge(nonce: nonce, token: token), for: datagram, into: &reply)
    case .proof(let token, let wish):
      if let place, clients[place].token.matches(token) {
        clients[place].noteReceived(bytes: datagram.byteCount, at: now)
        clients[place].renewedAt = now
        return write(.answer(.accepted), for: datagram, into: &reply)
      }
      guard challenges.take(token, of: address, at: now) else {
        return write(.answer(.unknownToken), for: datagram, into: &reply)
      }
      if let place { end(place, because: .replaced) }
      let answer = admit(wish, token: token, from: address, at: now, using: &generator)
      return write(.answer(answer), for: datagram, into: &reply)
    case .challenge, .answer, .feedback: return .taken
    }
  }

  /// Notes an RTP datagram of any sender, after it was received as such.
  public mutating func noteMedia(_ datagram: RawSpan, from address: Address, at arrival: Instant) {
    guard let place = clients.firstIndex(where: { $0.address == address }) else { return }
    clients[place].noteReceived(bytes: datagram.byteCount, at: arrival)
    guard let packet = try? RTPPacket(parsing: datagram) else { return }
    clients[place].record(packet.header, bytes: datagram.byteCount, arrival: arrival)
  }

  /// Nobody listens at an address any more, or it can't be reached.
  public mutating func fail(_ address: Address) {
    if let place = clients.firstIndex(where: { $0.address == address }) { end(place, because: .unreachable) }
  }

  /// Ends it for all clients, with goodbyes from `poll`.
  public mutating func stop(at now: Instant) {
    for place in clients.indices { clients[place].sender?.stop(at: now) }
  }

  // MARK: Outputs

  /// Writes the next datagram for a client that has proved its address; nil when none is due.
  public mutating func poll(
    into bytes: inout MutableSpan<UInt8>, at now: Instant
  ) -> (size: Int, address: Address)? {
    expire(at: now)
    for place in clients.indices {
      if let size = clients[place].poll(into: &bytes, at: now, as: configuration) {
        return (size, clients[place].address)
      }
    }
    return nil
  }

  /// The next thing that happened, in order.
  public mutating func pollEvent() -> Event? { events.isEmpty ? nil : events.removeFirst() }

  // MARK: Queries

  /// When to call `poll` again if nothing arrives before.
  public var nextWake: Instant? {
    clients.reduce(nil) { Instant.earliest($0, $1.nextWake(as: configuration)) }
  }

  /// The addresses that have proved themselves and are served now.
  public var servedAddresses: [Address] { clients.map(\.address) }

  /// Whether there are any.
  public var isServing: Bool { !clients.isEmpty }

  /// Challenges that are remembered now.
  public var challengeCount: Int { challenges.count }

  // MARK: Private

  private mutating func admit(
    _ wish: ProbeWish, token: ProbeToken, from address: Address, at now: Instant,
    using generator: inout some RandomNumberGenerator
  ) -> ProbeAnswer {
    var answer = ProbeAnswer.accepted
    if clients.count >= configuration.clientLimit { answer = .busy }
    if let profile = wish.profile, profile.totalBitrate > Double(configuration.rateLimit) {
      answer = .tooFast(limit: UInt32(clamping: configuration.rateLimit))
    }
    guard answer == .accepted else {
      note(.refused(address, answer))
      return answer
    }
    clients.append(
      ReflectorClient(address, token: token, wish: wish, as: configuration, at: now, using: &generator))
    note(.began(address, wish))
    return answer
  }

  /// Writes a reply, if it is no bigger than what it replies to.
  private func write(
    _ message: ProbeMessage, for datagram: RawSpan, into reply: inout MutableSpan<UInt8>
  ) -> Outcome {
    guard let size = message.write(ssrc: configuration.ssrc, cname: configuration.cname, into: &reply),
      size <= datagram.byteCount
    else { return .taken }
    return .reply(bytes: size)
  }

  private mutating func expire(at now: Instant) {
    var place = 0
    while place < clients.count {
      if let reason = clients[place].reasonToEnd(at: now, as: configuration) {
        end(place, because: reason)
      } else {
        place += 1
      }
    }
  }

  private mutating func end(_ place: Int, because reason: ReflectionEnd) {
    let client = clients.remove(at: place)
    note(.ended(client.address, reason))
  }

  private mutating func note(_ event: Event) {
    if events.count == Self.eventLimit { events.removeFirst() }
    events.append(event)
  }

  /// A client's goodbye stands behind a receiver report; that of the stream that it sends, behind a sender report.
  private static func saysGoodbye(_ datagram: RawSpan) -> Bool {
    guard var cursor = try? CompoundCursor(validating: datagram),
      cursor.next(in: datagram)?.type == RTCPHeader.PacketType.receiverReport
    else { return false }
    while let part = cursor.next(in: datagram) {
      if part.type == RTCPHeader.PacketType.goodbye { return true }
    }
    return false
  }
}

/// Why a client of a reflector gets nothing more.
public enum ReflectionEnd: Equatable, Sendable {
  /// The client said goodbye.
  case goodbye
  /// Everything that it asked for has been sent.
  case done
  /// The client didn't give its token back in time.
  case notRenewed
  /// Nothing came from the client.
  case silent
  /// Nobody listens at its address.
  case unreachable
  /// The client asked anew, with another token.
  case replaced
}
