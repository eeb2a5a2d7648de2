import Packets
import TestSupport
import Testing

@Suite struct `H264 parameter sets and slice headers` {
  /// What x264 wrote for known pictures: the sets as ffmpeg's SDP has them, and what ffprobe says of them.
  private static let known: [(sets: String, size: (Int, Int), rate: (UInt32, UInt32), profile: UInt32, depth: Int)] = [
    ("Z2QADazZQUH7ARAAAAMAEAAAAwMg8UKZYA==,aOvjyyLA", (320, 240), (1, 50), 0x64000d, 2),
    ("Z2QAFazZQUEPy4CIAAADAAgAAAMBkPihTLA=,aPujyyLA", (320, 240), (1, 50), 0x640015, 2),
    ("Z/QADZDZsoKD9gIgAAADACAAAAYB4oUywA==,aOvjxEhE", (320, 240), (1, 48), 0xf4000d, 2),
    ("Z2QADazZQUH7ARAAAAMAEAAAAwMmAgASTwAEk/kkwB4oUyw=,aOvssiw=", (320, 240), (1, 50), 0x64000d, 2),
    ("Z2QAKKzZQHgCJ+XARAAAAwAEAAADAMg8YMZY,aOvgZyyL", (1_920, 1_080), (1, 50), 0x640028, 2),
    ("Z0LADdkBQfsBEAAAAwAQAAADAyDxQqSA,aMuDyyA=", (320, 240), (1, 50), 0x42c00d, 0),
    ("Z2QADazZQUH7ARAAAD6QAA6mAPFCmWA=,aOvjyyLA", (320, 240), (1_001, 60_000), 0x64000d, 2),
  ]

  private static func parameters(_ unit: [UInt8]) -> H264SequenceParameters? {
    H264SequenceParameters(parsing: unit.span.bytes)
  }

  private static func sets(_ units: [[UInt8]]) -> H264ParameterSets {
    var sets = H264ParameterSets()
    for unit in units where !sets.take(unit.span.bytes) { Issue.record("a parameter set is refused") }
    return sets
  }

  private static func header(_ unit: [UInt8], _ sets: H264ParameterSets) -> H264SliceHeader? {
    H264SliceHeader(parsing: unit.span.bytes, with: sets)
  }

  @Test func `reads what x264 writes as ffprobe reads it`() throws {
    for (text, size, rate, profile, depth) in Self.known {
      let format = H264Format(parsing: "sprop-parameter-sets=\(text)")
      #expect(format.parameterSets.count == 2)
      let unit = try #require(format.parameterSets.first)
      let parameters = try #require(Self.parameters(unit))
      #expect(parameters.size == size)
      let tick = try #require(parameters.tick)
      #expect(tick == rate)
      #expect(parameters.profileLevelID == profile)
      #expect(parameters.reorderDepth == depth)
      let sets = Self.sets(format.parameterSets)
      #expect(sets.sequence(ofPictureSet: 0) == parameters)
      #expect(sets.units == format.parameterSets)
    }
  }

  @Test func `a set by hand comes back as it was made`() throws {
    var made = H264Maker.Sequence(tick: (1_001, 48_000))
    made.id = 31
    made.orderBits = 16
    made.hasOnlyFrames = false
    made.reorderDepth = 4
    let parameters = try #require(Self.parameters(made.unit))
    #expect(parameters.id == 31 && parameters.pictureOrder == .sent(bits: 16) && !parameters.hasOnlyFrames)
    #expect(parameters.size == (320, 480) && parameters.reorderDepth == 4)
    made.orderType = 1
    #expect(Self.parameters(made.unit)?.pictureOrder == .cycle(isFixed: true))
    made.orderType = 2
    made.tick = nil
    made.reorderDepth = nil
    let bare = Self.parameters(made.unit)
    #expect(bare?.pictureOrder == .decoding && bare?.tick == nil && bare?.reorderDepth == nil)
  }

