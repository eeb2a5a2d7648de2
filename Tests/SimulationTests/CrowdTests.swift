import Packets
import Receiving
import Sending
import TestSupport
import Testing
import Timeline

/// RTCP stays within its share of the bandwidth, however many take part (RFC 3550 sections 6.2 and 6.3).
struct CrowdTests {
  @Test(.optimisedOnly) func `a thousand receivers that join and leave at once keep to the bandwidth`() {
    // 64 kbit/s: RTCP may use 400 bytes a second, of which receivers have 300 and senders 100.
    var crowd = Crowd(count: 1000, bandwidth: 64_000)
    crowd.run(until: Crowd.start + .seconds(300))
    let joined = crowd.sent.count
    let reporters = crowd.reports.count { $0 > 0 }
    #expect(reporters > 300)
    #expect(crowd.sender.memberCount > 300 && crowd.sender.memberCount <= 1001)
    expectShares(of: crowd, from: 0, to: 300)

    crowd.leaveAll()
    crowd.run(until: Crowd.start + .seconds(1500))
    expectShares(of: crowd, from: 300, to: 1500)
    // Whoever has never said a word leaves without one (section 6.3.7).
    #expect(crowd.sent.dropFirst(joined).count { $0.isGoodbye } == reporters)
    #expect(crowd.receivers.allSatisfy { $0.nextReport == nil })
    #expect(crowd.sender.memberCount == 1)
  }

  /// Each minute by itself.
  private func expectShares(of crowd: Crowd, from first: Int64, to last: Int64) {
    for start in stride(from: first, to: last, by: 60) {
      let begin = Crowd.start + .seconds(start)
      let minute = crowd.sent.filter { $0.at >= begin && $0.at < begin + .seconds(60) }
      let receivers = minute.reduce(0) { $0 + ($1.isFromSender ? 0 : $1.bytes) } / 60
      let sender = minute.reduce(0) { $0 + ($1.isFromSender ? $1.bytes : 0) } / 60
      // The spread of the intervals leaves a tenth.
      #expect(receivers <= 330, "receivers sent \(receivers) bytes a second from \(start) s on, not 300")
      #expect(sender <= 100, "the sender sent \(sender) bytes a second from \(start) s on")
      #expect(receivers + sender <= 400, "together \(receivers + sender) bytes a second from \(start) s on")
    }
  }
}
