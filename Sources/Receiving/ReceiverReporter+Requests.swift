import Packets
import Pictures
import Timeline

/// Asks senders of video for a key frame when their picture is broken (RFC 4585 section 6.3.1).
///
/// Of that standard's timing rules (section 3.5) this much is kept: feedback is early, in a minimal compound packet of its
/// own (an empty receiver report, the name, the indications), only in sessions of fewer than 50 members, at once when a
/// reference is lost and then every 500 ms until a key frame is whole. Regular reports go on at their times as if nothing
/// had been sent between them.
extension ReceiverReporter {
  /// Notes that a stream may want a key frame from then on.
  mutating func noteRequest(due: Instant?) {
    guard configuration.requestsKeyFrames, configuration.sendsReports, let due else { return }
    requestDue = Instant.earliest(requestDue, due)
  }

  /// Writes a datagram with an indication for each stream that wants a key frame now; nil when none does.
  mutating func pollRequest(
    _ streams: inout [ReceiveStream], into bytes: inout MutableSpan<UInt8>, at now: Instant
  ) -> Int? {
    guard let due = requestDue, due <= now else { return nil }
    requestDue = nil
    guard membership.deadline != nil, membership.memberCount < Membership.immediateLimit, !membership.isLeaving,
      !membership.hasLeft
    else { return nil }
    var writer = CompoundWriter(limit: PendingReport.datagramLimit)
    var isEmpty = true
    for place in streams.indices where streams[place].isFollowed {
      guard let next = streams[place].track?.nextRequest(after: now) else { continue }
      guard next <= now else {
        noteRequest(due: next)
        continue
      }
      guard !isEmpty || beginRequest(with: &writer, into: &bytes),
        writer.pictureLossIndication(sender: configuration.ssrc, media: streams[place].ssrc, into: &bytes)
      else {
        // What is left goes into a datagram of its own, at once; where nothing fits at all it is tried again later.
        noteRequest(due: isEmpty ? now + PictureTrack.requestInterval : now)
        break
      }
      isEmpty = false
      _ = streams[place].track?.takeRequest(at: now)
      noteRequest(due: streams[place].track?.nextRequest(after: now))
    }
    guard !isEmpty else { return nil }
    membership.sent(bytes: writer.count)
    return writer.count
  }

  /// Writes what stands before the indications: false when there is no room for it.
  private func beginRequest(with writer: inout CompoundWriter, into bytes: inout MutableSpan<UInt8>) -> Bool {
    writer.receiverReport(ssrc: configuration.ssrc, blocks: [ReportBlock]().span, into: &bytes)
      && writer.sourceDescription(ssrc: configuration.ssrc, cname: configuration.cname.utf8, into: &bytes)
  }
}
