public import Packets

/// Reads the pictures of a file or pipe of H.264 with start codes (annex B), in decoding order.
///
/// A picture's access unit goes with it: parameter sets, supplements, all of its slices. Where the file doesn't repeat
/// the parameter sets in front of a key frame they are put there, so that decoding can begin at each. Times come from
/// the stream's own timing (H.264 E.2.1) unless a frame rate is given; where there is neither, 25 frames a second are
/// assumed. What is broken is left out and counted, and told in one ``MediaError/damaged(path:detail:)`` after the last
/// picture; after that there is nothing more. From a pipe each picture comes as soon as the next one begins.
public struct AnnexBReader: ~Copyable {
  /// The longest access unit, and the longest NAL unit, in bytes.
  public static let frameLimit = VideoEncoding.frameLimit
  /// So many pictures without a key frame are no video to begin with.
  public static let skippedLimit = 1_500

  /// Where the frame rate comes from.
  public enum RateOrigin: Equatable, Sendable {
    /// It was given.
    case given
    /// The stream says it.
    case stream
    /// Nobody says it: 25 frames a second are assumed.
    case assumed
  }

  /// The parameter sets read so far, which are those of the first key frame at least.
  public private(set) var parameterSets = H264ParameterSets()
  /// What was found broken so far.
  public private(set) var damage = AnnexBDamage()
  /// Where the frame rate comes from.
  public private(set) var rateOrigin: RateOrigin

  private var scanner: AnnexBScanner
  private var clock: PictureClock
  private var unit = AccessUnitAssembly()
  private var waiting: VideoFrame?
  private var hasBegun = false
  private var hasEnded = false
  private var hasComplained = false

  /// The most bytes that a slice header's beginning can have.
  private static let sliceHeaderLimit = 80

  /// Whether a file that begins with `prefix` is H.264 with start codes: the first NAL unit is one that can be first.
  public static func recognizes(_ prefix: [UInt8]) -> Bool {
    guard let code = AnnexBCursor.startCode(in: prefix.span.bytes, from: 0), code + 3 < prefix.count,
      prefix[..<code].allSatisfy({ $0 == 0 })
    else { return false }
    // A delimiter's, a supplement's or a parameter set's nal_ref_idc tells it from MPEG-1, -2 and -4, and H.265.
    let nal = H264NAL(header: prefix[code + 3])
    switch nal.type {
    case H264NAL.delimiter, H264NAL.supplement: return nal.header >> 5 == 0
    case H264NAL.sequenceParameters, H264NAL.pictureParameters: return !nal.isForbidden && nal.referenceIDC > 0
    case H264NAL.idrSlice: return !nal.isForbidden && nal.referenceIDC > 0
    case H264NAL.slice: return !nal.isForbidden
    default: return false
    }
  }

  /// Opens a file, or standard input for `-`, and reads the first key frame.
  public init(path: String, frameRate: (Int, Int)? = nil) throws(MediaError) {
    try self.init(InputBytes(InputDescriptor(path: path), name: path, prefix: []), frameRate: frameRate)
  }

  /// Takes over an input and reads the first key frame.
  ///
  /// A frame rate is a fraction of two numbers above zero.
  init(_ bytes: consuming InputBytes, frameRate: (Int, Int)? = nil) throws(MediaError) {
    scanner = AnnexBScanner(bytes)
    if let frameRate, frameRate.0 > 0, frameRate.1 > 0, frameRate.0 <= 1 << 32, frameRate.1 <= 1 << 32 {
      rateOrigin = .given
      clock = PictureClock(tick: (Int64(frameRate.1), Int64(frameRate.0) * 2))
    } else {
      rateOrigin = .assumed
      clock = PictureClock(tick: (1, 50))
    }
    guard let first = try read() else { throw whyThereIsNoVideo() }
    waiting = first
  }

  /// The name of the input, for messages.
  public var name: String { scanner.name }
  /// What to wait for with `poll(2)` before a read, so that it doesn't block.
  public var descriptor: CInt { scanner.descriptor }

  /// The frame rate that holds now.
  public var frameRate: (numerator: Int, denominator: Int) {
    var (numerator, denominator) = (Int(clock.tick.scale), Int(clock.tick.units) * 2)
    var (divisor, rest) = (numerator, denominator)
    while rest > 0 { (divisor, rest) = (rest, divisor % rest) }
    numerator /= divisor
    denominator /= divisor
    return (numerator, denominator)
  }

  /// The next picture; nil at the end.
  ///
  /// Throws ``MediaError/damaged(path:detail:)`` once, after the last picture, if anything was broken.
  public mutating func next() throws(MediaError) -> VideoFrame? {
    if let first = waiting {
      waiting = nil
      return first
    }
    guard !hasComplained else { return nil }
    do throws(MediaError) {
      if let frame = try read() { return frame }
    } catch {
      hasComplained = true
      throw error
    }
    hasComplained = true
    if !damage.isEmpty { throw .damaged(path: name, detail: damage.detail) }
    return nil
  }

  // MARK: -

  private mutating func read() throws(MediaError) -> VideoFrame? {
    while let range = try scanner.next() {
      guard let header = header(ofUnitAt: range) else { continue }
      // Behind what was left out.
      var finished = try unit.isOver(before: header, first: first(of: range), slice(header, range)) ? finish() : nil
      add(header, range)
      if finished == nil, unit.hasPicture, try isOver() { finished = try finish() }
      if let finished { return finished }
    }
    guard !hasEnded else { return nil }
    hasEnded = true
    return unit.hasPicture ? try finish() : nil
  }

