import Media
import Testing
import Timeline

@Suite struct SyntheticTests {
  @Test func `specs are read with their units, and what is left out is as in the examples`() throws {
    #expect(
      try SyntheticSpec(parsing: "bytes=172,interval=20ms")
        == .constant(packetBytes: 172, interval: .milliseconds(20)))
    #expect(
      try SyntheticSpec(parsing: "interval=2.5ms,bytes=60")
        == .constant(packetBytes: 60, interval: .microseconds(2_500)))
    #expect(try SyntheticSpec(parsing: "interval=1s") == .constant(packetBytes: 172, interval: .seconds(1)))
    #expect(
      try SyntheticSpec(parsing: "interval=500us") == .constant(packetBytes: 172, interval: .microseconds(500)))
    #expect(
      try SyntheticSpec(parsing: "fps=30,bitrate=2mbit,gop=60")
        == .video(thousandthsOfFramesPerSecond: 30_000, bitrate: 2_000_000, gop: 60))
    #expect(
      try SyntheticSpec(parsing: "fps=29.97,bitrate=800kbit")
        == .video(thousandthsOfFramesPerSecond: 29_970, bitrate: 800_000, gop: 60))
    #expect(
      try SyntheticSpec(parsing: "bitrate=500000,gop=1")
        == .video(thousandthsOfFramesPerSecond: 30_000, bitrate: 500_000, gop: 1))
    #expect(
      try SyntheticSpec(parsing: "bitrate=2.5mbit")
        == .video(thousandthsOfFramesPerSecond: 30_000, bitrate: 2_500_000, gop: 60))
  }

  @Test(arguments: [
    ("", "“” in the synthetic source isn't key=value"),
    ("bytes", "“bytes” in the synthetic source isn't key=value"),
    ("bytes=172,", "“” in the synthetic source isn't key=value"),
    ("size=3", "knows no “size”"),
    ("bytes=20,bytes=30", "“bytes” twice"),
    ("bytes=12", "bytes can't be “12”; give 13 to 65507"),
    ("bytes=65508", "bytes can't be “65508”"),
    ("bytes=99999999999999999999", "bytes can't be"),
    ("bytes=-5", "bytes can't be"),
    ("interval=20", "interval can't be “20”; give 100us to 60s"),
    ("interval=0ms", "interval can't be"),
    ("interval=61s", "interval can't be"),
    ("interval=9999999999999999999s", "interval can't be"),
    ("interval=9223372036.9s", "interval can't be"),
    ("interval=1.ms", "interval can't be"),
    ("interval=.5s", "interval can't be"),
    ("interval=1e3ms", "interval can't be"),
    ("fps=0", "fps can't be “0”; give 1 to 1000"),
    ("fps=29.9701", "fps can't be"),
    ("bitrate=fast", "bitrate can't be “fast”; give 1kbit to 10gbit"),
    ("bitrate=11gbit", "bitrate can't be"),
    ("gop=0", "gop can't be “0”; give 1 to 100000 frames"),
    ("fps=1000,bitrate=1kbit", "would have only 0 bytes on average"),
    ("bytes=100,fps=30", "both “bytes” and “fps”"),
  ])
  func `a bad spec gets a sentence that names what was given`(text: String, words: String) {
    do throws(SyntheticSpecError) {
      _ = try SyntheticSpec(parsing: text)
      Issue.record("“\(text)” was accepted")
    } catch {
      #expect(error.description.contains(words), "\(error)")
    }
  }

  @Test func `the constant kind has one size and even times`() throws {
    var source = SyntheticSource(try SyntheticSpec(parsing: "bytes=172,interval=2.5ms"), seed: 1)
    for number in 0..<1_000 as Range<Int64> {
      let frame = source.next()
      #expect(frame.number == number)
      #expect(frame.bytes == 160)
      #expect(frame.timestamp == number * 225)
      #expect(frame.isKey)
    }
  }

  @Test(arguments: ["fps=30,bitrate=2mbit,gop=60", "fps=29.97,bitrate=800kbit,gop=7", "fps=25,bitrate=10gbit,gop=2"])
  func `a video's rate is exact over each group of pictures`(text: String) throws {
    let spec = try SyntheticSpec(parsing: text)
    guard case .video(let fps, let bitrate, let gop) = spec else { return }
    var source = SyntheticSource(spec, seed: 42)
    var total = 0
    for number in 1...(20 * gop) {
      total += source.next().bytes
      if number % gop == 0 { #expect(total == number * bitrate * 1_000 / (8 * fps), "after \(number) frames") }
    }
  }

  @Test func `key frames are several times the others, which vary and aren't empty`() throws {
    var source = SyntheticSource(try SyntheticSpec(parsing: "fps=30,bitrate=2mbit,gop=60"), seed: 7)
    let frames = (0..<600).map { _ in source.next() }
    let keys = frames.filter(\.isKey)
    let others = frames.filter { !$0.isKey }
    #expect(keys.map(\.number) == (0..<10).map { $0 * 60 })
    let mean = others.reduce(0) { $0 + $1.bytes } / others.count
    #expect(keys.allSatisfy { (5 * mean...8 * mean).contains($0.bytes) })
    #expect(others.allSatisfy { $0.bytes > mean / 2 && $0.bytes < 2 * mean })
    #expect(Set(others.map(\.bytes)).count > 100)
    #expect(frames[599].timestamp == 599 * 3_000)
  }

  @Test func `a key frame that is asked for is the next one, and begins a group of its own`() throws {
    let spec = try SyntheticSpec(parsing: "fps=25,bitrate=2mbit,gop=20")
    var (source, other) = (SyntheticSource(spec, seed: 3), SyntheticSource(spec, seed: 3))
    var frames: [SyntheticFrame] = []
    for number in 0..<60 {
      if number == 7 { source.makeKeyFrame() }
      frames.append(source.next())
    }
    #expect(frames.indices.filter { frames[$0].isKey } == [0, 7, 27, 47])
    // Nothing else changes before it, and times never do.
    let others = (0..<60).map { _ in other.next() }
    #expect(Array(frames[..<7]) == Array(others[..<7]))
    #expect(frames.map(\.timestamp) == others.map(\.timestamp))
    // A group has the bytes that its frames would have at the bit rate.
    #expect(frames[7..<27].reduce(0) { $0 + $1.bytes } == 200_000)
  }

  @Test func `the smallest rate that is accepted leaves no frame empty`() throws {
    for gop in [1, 2, 60] {
      var source = SyntheticSource(try SyntheticSpec(parsing: "fps=1000,bitrate=512kbit,gop=\(gop)"), seed: 3)
      #expect((0..<1_000).allSatisfy { _ in source.next().bytes > 0 })
    }
  }

  @Test(arguments: ["bytes=172,interval=20ms", "fps=29.97,bitrate=2mbit"])
  func `when the next frame is due is known before it is made`(text: String) throws {
    var source = SyntheticSource(try SyntheticSpec(parsing: text), seed: 1)
    for _ in 0..<200 {
      let announced = source.nextTimestamp
      let frame = source.next()
      #expect(frame.timestamp == announced)
    }
  }

  @Test func `odd frame rates don't drift`() throws {
    var source = SyntheticSource(try SyntheticSpec(parsing: "fps=29.97,bitrate=2mbit"), seed: 1)
    var last = source.next()
    for _ in 0..<2_997 { last = source.next() }
    #expect(last.timestamp == 100 * 90_000)
  }

  @Test func `the same seed gives the same frames, another one others`() throws {
    let spec = try SyntheticSpec(parsing: "fps=30,bitrate=2mbit")
    func sizes(_ seed: UInt64) -> [Int] {
      var source = SyntheticSource(spec, seed: seed)
      return (0..<100).map { _ in source.next().bytes }
    }
    #expect(sizes(5) == sizes(5))
    #expect(sizes(5) != sizes(6))
  }

  @Test func `a payload filled in pieces is the payload filled at once`() {
    func filled(_ count: Int, offset: Int, frame: Int64 = 9, seed: UInt64 = 1) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: count)
      var output = bytes.mutableSpan
      SyntheticSource.fill(&output, frame: frame, offset: offset, seed: seed)
      return bytes
    }
    let whole = filled(1_000, offset: 0)
    for cut in 0...40 {
      #expect(filled(cut, offset: 0) + filled(1_000 - cut, offset: cut) == whole)
    }
    #expect(filled(1_000, offset: 0, frame: 10) != whole)
    #expect(filled(1_000, offset: 0, seed: 2) != whole)
    #expect(Set(whole).count > 200, "it looks random")
  }
}