  @Test func `each length and each changed bit of a set is refused or read, and what is cut loses only hints`() {
    for (text, size, _, _, _) in Self.known {
      for unit in H264Format(parsing: "sprop-parameter-sets=\(text)").parameterSets {
        for length in 0..<unit.count {
          let parameters = Self.parameters(Array(unit[..<length]))
          if let parameters { #expect(parameters.size == size) }
        }
        for bit in 0..<(unit.count * 8) {
          var other = unit
          other[bit / 8] ^= 0x80 >> UInt8(bit % 8)
          if let parameters = Self.parameters(other) {
            #expect(parameters.size.width > 0 && parameters.size.height > 0 && parameters.id <= 31)
            #expect(parameters.reorderDepth.map { $0 <= 16 } ?? true)
          }
          var sets = H264ParameterSets()
          if sets.take(other.span.bytes) { #expect(sets.units == [other]) }
        }
      }
    }
  }

  @Test func `slice headers say which picture they belong to`() throws {
    var sequence = H264Maker.Sequence()
    sequence.hasOnlyFrames = false
    let sets = Self.sets([sequence.unit, H264Maker.pictureSet(id: 3)])
    var slice = H264Maker.Slice()
    slice.first = 40
    slice.type = 7
    slice.pictureSet = 3
    slice.frameNumber = 9
    slice.field = 1
    slice.order = 33
    let bytes = slice.unit(sequence)
    let header = try #require(Self.header(bytes, sets))
    #expect(header.firstMacroblock == 40 && header.isIntra && header.pictureSet == 3 && header.frameNumber == 9)
    #expect(header.field == .bottom && header.orderBits == 33 && !header.isIDR && header.isReference)
    for length in 0..<4 {
      #expect(Self.header(Array(bytes[..<length]), sets) == nil)
    }
    #expect(Self.header(bytes, H264ParameterSets()) == nil)
    // Each of these begins another picture (H.264 7.4.1.2.4), and another slice of the same doesn't.
    var next = slice
    next.first = 60
    let same = try #require(Self.header(next.unit(sequence), sets))
    #expect(!header.isOtherPicture(same))
    let changes: [(inout H264Maker.Slice) -> Void] = [
      { $0.first = 40 }, { $0.frameNumber = 10 }, { $0.field = 0 }, { $0.field = nil }, { $0.order = 34 },
      { $0.reference = 0 }, { $0.isIDR = true },
    ]
    for change in changes {
      var other = next
      change(&other)
      let changed = try #require(Self.header(other.unit(sequence), sets))
      #expect(header.isOtherPicture(changed))
    }
  }

  @Test func `the longest numbers that a slice header may have are read to the last`() throws {
    var sequence = H264Maker.Sequence()
    (sequence.orderBits, sequence.hasOnlyFrames) = (16, false)
    let sets = Self.sets([sequence.unit, H264Maker.pictureSet(id: 255)])
    var slice = H264Maker.Slice()
    (slice.isIDR, slice.first, slice.type, slice.pictureSet, slice.frameNumber) = (true, 1 << 24, 9, 255, 15)
    (slice.field, slice.idrID, slice.order) = (1, 0xffff_fffe, 0xfffe)
    let header = try #require(Self.header(slice.unit(sequence), sets))
    #expect(header.firstMacroblock == 1 << 24 && header.pictureSet == 255 && header.frameNumber == 15)
    #expect(header.field == .bottom && header.idrID == 0xffff_fffe && header.orderBits == 0xfffe)
  }

  @Test func `each changed bit of a slice header is refused or read`() {
    let sequence = H264Maker.Sequence()
    let sets = Self.sets([sequence.unit, H264Maker.pictureSet()])
    let unit = H264Maker.Slice().unit(sequence)
    var read = 0
    for bit in 0..<(unit.count * 8) {
      var other = unit
      other[bit / 8] ^= 0x80 >> UInt8(bit % 8)
      if let header = Self.header(other, sets) {
        read += 1
        #expect(header.firstMacroblock <= 1 << 24)
      }
    }
    #expect(read > unit.count * 4)
    let zeros: [UInt8] = [0x41] + [UInt8](repeating: 0, count: 100)
    #expect(Self.header(zeros, sets) == nil)
  }

  @Test func `SDP's parameters are written as ffmpeg writes them, and read back`() {
    let text = "Z2QAHqzZgKAv+XARAAADAAEAAAMAMg8WLZo=,aOl5SyLA"
    let read = H264Format(parsing: "packetization-mode=1; sprop-parameter-sets=\(text); profile-level-id=64001E")
    #expect(read.packetizationMode == 1 && read.profileLevelID == 0x64001e && read.parameterSets.count == 2)
    let made = H264Format(parameterSets: read.parameterSets)
    #expect(made == read)
    #expect(made.description == "packetization-mode=1;profile-level-id=64001E;sprop-parameter-sets=\(text)")
    #expect(H264Format(parsing: made.description) == made)
    #expect(made.annexB.starts(with: [0, 0, 0, 1, 0x67, 0x64, 0, 0x1e]))
  }

  @Test func `what is malformed or unknown in SDP's parameters is skipped`() {
    #expect(H264Format(parsing: "") == H264Format(parsing: "x;=;;a=b"))
    let format = H264Format(
      parsing: "Packetization-Mode=7;profile-level-id=+4001E;sprop-parameter-sets=Z,!!!!,,Z2QA,HgEC; ;=")
    #expect(format.packetizationMode == 0 && format.profileLevelID == nil)
    #expect(format.parameterSets == [[0x67, 0x64, 0]])
    let many = "sprop-parameter-sets=" + Array(repeating: "Z2QA", count: 1_000).joined(separator: ",")
    #expect(H264Format(parsing: many).parameterSets.count == H264Format.maximumParameterSets)
    for length in 0...3 {
      let unit = Array([0x67, 1, 2, 3].prefix(length + 1)) as [UInt8]
      var format = H264Format(parsing: "")
      format.parameterSets = [unit]
      #expect(H264Format(parsing: format.description).parameterSets == [unit])
    }
  }
}
