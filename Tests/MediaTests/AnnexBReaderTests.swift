import Glibc
import Packets
import TestSupport
import Testing

@testable import Media

@Suite struct AnnexBReaderTests {
  /// Everything that a reader gives.
  struct Reading {
    var frames: [VideoFrame] = []
    var error: MediaError?
    var damage = AnnexBDamage()
    var rate = (0, 0)
    var origin = AnnexBReader.RateOrigin.assumed
    var sets = H264ParameterSets()

    init(_ bytes: [UInt8], frameRate: (Int, Int)? = nil) {
      // What fits goes by a pipe, which is quicker to make.
      let folder = bytes.count > 60_000 ? TemporaryFolder() : nil
      var ends: [CInt] = [-1, -1]
      if folder == nil {
        _ = pipe(&ends)
        _ = write(ends[1], bytes, bytes.count)
        _ = close(ends[1])
      }
      do throws(MediaError) {
        var reader =
          if let folder {
            try AnnexBReader(path: folder.file("input.h264", holding: bytes), frameRate: frameRate)
          } else {
            try AnnexBReader(InputBytes(InputDescriptor(ends[0]), name: "-", prefix: []), frameRate: frameRate)
          }
        defer {
          damage = reader.damage
          rate = reader.frameRate
          origin = reader.rateOrigin
          sets = reader.parameterSets
        }
        while let frame = try reader.next() { frames.append(frame) }
      } catch {
        self.error = error
      }
    }

    /// When the frames are shown, in frames of 25 a second.
    var order: [Int] { frames.map { Int($0.presentation / 3_600) } }
  }

  static let sequence = H264Maker.Sequence()
  static let sets = [sequence.unit, H264Maker.pictureSet()]

  /// A slice whose picture is shown at a place in its group.
  static func slice(
    at place: Int, isIDR: Bool = false, reference: UInt8 = 2, frameNumber: Int = 0, first: Int = 0, type: Int = 0,
    in sequence: H264Maker.Sequence = sequence, field: Int? = nil
  ) -> [UInt8] {
    var slice = H264Maker.Slice()
    slice.isIDR = isIDR
    slice.reference = reference
    slice.frameNumber = frameNumber
    slice.first = first
    slice.type = isIDR ? 2 : type
    slice.order = 2 * place
    if let field {
      slice.field = field
      slice.order += field
    }
    return slice.unit(sequence)
  }

  /// A group of pictures in decoding order: I P B B P B B.
  static func group(_ number: Int) -> [[UInt8]] {
    let shape: [(Int, UInt8)] = [(0, 3), (3, 2), (1, 0), (2, 0), (6, 2), (4, 0), (5, 0)]
    var frameNumber = 0
    return shape.map { place, reference in
      defer { if reference > 0 { frameNumber += 1 } }
      return slice(at: place, isIDR: place == 0, reference: reference, frameNumber: frameNumber)
    }
  }

  @Test func `the revision of parameter sets counts changes, not repetitions`() {
    var sets = H264ParameterSets()
    var revisions = [sets.revision]
    for unit in [Self.sets[0], Self.sets[0], Self.sets[1], Self.sets[1] + [1], Self.sets[1] + [1], Self.sets[0]] {
      let isTaken = sets.take(unit.span.bytes)
      #expect(isTaken)
      revisions.append(sets.revision)
    }
    #expect(revisions == [0, 1, 1, 2, 3, 3, 3])
    let slice: [UInt8] = [0x65, 0x88]
    let isTaken = sets.take(slice.span.bytes)
    #expect(!isTaken && sets.revision == 3)
    #expect(sets.units == [Self.sets[0], Self.sets[1] + [1]])
  }

  @Test func `pictures come in decoding order, each with the time at which it is shown`() {
    let units = Self.sets + Self.group(0) + Self.sets + Self.group(1)
    for isShort in [false, true] {
      let reading = Reading(H264Maker.annexB(units, isShort: isShort))
      #expect(reading.error == nil && reading.damage.isEmpty)
      #expect(reading.order == [0, 3, 1, 2, 6, 4, 5, 7, 10, 8, 9, 13, 11, 12])
      #expect(reading.frames.map(\.decode) == (0..<14).map { $0 * 3_600 })
      #expect(reading.frames.allSatisfy { $0.duration == 3_600 })
      #expect(reading.frames.map(\.isKey) == (0..<14).map { $0 % 7 == 0 })
      #expect(reading.frames.flatMap(\.bytes) == H264Maker.annexB(units))
      #expect(reading.rate == (25, 1) && reading.origin == .stream && reading.sets.units == Self.sets)
    }
  }

