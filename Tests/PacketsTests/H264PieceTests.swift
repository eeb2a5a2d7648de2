import Packets
import TestSupport
import Testing

@Suite struct `What an H264 payload says of its frame` {
  private static let sequence = H264Maker.Sequence()

  private static func slice(_ change: (inout H264Maker.Slice) -> Void) -> [UInt8] {
    var slice = H264Maker.Slice()
    change(&slice)
    return slice.unit(sequence)
  }

  private static func stap(_ units: [[UInt8]]) -> [UInt8] {
    [0x78] + units.flatMap { [UInt8($0.count >> 8), UInt8($0.count & 0xff)] + $0 }
  }

  /// The piece that a payload makes by itself, at the beginning of a stream.
  private static func piece(_ payload: [UInt8]) -> VideoPiece? {
    var depacketizer = H264Depacketizer()
    var frame: [UInt8] = []
    return depacketizer.append(payload.span.bytes, to: &frame)
  }

  @Test func `an IDR slice and a recovery point are key, and nal_ref_idc tells of references`() {
    let idr = Self.slice { $0.isIDR = true }
    #expect(Self.piece(idr)?.isKey == true && Self.piece(idr)?.isReference == true)
    let plain = Self.slice { $0.reference = 0 }
    #expect(Self.piece(plain)?.isKey == false && Self.piece(plain)?.isReference == false)
    #expect(Self.piece(Self.slice { _ in })?.isReference == true)
    #expect(Self.piece(H264Maker.recoveryPoint)?.isKey == true)
    #expect(Self.piece(H264Maker.supplement)?.isKey == false)
    #expect(Self.piece(Self.stap([H264Maker.recoveryPoint, plain]))?.isKey == true)
    // The header of a fragment's NAL unit is in two bytes.
    #expect(Self.piece([0x7c, 0x05, 9])?.isKey == true)
    #expect(Self.piece([0x1c, 0x41, 9])?.isReference == false)
    // Parameter sets have a nal_ref_idc too, but nobody refers to them as pictures.
    #expect(Self.piece(H264Maker.pictureSet())?.isReference == false)
  }

