public import Packets

/// The pictures of any video that can be sent, in decoding order; of a transport stream, the packets of each datagram.
///
/// ``MediaInput`` makes it.
public struct VideoSource: ~Copyable {
  /// The name as the person gave it, for messages.
  public let name: String
  /// What the pictures are.
  public let encoding: VideoEncoding
  /// For an input that is read as it comes: what to wait for with `poll(2)` before a read that mustn't block.
  public let liveDescriptor: CInt?

  /// One of the three is there; an enum of values that can't be copied couldn't be changed in place.
  private var h264: AnnexBReader?
  private var ivf: IVFReader?
  private var transport: TransportStreamReader?

  init(_ reader: consuming AnnexBReader, isLive: Bool) {
    (name, encoding, liveDescriptor) = (reader.name, .h264, isLive ? reader.descriptor : nil)
    (parameterSets, rateOrigin) = (reader.parameterSets, reader.rateOrigin)
    h264 = consume reader
    ivf = nil
    transport = nil
  }

  init(_ reader: consuming IVFReader, isLive: Bool) {
    (name, encoding, liveDescriptor) = (reader.name, .vp8, isLive ? reader.descriptor : nil)
    ivf = consume reader
    h264 = nil
    transport = nil
  }

  init(_ reader: consuming TransportStreamReader, isLive: Bool) {
    (name, encoding, liveDescriptor) = (reader.name, .mpegTS, isLive ? reader.descriptor : nil)
    transport = consume reader
    h264 = nil
    ivf = nil
  }

  /// The next picture; nil at the end.
  ///
  /// Throws ``MediaError/damaged(path:detail:)`` once, after the last whole picture, when the input is broken or cut
  /// short; after that it returns nil.
  public mutating func next() throws(MediaError) -> VideoFrame? {
    defer { observe() }
    if h264 != nil { return try h264?.next() }
    if ivf != nil { return try ivf?.next() }
    return try transport?.next()
  }

  /// Changes how many packets of a transport stream go into one datagram, from the next one on: 1 to 340.
  ///
  /// Nothing comes of it for anything else.
  public mutating func setPacketsPerFrame(_ count: Int) { transport?.setPacketsPerFrame(count) }

  /// The parameter sets of H.264 read so far, which are those of the first key frame at least; nil of anything else.
  public private(set) var parameterSets: H264ParameterSets?

  /// Where H.264's frame rate comes from, to be told where it is a guess; nil of anything else.
  public private(set) var rateOrigin: AnnexBReader.RateOrigin?

  /// What was left out of IVF or a transport stream so far, as a sentence without a full stop; nil when nothing was.
  ///
  /// H.264's reader says it by an error after the last picture.
  public var leftOut: String? {
    if skippedFrames > 0 {
      let was = skippedFrames == 1 ? "was" : "were"
      return "\(skippedFrames) of its frames \(was) left out: before the first key frame, or empty"
    }
    if skippedBytes > 0 {
      return "\(skippedBytes) of its bytes were left out: they belong to no packet of the transport stream"
    }
    return nil
  }

  private var skippedFrames = 0
  private var skippedBytes: Int64 = 0

  /// What of H.264 was broken so far, as a sentence, for whoever stops before the end; nil when nothing was.
  public var brokenSoFar: MediaError? {
    damage.isEmpty ? nil : .damaged(path: name, detail: damage.detail)
  }

  private var damage = AnnexBDamage()

  /// Copies what is asked for: of an optional that can't be copied it can only be read while it is changed.
  private mutating func observe() {
    if let origin = h264?.rateOrigin { rateOrigin = origin }
    if let sets = h264?.parameterSets { parameterSets = sets }
    if let found = h264?.damage { damage = found }
    if let count = ivf?.skippedFrames { skippedFrames = count }
    if let count = transport?.skippedBytes { skippedBytes = count }
  }
}