  @Test func `access units begin at delimiters, supplements, parameter sets and other pictures' slices`() {
    let pictures: [[[UInt8]]] = [
      [H264Maker.delimiter] + Self.sets + [Self.slice(at: 0, isIDR: true), Self.slice(at: 0, isIDR: true, first: 9)],
      [H264Maker.delimiter, H264Maker.supplement, Self.slice(at: 1, frameNumber: 1)],
      [H264Maker.supplement, Self.slice(at: 2, frameNumber: 2), Self.slice(at: 2, frameNumber: 2, first: 70)],
      [Self.slice(at: 3, frameNumber: 3), Self.slice(at: 3, frameNumber: 3, first: 1), [0x0c, 0xff, 0x80]],
      [Self.slice(at: 4, frameNumber: 4)],
      [H264Maker.pictureSet(id: 1), Self.slice(at: 5, frameNumber: 5)],
      // A prefix NAL unit goes with the slice behind it.
      [[0x4e, 1, 2], Self.slice(at: 6, frameNumber: 6), [0x4e, 1, 2], Self.slice(at: 6, frameNumber: 6, first: 8)],
      [[0x4e, 1, 2], Self.slice(at: 7, frameNumber: 7), [0x0a], [0x0b]],
    ]
    let reading = Reading(H264Maker.annexB(pictures.flatMap { $0 }))
    #expect(reading.frames.map(\.bytes) == pictures.map { H264Maker.annexB($0) })
    #expect(reading.order == Array(0..<8) && reading.error == nil)
  }

  @Test func `parameter sets that the file doesn't repeat are put in front of each key frame`() {
    let units = [H264Maker.delimiter] + Self.sets + Self.group(0) + [H264Maker.delimiter] + Self.group(1)
    let reading = Reading(H264Maker.annexB(units))
    #expect(reading.frames[7].bytes == H264Maker.annexB([H264Maker.delimiter] + Self.sets + [Self.group(1)[0]]))
    #expect(reading.frames[8].bytes == H264Maker.annexB([Self.group(1)[1]]))
    // One of the two is there.
    let half = Reading(H264Maker.annexB(Self.sets + Self.group(0) + [Self.sets[0]] + Self.group(1)))
    #expect(half.frames[7].bytes == H264Maker.annexB(Self.sets + [Self.group(1)[0]]))
  }

  @Test func `times come from the stream, from the option, or are assumed`() {
    var slow = H264Maker.Sequence(tick: (1_001, 48_000))
    let units = { (sequence: H264Maker.Sequence) in
      [sequence.unit, H264Maker.pictureSet()] + (0..<5).map { Self.slice(at: $0, isIDR: $0 == 0, frameNumber: $0) }
    }
    let film = Reading(H264Maker.annexB(units(slow)))
    #expect(film.rate == (24_000, 1_001) && film.origin == .stream)
    #expect(film.frames.map(\.presentation) == [0, 3_753, 7_507, 11_261, 15_015])
    #expect(film.frames.map(\.duration) == [3_753, 3_754, 3_754, 3_754, 3_753])
    let given = Reading(H264Maker.annexB(units(slow)), frameRate: (60, 1))
    #expect(given.rate == (60, 1) && given.origin == .given)
    #expect(given.frames.map(\.presentation) == [0, 1_500, 3_000, 4_500, 6_000])
    for tick in [nil, (1, 4_000_000_000), (4_000_000_000, 1)] as [(UInt32, UInt32)?] {
      slow.tick = tick
      let assumed = Reading(H264Maker.annexB(units(slow)))
      #expect(assumed.rate == (25, 1) && assumed.origin == .assumed)
      #expect(assumed.order == [0, 1, 2, 3, 4])
    }
  }

