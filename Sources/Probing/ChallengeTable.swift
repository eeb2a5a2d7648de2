import Timeline

/// The tokens that were sent to addresses and haven't come back.
///
/// One for each address, so that a flood of requests that claim to come from one place neither fills the table nor
/// changes the token that is on its way there.
struct ChallengeTable<Address: Hashable & Sendable>: Sendable {
  private struct Challenge: Sendable {
    var address: Address
    var token: ProbeToken
    var expiry: Instant
  }

  private var challenges: [Challenge] = []
  private var places: [Address: Int] = [:]

  var count: Int { challenges.count }

  /// The token for an address: the one that is on its way, or a new one, for which a random other makes room.
  mutating func token(
    for address: Address, at now: Instant, lifetime: Interval, limit: Int,
    using generator: inout some RandomNumberGenerator
  ) -> ProbeToken {
    if let place = places[address] {
      // One that lives long enough to come back and forth stays.
      if challenges[place].expiry - now > lifetime / 2 { return challenges[place].token }
      remove(place)
    }
    if challenges.count >= max(limit, 1) {
      remove(Int(truncatingIfNeeded: generator.next() % UInt64(challenges.count)))
    }
    let token = ProbeToken(using: &generator)
    places[address] = challenges.count
    challenges.append(Challenge(address: address, token: token, expiry: now + lifetime))
    return token
  }

  /// Whether the address gives back its token in time; each token does so once.
  mutating func take(_ token: ProbeToken, of address: Address, at now: Instant) -> Bool {
    guard let place = places[address], challenges[place].token.matches(token) else { return false }
    let isInTime = now <= challenges[place].expiry
    remove(place)
    return isInTime
  }

  private mutating func remove(_ place: Int) {
    places[challenges[place].address] = nil
    let last = challenges.removeLast()
    guard place < challenges.count else { return }
    challenges[place] = last
    places[last.address] = place
  }
}
