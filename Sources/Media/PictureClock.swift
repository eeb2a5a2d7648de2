import Packets

/// When the pictures of H.264 are decoded and shown, by their order of display and the time of a field.
///
/// An IDR picture is shown when all before it have been. From there on the picture order count (H.264 8.2.1) says when:
/// it counts fields, two a frame; an encoder that counts frames is found out by its odd numbers. Where it is told by a
/// cycle (type 1, which no encoder of today writes) the order of decoding is taken. A count that leaps is not believed.
struct PictureClock {
  /// Where a picture lies in time, in 1/90000 s.
  struct Place: Equatable {
    var decode: Int64
    var presentation: Int64
    var duration: Int64
  }

  /// More than so many fields ahead of all that was shown is a leap: five seconds at 25 frames a second.
  private static let longestGap: Int64 = 250
  /// Sixteen pictures may be decoded before one that is shown earlier (H.264 A.3.1), in fields, and one more.
  private static let deepestReordering: Int64 = 34

  /// The time of a field, as a fraction of a second.
  private(set) var tick: (units: Int64, scale: Int64)

  /// Time before the current tick held, in 1/90000 s; everything below is in fields since then.
  private var base: Int64 = 0
  private var decode: Int64 = 0
  /// Where all that was shown ends.
  private var end: Int64 = 0
  /// Fields of one count.
  private var step: Int64 = 1
  /// The picture from which counts are measured: its count, when it is shown, and whether nothing is shown before it.
  private var anchor: (count: Int64, presentation: Int64, isIDR: Bool)?
  /// The upper part and the low bits of the last reference picture's count.
  private var previous: (upper: Int64, bits: Int64) = (0, 0)

  init(tick: (units: Int64, scale: Int64)) { self.tick = tick }

  /// Changes the time of a field from here on, before the first picture or an IDR picture.
  mutating func change(tick new: (units: Int64, scale: Int64)) {
    guard new != tick else { return }
    base = time(max(decode, end))
    decode = 0
    end = 0
    anchor = nil
    tick = new
  }

  /// The place of the next picture in decoding order, whose header may be unknown.
  ///
  /// Its presentation is negative when it is to be shown before the first one, which was no IDR picture.
  mutating func place(_ picture: H264SliceHeader?, _ sequence: H264SequenceParameters?) -> Place {
    let fields: Int64 = picture?.field == nil ? 2 : 1
    let presentation = presentation(of: picture, sequence)
    if let picture, picture.isIDR { decode = max(decode, presentation) }
    decode = max(decode, presentation - Self.deepestReordering)
    let start = time(presentation)
    let place = Place(decode: time(decode), presentation: start, duration: time(presentation + fields) - start)
    decode += fields
    end = max(end, presentation + fields)
    return place
  }

  /// Takes the last picture back, because it is left out.
  mutating func withdraw(_ picture: H264SliceHeader?) { decode -= picture?.field == nil ? 2 : 1 }

  private mutating func presentation(of picture: H264SliceHeader?, _ sequence: H264SequenceParameters?) -> Int64 {
    guard let picture, let sequence else { return end }
    guard case .sent(let bits) = sequence.pictureOrder else {
      if picture.isIDR { anchor = (0, end, true) }
      return end
    }
    let count = count(of: picture, bits: bits)
    if let anchor, !picture.isIDR {
      let counts = count - anchor.count
      if picture.field == nil, sequence.hasOnlyFrames, counts & 1 != 0 { step = 2 }
      let presentation = anchor.presentation + counts * step
      let earliest = end - Self.longestGap - Self.deepestReordering
      if presentation <= end + Self.longestGap, presentation >= (anchor.isIDR ? anchor.presentation : earliest) {
        return presentation
      }
    }
    anchor = (count, end, picture.isIDR || anchor != nil)
    return end
  }

  /// The picture order count (H.264 8.2.1.1), of a frame that of its top field.
  private mutating func count(of picture: H264SliceHeader, bits: Int) -> Int64 {
    if picture.isIDR { previous = (0, 0) }
    let range: Int64 = 1 << Int64(bits)
    let low = Int64(picture.orderBits)
    var upper = previous.upper
    if low < previous.bits, previous.bits - low >= range / 2 {
      upper += range
    } else if low > previous.bits, low - previous.bits > range / 2 {
      upper -= range
    }
    if picture.isReference { previous = (upper, low) }
    return upper + low
  }

  /// Fields in 1/90000 s.
  private func time(_ fields: Int64) -> Int64 {
    base + Int64(Int128(fields) * 90_000 * Int128(tick.units) / Int128(tick.scale))
  }
}
