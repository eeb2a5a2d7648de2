import Packets
public import Pictures
import Timeline

/// What whoever shows or records the pictures asks.
extension ReceiveSession {
  /// The next frame of this stream whose time has come; nil when there is none.
  ///
  /// Drain it after `pollPlayout`, which still tells of each packet. The frame's bytes take the place of those in
  /// `bytes`: NAL units with start codes (H.264), a frame (VP8), whole transport packets, of what isn't complete as
  /// much as can be used. At most 64 frames and 32 MiB wait to be fetched; beyond, the oldest are given up.
  public mutating func pollFrame(of stream: Int, into bytes: inout [UInt8]) -> ReceivedFrame? {
    guard let place = streams.indices.last(where: { streams[$0].id == stream }) else { return nil }
    return streams[place].track?.pollFrame(into: &bytes)
  }

  /// Lets go of this stream's frames whose time has come, where nobody fetches them.
  public mutating func discardFrames(of stream: Int) {
    guard let place = streams.indices.last(where: { streams[$0].id == stream }), streams[place].track != nil else {
      return
    }
    var bytes: [UInt8] = []
    while streams[place].track?.pollFrame(into: &bytes) != nil {}
  }

  /// Which video a packet may be; nil when it can't be read.
  func videoGuess(_ packet: RTPPacket, of datagram: RawSpan) -> VideoGuess? {
    guard !configuration.isEncrypted else { return nil }
    let header = packet.header
    return VideoGuess(
      datagram.extracting(packet.payload), sequence: header.sequenceNumber.rawValue,
      timestamp: header.timestamp.rawValue, marker: header.marker)
  }

  /// Nothing more of this stream is due.
  mutating func closeFrame(_ place: Int, at now: Instant) {
    guard streams[place].track != nil else { return }
    streams[place].closeFrame()
    reporter.noteRequest(due: streams[place].track?.nextRequest(after: now))
  }
}
