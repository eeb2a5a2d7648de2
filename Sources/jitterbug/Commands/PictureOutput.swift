import Media
import Packets
import Pictures
import Timeline

/// Writes the frames of one stream of video to a file or pipe: H.264 with start codes, VP8 as IVF, or a transport stream.
///
/// What is written decodes without an error unless damaged frames are asked for: a frame that isn't whole, or that refers
/// to one that isn't, is left out; its parameter sets of H.264 stay, for they may not come again. The file is valid after
/// every frame.
final class PictureOutput {
  private enum Writer: ~Copyable {
    case annexB(AnnexBWriter)
    case ivf(IVFWriter)
    case transport(TransportStreamWriter)
    /// Nothing is written any more.
    case closed
  }

  /// Whether frames are written that can't be shown.
  let keepsDamaged: Bool
  /// Taken out and put back to change it: a noncopyable value in a class.
  private var writer: Writer
  /// H.264's parameter sets that were told beforehand, while nothing has been written.
  private var parameterSets: [UInt8]
  /// H.264's parameter sets of frames that weren't written, and that have to be.
  private var sets = H264ParameterSets()
  private let encoding: VideoEncoding
  /// Leaves pictures out of a transport stream.
  private var sieve: TransportSieve?
  private var passed: [UInt8] = []
  /// The packets of a transport stream that a missing datagram may have had: as many as the largest so far.
  private var packetsPerDatagram = TransportPacketizer.usualPackets
  private var times = FrameTimes()
  /// The time of the first frame written.
  private var origin: Int64?
  /// Whether nothing has been written.
  private(set) var isEmpty = true

  init(
    path: String, encoding: VideoEncoding, keepsDamaged: Bool, parameterSets: [[UInt8]] = [], interrupt: WriteInterrupt
  ) throws(CommandError) {
    self.keepsDamaged = keepsDamaged
    self.parameterSets = H264Format(parameterSets: parameterSets).annexB
    self.encoding = encoding
    var output: OutputFile
    do { output = try OutputFile(path: path) } catch { throw CommandError(error.description) }
    output.interrupt = interrupt
    if encoding == .mpegTS, !keepsDamaged { sieve = TransportSieve() }
    switch encoding {
    case .h264: writer = .annexB(AnnexBWriter(output: output))
    case .vp8: writer = .ivf(IVFWriter(output: output))
    case .mpegTS: writer = .transport(TransportStreamWriter(output: output))
    }
  }

  /// Writes a frame, if it is one to be written.
  ///
  /// What is handed out of a transport stream are datagrams, which don't begin and end with pictures.
  func write(_ frame: ReceivedFrame, _ bytes: RawSpan) throws(CommandError) {
    // A frame that is left out takes its time too.
    let time = times.time(of: frame)
    guard sieve != nil else {
      if keepsDamaged || frame.isDecodable || frame.heals {
        try append(bytes, at: time)
      } else {
        keepParameterSets(of: bytes)
      }
      return
    }
    passed.removeAll(keepingCapacity: true)
    packetsPerDatagram = max(packetsPerDatagram, bytes.byteCount / TransportPacket.size)
    if frame.missingPackets > 0 {
      sieve?.noteGap(packets: frame.missingPackets * packetsPerDatagram)
    }
    sieve?.append(bytes, to: &passed)
    let kept = passed
    try append(kept.span.bytes, at: time)
  }

  /// Takes up the parameter sets of a frame of H.264 that isn't written: those after it may need them.
  private func keepParameterSets(of bytes: RawSpan) {
    guard encoding == .h264 else { return }
    var cursor = AnnexBCursor()
    while let range = cursor.next(in: bytes) { _ = sets.take(bytes.extracting(range)) }
  }

  /// The parameter sets that have to stand before the next frame, if any.
  private func takeParameterSets() -> [UInt8] {
    var taken = parameterSets
    parameterSets = []
    guard sets.revision > 0 else { return taken }
    taken += H264NAL.annexB(sets.units)
    sets = H264ParameterSets()
    return taken
  }

  private func append(_ bytes: RawSpan, at streamTime: Int64) throws(CommandError) {
    guard bytes.byteCount > 0 else { return }
    isEmpty = false
    let time = max(0, streamTime - (origin ?? streamTime))
    if origin == nil { origin = streamTime }
    do {
      switch exchange(&writer, with: .closed) {
      case .annexB(var file):
        // Those of the frames, where they have any, come after and count.
        let sets = takeParameterSets()
        if !sets.isEmpty { try file.append(sets.span.bytes) }
        try file.append(bytes)
        writer = .annexB(file)
      case .ivf(var file):
        try file.append(bytes, at: time)
        writer = .ivf(file)
      case .transport(var file):
        try file.append(bytes)
        writer = .transport(file)
      case .closed: break
      }
    } catch { throw CommandError(error.description) }
  }

  /// Ends the file.
  func finish() throws(CommandError) {
    do {
      switch exchange(&writer, with: .closed) {
      case .annexB(let file): try file.finish()
      case .ivf(let file): try file.finish()
      case .transport(var file):
        passed.removeAll()
        sieve?.finish(to: &passed)
        let kept = passed
        if !kept.isEmpty {
          isEmpty = false
          try file.append(kept.span.bytes)
        }
        try file.finish()
      case .closed: break
      }
    } catch { throw CommandError(error.description) }
  }
}

/// The times of a stream's frames, in 1/90000 s from the first one.
///
/// They are those of the timestamps; where the sender has begun anew, on another timeline, they go on by the time that
/// a frame takes.
private struct FrameTimes {
  /// A step ahead by more, or back by more, is another timeline: frames that are shown in another order than they are
  /// sent step back by less.
  private static let furthest = (ahead: Interval.seconds(5), back: Interval.seconds(-2))
  /// Unless frames that are far ahead were due as much later: the sender has paused.
  private static let tolerance = Interval.seconds(1)
  private static let rate: UInt32 = 90_000

  /// The frame before, and its time.
  private var last: (timestamp: Int64, due: Instant, time: Int64)?
  private var latest: Int64 = 0
  /// How long a frame takes.
  private var interval: Int64 = 3_000

  mutating func time(of frame: ReceivedFrame) -> Int64 {
    var time: Int64 = 0
    if let last {
      let units = frame.timestamp &- last.timestamp
      let step = Interval(units: units, rate: Self.rate)
      let pause = frame.due - last.due
      let isAhead = step > Self.furthest.ahead
      let isPaused = isAhead && step - pause < Self.tolerance && pause - step < Self.tolerance
      if step < Self.furthest.back || isAhead && !isPaused {
        time = latest + interval
      } else {
        time = last.time + units
        if units > 0, !isAhead { interval = units }
      }
    }
    last = (frame.timestamp, frame.due, time)
    latest = max(latest, time)
    return time
  }
}
