public import Timeline

/// Who takes part in an RTCP session beside us: members and the senders among them (RFC 3550 section 6.2.1).
///
/// Up to 4,096 participants are kept one by one. When there are more, only those are kept whose identifier falls into a
/// random half, quarter and so on of all identifiers, and the counts are multiplied accordingly (RFC 2762 section 3): the
/// memory stays, and the counts stay right to a few percent. A table that was thinned so stays thinned.
public struct MemberTable: Sendable {
  /// Participants kept one by one.
  public static let limit = 4096

  private struct Member: Sendable {
    var lastHeard: Instant
    /// When RTP or a sender report came from it last; nil when it isn't a sender.
    var lastSent: Instant?
  }

  /// The number of members, ourselves not included; an estimate when there are more than ``limit``.
  public var count: Int { members.count << sampling }
  /// The number of senders among them; an estimate when there are more than ``limit`` members.
  public var senderCount: Int { kept << sampling }

  private var members: [UInt32: Member] = [:]
  /// Senders among those kept.
  private var kept = 0
  /// Identifiers are kept whose key has so many zeros at its end.
  private var sampling = 0
  private let seed: UInt64

  /// Starts with nobody; the seed keeps others from choosing identifiers that are all kept.
  public init(seed: UInt64) { self.seed = seed }

  /// A participant was heard; `isSender` when it has sent RTP.
  public mutating func heard(_ ssrc: UInt32, isSender: Bool, at now: Instant) {
    guard isSampled(ssrc) else { return }
    if var member = members[ssrc] {
      member.lastHeard = max(member.lastHeard, now)
      if isSender {
        if member.lastSent == nil { kept += 1 }
        member.lastSent = now
      }
      members.updateValue(member, forKey: ssrc)
      return
    }
    members.updateValue(Member(lastHeard: now, lastSent: isSender ? now : nil), forKey: ssrc)
    if isSender { kept += 1 }
    if members.count > Self.limit { thin() }
  }

  /// A participant said goodbye.
  public mutating func remove(_ ssrc: UInt32) {
    guard let member = members.removeValue(forKey: ssrc) else { return }
    if member.lastSent != nil { kept -= 1 }
  }

  /// Forgets members not heard since one instant, and that senders are senders who haven't sent since another (6.3.5).
  public mutating func expire(membersBefore: Instant, sendersBefore: Instant) {
    var senders = 0
    for (ssrc, var member) in members {
      if member.lastHeard < membersBefore {
        members.removeValue(forKey: ssrc)
      } else if let lastSent = member.lastSent {
        if lastSent >= sendersBefore {
          senders += 1
        } else {
          member.lastSent = nil
          members.updateValue(member, forKey: ssrc)
        }
      }
    }
    kept = senders
  }

  /// Halves the identifiers that are kept.
  private mutating func thin() {
    sampling = min(sampling + 1, 20)
    for ssrc in Array(members.keys) where !isSampled(ssrc) { members.removeValue(forKey: ssrc) }
    kept = members.values.count { $0.lastSent != nil }
  }

  private func isSampled(_ ssrc: UInt32) -> Bool {
    guard sampling > 0 else { return true }
    var generator = SeededGenerator(seed: seed ^ UInt64(ssrc))
    return generator.next().trailingZeroBitCount >= sampling
  }
}
