/// H.264 made by hand: NAL units whose headers are right and whose pictures hold nothing that could be seen.
public enum H264Maker {
  /// A sequence parameter set.
  public struct Sequence: Sendable {
    /// seq_parameter_set_id.
    public var id = 0
    /// 0 with `orderBits`, 1 or 2.
    public var orderType = 0
    /// The bits of pic_order_cnt_lsb.
    public var orderBits = 6
    /// Frames only, or fields too.
    public var hasOnlyFrames = true
    /// The picture in macroblocks.
    public var size = (20, 15)
    /// num_units_in_tick and time_scale.
    public var tick: (UInt32, UInt32)?
    /// max_num_reorder_frames.
    public var reorderDepth: Int?

    /// One for 25 frames a second.
    public init(tick: (UInt32, UInt32)? = (1, 50)) { self.tick = tick }

    /// The NAL unit.
    public var unit: [UInt8] {
      var bits = Bits()
      bits.write(0x4d_00_1e, 24)  // Main, level 3
      bits.unsigned(id)
      bits.unsigned(0)  // frame_num of four bits
      bits.unsigned(orderType)
      if orderType == 0 { bits.unsigned(orderBits - 4) }
      if orderType == 1 {
        bits.write(1, 1)
        for _ in 0..<2 { bits.unsigned(0) }
        bits.unsigned(1)
        bits.unsigned(3)
      }
      bits.unsigned(4)
      bits.write(0, 1)
      bits.unsigned(size.0 - 1)
      bits.unsigned(size.1 - 1)
      bits.write(hasOnlyFrames ? 1 : 0, 1)
      if !hasOnlyFrames { bits.write(0, 1) }
      bits.write(1, 1)
      bits.write(0, 1)  // no cropping
      bits.write(tick == nil && reorderDepth == nil ? 0 : 1, 1)
      if tick != nil || reorderDepth != nil { writeUsability(&bits) }
      return H264Maker.unit(0x67, bits)
    }

    private func writeUsability(_ bits: inout Bits) {
      bits.write(0, 4)
      bits.write(tick == nil ? 0 : 1, 1)
      if let tick {
        bits.write(tick.0, 32)
        bits.write(tick.1, 32)
        bits.write(1, 1)
      }
      bits.write(0, 3)
      bits.write(reorderDepth == nil ? 0 : 1, 1)
      guard let reorderDepth else { return }
      bits.write(1, 1)
      for _ in 0..<4 { bits.unsigned(0) }
      bits.unsigned(reorderDepth)
      bits.unsigned(4)
    }
  }

  /// A picture parameter set.
  public static func pictureSet(id: Int = 0, sequence: Int = 0) -> [UInt8] {
    var bits = Bits()
    bits.unsigned(id)
    bits.unsigned(sequence)
    bits.write(0, 2)
    return unit(0x68, bits)
  }

  /// A slice of a picture.
  public struct Slice: Sendable {
    /// nal_unit_type 5.
    public var isIDR = false
    /// nal_ref_idc.
    public var reference: UInt8 = 2
    /// first_mb_in_slice.
    public var first = 0
    /// slice_type: 0 P, 1 B, 2 I.
    public var type = 0
    /// pic_parameter_set_id.
    public var pictureSet = 0
    /// frame_num.
    public var frameNumber = 0
    /// 0 top, 1 bottom, nil a frame; only where there are fields.
    public var field: Int?
    /// idr_pic_id.
    public var idrID = 0
    /// pic_order_cnt_lsb.
    public var order = 0
    /// Bytes behind the header, none of which needs an emulation prevention byte.
    public var content = 20

    /// A slice of a P picture to which others refer.
    public init() {}

    /// The NAL unit, by its sequence parameter set.
    public func unit(_ sequence: Sequence) -> [UInt8] {
      var bits = Bits()
      bits.unsigned(first)
      bits.unsigned(type)
      bits.unsigned(pictureSet)
      bits.write(UInt32(frameNumber & 15), 4)
      if !sequence.hasOnlyFrames {
        bits.write(field == nil ? 0 : 1, 1)
        if let field { bits.write(UInt32(field), 1) }
      }
      if isIDR { bits.unsigned(idrID) }
      if sequence.orderType == 0 {
        bits.write(UInt32(order & (1 << sequence.orderBits - 1)), sequence.orderBits)
      }
      var unit = H264Maker.unit(reference << 5 | (isIDR ? 5 : 1), bits)
      for index in 0..<content { unit.append(UInt8(1 + (index * 7 + order) % 254)) }
      return unit
    }
  }

  /// An access unit delimiter.
  public static let delimiter: [UInt8] = [0x09, 0xf0]
  /// A supplement that says that decoding can begin here.
  public static let recoveryPoint: [UInt8] = [0x06, 0x06, 0x01, 0xc4, 0x80]
  /// A supplement that says nothing.
  public static let supplement: [UInt8] = [0x06, 0x05, 0x03, 1, 2, 3, 0x80]

  /// NAL units with start codes, of three bytes where `isShort`.
  public static func annexB(_ units: [[UInt8]], isShort: Bool = false) -> [UInt8] {
    units.flatMap { (isShort ? [0, 0, 1] : [0, 0, 0, 1]) + $0 }
  }

  /// Bits in order, the first in the highest place.
  struct Bits {
    var bits: [UInt8] = []

    mutating func write(_ value: UInt32, _ count: Int) {
      for place in (0..<count).reversed() { bits.append(UInt8(value >> UInt32(place) & 1)) }
    }

    /// ue(v).
    mutating func unsigned(_ value: Int) {
      let length = Int.bitWidth - (value + 1).leadingZeroBitCount
      write(0, length - 1)
      write(UInt32(value + 1), length)
    }
  }

  /// A NAL unit of a header and bits, ended by a 1 and zeros, with emulation prevention bytes.
  static func unit(_ header: UInt8, _ content: Bits) -> [UInt8] {
    var bits = content.bits + [1]
    while bits.count % 8 > 0 { bits.append(0) }
    var unit = [header]
    var zeros = 0
    for start in stride(from: 0, to: bits.count, by: 8) {
      let byte = bits[start..<(start + 8)].reduce(UInt8(0)) { $0 << 1 | $1 }
      if zeros >= 2, byte <= 3 {
        unit.append(3)
        zeros = 0
      }
      unit.append(byte)
      zeros = byte == 0 ? zeros + 1 : 0
    }
    return unit
  }
}