  @Test func `a recovery point with others before it, in fragments and later ones is seen for what it is`() {
    func isRecoveryPoint(_ unit: [UInt8]) -> Bool { H264NAL.isRecoveryPoint(unit.span.bytes) }
    #expect(isRecoveryPoint([6, 5, 2, 1, 1, 6, 1, 0xc4, 0x80]))
    #expect(!isRecoveryPoint([6, 6, 1, 0x44, 0x80]), "recovery_frame_cnt isn't 0")
    for (byte, count) in [(0xc4, 0), (0x44, 1), (0x64, 2), (0x24, 3)] as [(UInt8, Int)] {
      let unit: [UInt8] = [6, 6, 1, byte, 0x80]
      let found = H264NAL.recoveryCount(of: unit.span.bytes)
      #expect(found == count)
    }
    for size in 0...3 { #expect(!isRecoveryPoint(Array([6, 6, 1].prefix(size)))) }
    #expect(!isRecoveryPoint([6, 255, 255]))
    #expect(!isRecoveryPoint([6, 5, 200, 6, 1, 0x80]))
    // The 3 that keeps a start code out counts for nothing: four bytes are 0, 0, 1, 9.
    #expect(isRecoveryPoint([6, 5, 4, 0, 0, 3, 1, 9, 6, 1, 0xc4, 0x80]))
    #expect(!isRecoveryPoint([6, 5, 4, 0, 0, 3, 1, 9, 6, 1, 0x44, 0x80]))
    for size in 0...9 { #expect(!isRecoveryPoint(Array([6, 5, 4, 0, 0, 3, 1, 9, 6, 1].prefix(size)))) }
    var depacketizer = H264Depacketizer()
    var frame: [UInt8] = []
    var isKey = false
    for payload in [[0x1c, 0x86, 6], [0x1c, 0x06, 1], [0x1c, 0x46, 0xc4]] as [[UInt8]] {
      let piece = depacketizer.append(payload.span.bytes, to: &frame)
      isKey = piece?.isKey ?? false
    }
    #expect(isKey && frame == [0, 0, 0, 1, 6, 6, 1, 0xc4])
  }

  @Test func `with nothing missing before it, the first payload of a frame begins it, whatever it is`() {
    var depacketizer = H264Depacketizer()
    var frame: [UInt8] = []
    _ = depacketizer.append(Self.slice { _ in }.span.bytes, to: &frame)
    let second = depacketizer.append(Self.slice { $0.first = 5 }.span.bytes, to: &frame)
    #expect(second?.beginsFrame == false)
    depacketizer.endFrame(in: &frame)
    frame.removeAll()
    let first = depacketizer.append(Self.slice { $0.first = 5 }.span.bytes, to: &frame)
    #expect(first?.beginsFrame == true)
    // What is cut off was there all the same.
    depacketizer.endFrame(in: &frame)
    frame.removeAll()
    for start in [[0x7c, 0x85, 1], [0x7c, 0x85, 2], [0x41, 0x9a]] as [[UInt8]] {
      let isFirst = frame.isEmpty
      let piece = depacketizer.append(start.span.bytes, to: &frame)
      #expect(piece?.beginsFrame == isFirst)
    }
  }

  /// What a payload says behind a gap, after these payloads of another frame.
  private static func begins(_ payload: [UInt8], after others: [[UInt8]], frame: [UInt8] = []) -> Bool? {
    var depacketizer = H264Depacketizer()
    var other: [UInt8] = []
    for payload in others { _ = depacketizer.append(payload.span.bytes, to: &other) }
    var frame = frame
    depacketizer.noteGap(in: &frame)
    return depacketizer.append(payload.span.bytes, to: &frame)?.beginsFrame
  }

  @Test func `behind a gap a frame's beginning is told by its first NAL units`() {
    let first = Self.slice { _ in }
    let inside = Self.slice { $0.first = 4 }
    let idr = Self.slice { $0.isIDR = true }
    let sets = Self.stap([Self.sequence.unit, H264Maker.pictureSet()])
    #expect(Self.begins(first, after: [inside]) == true)
    #expect(Self.begins(inside, after: [first]) == false)
    #expect(Self.begins([0x5c, 0x81] + first.dropFirst(), after: []) == true)
    #expect(Self.begins([0x5c, 0x01, 0xff], after: []) == false)
    #expect(Self.begins(H264Maker.delimiter, after: [inside]) == true)
    #expect(Self.begins(sets, after: [inside]) == true)
    #expect(Self.begins(H264Maker.pictureSet(), after: [inside]) == false)
    #expect(Self.begins(Self.stap([H264Maker.supplement, first]), after: [sets]) == true)
    // An IDR slice may have lost its parameter sets where they come with the stream.
    #expect(Self.begins(idr, after: [first]) == true)
    #expect(Self.begins(idr, after: [sets, idr]) == false)
    // A supplement is first where frames have been seen to begin with one, or nothing else can come before it.
    #expect(Self.begins(H264Maker.supplement, after: []) == true)
    #expect(Self.begins(H264Maker.supplement, after: [sets]) == false)
    // Behind a gap inside its frame nothing begins it.
    #expect(Self.begins(first, after: [], frame: [0, 0, 0, 1, 0x06]) == false)
  }

  @Test func `a stream whose frames begin with supplements is learned`() {
    var depacketizer = H264Depacketizer()
    var frame: [UInt8] = []
    let sets = Self.stap([Self.sequence.unit, H264Maker.pictureSet()])
    let idr = Self.slice { $0.isIDR = true }
    for payload in [sets, idr] { _ = depacketizer.append(payload.span.bytes, to: &frame) }
    frame.removeAll()
    for payload in [H264Maker.supplement, Self.slice { _ in }] {
      _ = depacketizer.append(payload.span.bytes, to: &frame)
    }
    frame.removeAll()
    depacketizer.noteGap(in: &frame)
    let supplement = H264Maker.supplement
    let piece = depacketizer.append(supplement.span.bytes, to: &frame)
    #expect(piece?.beginsFrame == true)
  }
}