  @Test func `a change of the rate at a key frame goes on where the time before it ended`() {
    let fast = H264Maker.Sequence(tick: (1, 100))
    let units = Self.sets + Self.group(0) + [fast.unit, H264Maker.pictureSet()] + Self.group(1)
    let reading = Reading(H264Maker.annexB(units))
    #expect(reading.frames[7...].map(\.presentation) == [0, 3, 1, 2, 6, 4, 5].map { 25_200 + $0 * 1_800 })
    #expect(reading.frames[7...].map(\.decode) == (0..<7).map { 25_200 + $0 * 1_800 })
    #expect(reading.rate == (50, 1))
  }

  @Test func `the count wraps around, counts frames instead of fields, and isn't sent`() {
    var sequence = H264Maker.Sequence()
    sequence.orderBits = 4
    let long =
      [sequence.unit, H264Maker.pictureSet()]
      + (0..<40).map { Self.slice(at: $0, isIDR: $0 == 0, frameNumber: $0, in: sequence) }
    #expect(Reading(H264Maker.annexB(long)).order == Array(0..<40))
    // Pictures in decoding order, counted one by one.
    let single =
      Self.sets
      + [0, 1, 2, 5, 3, 4].enumerated().map { index, place in
        var slice = H264Maker.Slice()
        slice.isIDR = index == 0
        slice.frameNumber = index
        slice.order = place
        return slice.unit(Self.sequence)
      }
    #expect(Reading(H264Maker.annexB(single)).order == [0, 1, 2, 5, 3, 4])
    for type in 1...2 {
      sequence.orderType = type
      let untold =
        [sequence.unit, H264Maker.pictureSet()]
        + (0..<9).map { Self.slice(at: 0, isIDR: $0 == 0, frameNumber: $0, in: sequence) }
      let reading = Reading(H264Maker.annexB(untold))
      #expect(reading.order == Array(0..<9) && reading.frames.map(\.decode) == reading.frames.map(\.presentation))
    }
  }

  @Test func `a field is a picture of half the time`() {
    var sequence = H264Maker.Sequence()
    sequence.hasOnlyFrames = false
    let units =
      [sequence.unit, H264Maker.pictureSet()]
      + [0, 1, 2, 3].flatMap { place in
        [0, 1].map { field in
          Self.slice(
            at: place, isIDR: place == 0 && field == 0, frameNumber: place, in: sequence, field: field)
        }
      }
    let reading = Reading(H264Maker.annexB(units))
    #expect(reading.frames.map(\.presentation) == (0..<8).map { $0 * 1_800 })
    #expect(reading.frames.map(\.duration) == Array(repeating: 1_800, count: 8))
  }

  @Test func `an open group begins at its recovery point, and what is shown before it is left out`() {
    let lead = [Self.slice(at: 3), Self.slice(at: 1, reference: 0, frameNumber: 1)]
    let open =
      Self.sets + [H264Maker.recoveryPoint, Self.slice(at: 10, frameNumber: 2, type: 2)]
      + [(8, 0), (9, 0), (13, 2), (11, 0), (12, 0)].map { Self.slice(at: $0, reference: $1, frameNumber: 3) }
    let reading = Reading(H264Maker.annexB(lead + open))
    #expect(reading.order == [0, 3, 1, 2])
    #expect(reading.frames.map(\.decode) == [0, 3_600, 7_200, 10_800])
    #expect(reading.frames.map(\.isKey) == [true, false, false, false])
    #expect(reading.damage.skippedPictures == 4)
    guard case .damaged(_, let detail) = reading.error else {
      Issue.record("nothing is said of what was left out")
      return
    }
    #expect(detail == "4 of its pictures come before the first key frame")
  }

  @Test func `a count that leaps isn't believed, and a gap of seconds is`() {
    var wild = H264Maker.Sequence()
    wild.orderBits = 16
    let places = [0, 1, 2, 30_000, 30_001, 30_003, 30_002, 30_023]
    let units =
      [wild.unit, H264Maker.pictureSet()]
      + places.enumerated().map { Self.slice(at: $1, isIDR: $0 == 0, frameNumber: $0, in: wild) }
    let reading = Reading(H264Maker.annexB(units))
    #expect(reading.order == [0, 1, 2, 3, 4, 6, 5, 26])
    #expect(reading.frames.last.map { $0.decode >= $0.presentation - 17 * 3_600 } ?? false)
  }
}
