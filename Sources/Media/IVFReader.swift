import Packets

/// Reads the frames of a file or pipe of VP8 in IVF.
///
/// What lies before the first key frame and frames without content are left out and counted. What is broken ends the
/// reading with one ``MediaError/damaged(path:detail:)`` after the last whole frame.
public struct IVFReader: ~Copyable {
  /// The longest frame in bytes: 8 MiB.
  public static let frameLimit = VideoEncoding.frameLimit
  /// So many frames without a key frame are no video to begin with.
  public static let skippedLimit = 1_500
  /// A longer silence than this, in 1/90000 s, is taken for a mistake in the times: an hour.
  static let longestStep: Int64 = 3_600 * 90_000

  /// The size of the picture in pixels by the first key frame.
  public private(set) var width = 0
  /// The size of the picture in pixels by the first key frame.
  public private(set) var height = 0
  /// Frames left out: those before the first key frame, and those that hold nothing that VP8 could be.
  public private(set) var skippedFrames = 0

  private var input: InputBytes
  private var bytes: [UInt8] = []
  private var header = IVFHeader()
  /// How long a frame lasts, where it was given instead of the file's own times: units of 1/90000 s over a divisor.
  private let given: (units: Int64, divisor: Int64)?
  private var waiting: VideoFrame?
  private var frameNumber = 0
  private var hasEnded = false
  /// The file's time of the frame before, its time here, and how long frames last.
  private var last: (stamp: Int64, time: Int64)?
  private var interval: Int64 = 3_000

  /// Whether a file that begins with `prefix` is IVF.
  static func recognizes(_ prefix: [UInt8]) -> Bool { prefix.starts(with: "DKIF".utf8) }

  /// Takes over an input and reads the first key frame.
  ///
  /// A frame rate is a fraction of two numbers above zero; it takes the place of the file's own times.
  init(_ input: consuming InputBytes, frameRate: (Int, Int)? = nil) throws(MediaError) {
    self.input = input
    if let frameRate, frameRate.0 > 0, frameRate.1 > 0, frameRate.0 <= 1 << 32, frameRate.1 <= 1 << 32 {
      given = (90_000 * Int64(frameRate.1), Int64(frameRate.0))
    } else {
      given = nil
    }
    try readHeader()
    guard let first = try read() else {
      throw .notVideo(path: name, detail: "it is IVF without a key frame, so that no player could begin")
    }
    waiting = first
  }

  /// The name of the input, for messages.
  public var name: String { input.name }
  /// What to wait for with `poll(2)` before a read, so that it doesn't block.
  public var descriptor: CInt { input.descriptor.value }

  /// The next frame; nil at the end.
  ///
  /// Throws ``MediaError/damaged(path:detail:)`` once, after the last whole frame, when the file is broken or cut short.
  public mutating func next() throws(MediaError) -> VideoFrame? {
    if let first = waiting {
      waiting = nil
      return first
    }
    return hasEnded ? nil : try read()
  }

  // MARK: -

  private mutating func readHeader() throws(MediaError) {
    guard try fill(to: IVFHeader.size), let header = IVFHeader(parsing: bytes) else {
      throw bytes.starts(with: "DKIF".utf8)
        ? .damaged(path: name, detail: "it ends inside its IVF header")
        : .notVideo(path: name, detail: "it doesn't begin with DKIF, as IVF does")
    }
    guard header.codec == Array("VP80".utf8) else {
      let codec = String(decoding: header.codec.map { (0x21...0x7e).contains($0) ? $0 : 0x3f }, as: UTF8.self)
      throw .notVideo(path: name, detail: "it is IVF with \(codec), and VP8 (VP80) is what can be sent of it")
    }
    guard (IVFHeader.size...IVFHeader.longest).contains(header.length) else {
      throw .damaged(path: name, detail: "its IVF header says that it is \(header.length) bytes long")
    }
    guard given != nil || (header.rate > 0 && header.scale > 0) else {
      throw .damaged(
        path: name,
        detail: "its time base is \(header.scale)/\(header.rate) s, and no --fps says how long a frame lasts")
    }
    guard try fill(to: header.length) else {
      throw .damaged(path: name, detail: "it ends inside its IVF header")
    }
    bytes.removeAll(keepingCapacity: true)
    self.header = header
    // In most files a unit of time is a frame; where it can't be, 30 frames a second are a guess for the first one.
    if let given {
      interval = max(given.units / given.divisor, 1)
    } else if (375...90_000).contains(90_000 * header.scale / header.rate) {
      interval = 90_000 * header.scale / header.rate
    }
  }