  /// Whether the NAL unit to come begins another access unit.
  private mutating func isOver() throws(MediaError) -> Bool {
    var needed = 1
    while let (range, isWhole) = try scanner.lookAhead(to: needed), !range.isEmpty {
      let nal = H264NAL(header: scanner.bytes[range.lowerBound])
      guard nal.isWhole else { return false }
      let slice = slice(nal, range)
      // A slice header is read with as few bytes as it needs.
      if nal.isPicture, slice == nil, !isWhole, range.count < Self.sliceHeaderLimit {
        needed = range.count + 1
        continue
      }
      return unit.isOver(before: nal, first: first(of: range), slice)
    }
    return false
  }

  private func slice(_ nal: H264NAL, _ range: Range<Int>) -> H264SliceHeader? {
    guard nal.isPicture else { return nil }
    return H264SliceHeader(parsing: scanner.bytes.span.bytes.extracting(range), with: parameterSets)
  }

  /// The byte behind a NAL unit's header.
  private func first(of range: Range<Int>) -> UInt8? { range.count > 1 ? scanner.bytes[range.lowerBound + 1] : nil }

  /// The first byte of a NAL unit; nil, counted, when the unit isn't one that can be sent.
  private mutating func header(ofUnitAt range: Range<Int>) -> H264NAL? {
    if !range.isEmpty {
      let nal = H264NAL(header: scanner.bytes[range.lowerBound])
      if nal.isWhole { return nal }
      if nal.isForbidden { damage.forbiddenUnits += 1 }
    }
    damage.invalidUnits += 1
    if damage.firstOffset == nil { damage.firstOffset = scanner.place(of: range.lowerBound) }
    return nil
  }

  private mutating func add(_ nal: H264NAL, _ range: Range<Int>) {
    if let place = scanner.cutPlace {
      damage.longUnits += 1
      if damage.firstLongOffset == nil { damage.firstLongOffset = place }
      // What is no part of the picture is left out alone.
      if nal.isPicture { unit.omit(nal, slice(nal, range)) }
      return
    }
    let content = scanner.bytes[range]
    guard unit.bytes.count + 4 + range.count <= Self.frameLimit else { return unit.omit(nal, slice(nal, range)) }
    if nal.type == H264NAL.sequenceParameters || nal.type == H264NAL.pictureParameters {
      _ = parameterSets.take(content.span.bytes)
    }
    unit.append(nal, content, slice(nal, range))
    if nal.type == H264NAL.supplement, H264NAL.isRecoveryPoint(content.span.bytes) { unit.hasRecoveryPoint = true }
  }

  /// Ends the access unit and begins another; nil when its picture is left out, because decoding can't begin with it.
  private mutating func finish() throws(MediaError) -> VideoFrame? {
    let prefixes = unit.takePrefixes()
    let frame = try frame()
    unit.begin(with: prefixes)
    return frame
  }

  private mutating func frame() throws(MediaError) -> VideoFrame? {
    let picture = unit.picture
    let sequence = picture.flatMap { parameterSets.sequence(ofPictureSet: $0.pictureSet) }
    let isKey = picture.map { $0.isIDR || unit.hasRecoveryPoint && $0.isIntra } ?? false
    guard hasBegun || isKey && !unit.isTooLong else {
      if unit.isTooLong {
        damage.longPictures += 1
        return nil
      }
      damage.skippedPictures += 1
      if damage.skippedPictures >= Self.skippedLimit {
        throw .notVideo(path: name, detail: "there is no key frame among its first \(Self.skippedLimit) pictures")
      }
      return nil
    }
    // Another set of parameters can only come into force with an IDR picture (H.264 7.4.1.2.1).
    if picture?.isIDR ?? false || !hasBegun { follow(sequence) }
    hasBegun = true
    let place = clock.place(picture, sequence)
    if place.presentation < 0 {
      clock.withdraw(picture)
      damage.skippedPictures += 1
      return nil
    }
    // Its time passes all the same.
    if unit.isTooLong {
      damage.longPictures += 1
      return nil
    }
    if picture == nil { damage.unreadablePictures += 1 }
    return VideoFrame(
      bytes: isKey ? unit.bytes(with: parameterSets) : unit.bytes, decode: place.decode,
      presentation: place.presentation, duration: place.duration, isKey: isKey)
  }

  /// Takes up the stream's own timing, where it is plausible: 0.1 to 300 frames a second.
  private mutating func follow(_ sequence: H264SequenceParameters?) {
    guard rateOrigin != .given, let tick = sequence?.tick else { return }
    let (units, scale) = (Int64(tick.units), Int64(tick.scale))
    guard scale * 5 >= units, scale <= units * 600 else { return }
    rateOrigin = .stream
    clock.change(tick: (units, scale))
  }

  /// What to say when there is no picture to begin with.
  private func whyThereIsNoVideo() -> MediaError {
    if damage.skippedPictures > 0 {
      if parameterSets.first == nil {
        let why = "no parameter set (SPS) that can be read is in it, without which no picture can be decoded"
        return .notVideo(path: name, detail: why)
      }
      let count = damage.skippedPictures
      return .notVideo(
        path: name,
        detail: count == 1 ? "its one picture is no key frame" : "there is no key frame among its \(count) pictures")
    }
    if let excess = damage.excess { return .notVideo(path: name, detail: excess) }
    return .notVideo(path: name, detail: "no picture of H.264 is in it")
  }
}
