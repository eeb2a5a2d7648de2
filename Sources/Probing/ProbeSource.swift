import Packets
import Timeline

/// One packet of a probe's stream before it is sent.
struct ProbePacket: Equatable, Sendable {
  /// Its number, from 0.
  var number: Int
  /// Its place on the media timeline: packets of one frame share it.
  var time: Interval
  /// How long after that it is to leave.
  var sendOffset: Interval
  /// Bytes of payload.
  var payloadBytes: Int
  /// The marker bit: the first packet of audio, the last one of a video frame (RFC 3551 sections 4.1 and 5).
  var marker: Bool
}

/// Makes up the packets of a profile, without end and always the same.
struct ProbeSource: Sendable {
  private let profile: ProbeProfile
  private var number = 0
  private var frame: Int64 = 0
  /// Bytes of the frame that are left, its packets, and how many of them are made.
  private var rest = 0
  private var packets = 0
  private var made = 0

  init(_ profile: ProbeProfile) { self.profile = profile }

  mutating func next() -> ProbePacket {
    defer { number += 1 }
    let payload = profile.packetBytes - RTPHeader.size
    guard profile.kind == .video else {
      return ProbePacket(
        number: number, time: profile.interval * Int64(number), sendOffset: .zero, payloadBytes: payload,
        marker: number == 0)
    }
    if rest == 0 {
      rest = frameBytes
      packets = (rest + payload - 1) / payload
      made = 0
    }
    let size = min(rest, payload)
    rest -= size
    made += 1
    // Spread over half of the frame's interval, so that a big frame doesn't overrun the first switch on the way.
    let packet = ProbePacket(
      number: number, time: profile.interval * frame,
      sendOffset: profile.interval * Int64(made - 1) / Int64(2 * packets), payloadBytes: size, marker: rest == 0)
    if rest == 0 { frame += 1 }
    return packet
  }

  /// The bytes of this frame: the rate's share of its group, key frames being bigger.
  private var frameBytes: Int {
    let group = Double(profile.bitrate) / 8 * profile.interval.seconds * Double(ProbeProfile.videoGroup)
    let unit = group / Double(ProbeProfile.videoGroup - 1 + ProbeProfile.videoKeyWeight)
    let isKey = frame % Int64(ProbeProfile.videoGroup) == 0
    return max(Int((isKey ? unit * Double(ProbeProfile.videoKeyWeight) : unit).rounded()), 16)
  }
}