  /// The next frame that can be sent; nil at the end.
  private mutating func read() throws(MediaError) -> VideoFrame? {
    while let stamp = try readFrame() {
      frameNumber += 1
      let isFirst = last == nil
      guard let header = VP8FrameHeader(parsing: bytes.span.bytes), header.isKey || !isFirst else {
        skippedFrames += 1
        // A frame left out in the middle still takes its time.
        if !isFirst, given != nil { _ = time(of: stamp) }
        if isFirst, skippedFrames >= Self.skippedLimit { break }
        continue
      }
      if isFirst { (width, height) = (header.width, header.height) }
      let time = time(of: stamp)
      return VideoFrame(bytes: bytes, decode: time, presentation: time, duration: interval, isKey: header.isKey)
    }
    hasEnded = true
    return nil
  }

  /// Reads a frame into `bytes` and returns its time in the file's units; nil at the end.
  private mutating func readFrame() throws(MediaError) -> UInt64? {
    bytes.removeAll(keepingCapacity: true)
    guard try fill(to: IVFHeader.frameSize) else {
      if !bytes.isEmpty { throw broken("it ends inside the header of frame \(frameNumber + 1)") }
      return nil
    }
    let size = (0..<4).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
    let stamp = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[4 + $1]) << UInt64(8 * $1) }
    guard size <= Self.frameLimit else {
      throw broken("frame \(frameNumber + 1) says that it has \(size) bytes, and \(Self.frameLimit) is the limit")
    }
    bytes.removeAll(keepingCapacity: true)
    guard try fill(to: size) else {
      throw broken("it ends inside frame \(frameNumber + 1), with \(bytes.count) of \(size) bytes")
    }
    return stamp
  }

  private mutating func broken(_ detail: String) -> MediaError {
    hasEnded = true
    return .damaged(path: name, detail: detail)
  }

  /// Reads until `bytes` has `count` bytes; false when the input ends before.
  private mutating func fill(to count: Int) throws(MediaError) -> Bool {
    while bytes.count < count {
      let wanted = min(count - bytes.count, 16_384)
      if try input.read(into: &bytes, count: wanted) == 0 { return false }
    }
    return true
  }

  /// A frame's time in 1/90000 s since the first one: later than the one before, by no more than an hour.
  private mutating func time(of raw: UInt64) -> Int64 {
    if let given {
      let number = last.map { $0.stamp + 1 } ?? 0
      let (units, overflow) = number.multipliedReportingOverflow(by: given.units)
      let time = overflow ? (last?.time ?? 0) + interval : units / given.divisor
      last = (number, max(time, (last?.time ?? -1) + 1))
      return last?.time ?? 0
    }
    let stamp = Int64(truncatingIfNeeded: raw)
    guard let last else {
      self.last = (stamp, 0)
      return 0
    }
    let step = stamp.subtractingReportingOverflow(last.stamp)
    let scaled = step.partialValue.multipliedReportingOverflow(by: 90_000 * header.scale)
    var units = scaled.partialValue / header.rate
    if step.overflow || scaled.overflow || units <= 0 || units > Self.longestStep {
      // Times that stand still, go back or leap: the usual interval is as good as any.
      units = scaled.overflow || step.overflow || units != 0 ? interval : 1
    } else if units <= 90_000 {
      interval = units
    }
    self.last = (stamp, last.time + units)
    return last.time + units
  }
}
