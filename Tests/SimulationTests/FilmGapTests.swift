import Pictures
import Receiving
import Statistics
import TestSupport
import Testing
import Timeline

/// What a viewer sees of a film with long gaps, and of one that waits for long.
struct FilmGapTests {
  @Test func `Frames that wait in a long buffer are all shown`() throws {
    var film = Film()
    film.frames = 700
    // More frames than an account remembers of those that are over.
    film.change = { $0.target = .seconds(22) }
    film.run()
    let pictures = try #require(film.stream?.pictures)
    #expect(pictures.expected == 700 && pictures.complete == 700 && pictures.shown == 700, "\(pictures)")
    #expect(film.shown.count == 700)
    #expect(pictures.waited == .zero && pictures.freezes == 0)
  }

  @Test(arguments: [140, 180, 600]) func `An outage counts frame by frame, and freezes the picture`(outage: Int) throws
  {
    var film = Film()
    film.hasB = false
    film.frames = 120 + outage + 120
    film.isDropped = { frame, _, _ in (60..<(60 + outage)).contains(frame) }
    film.run()
    let pictures = try #require(film.stream?.pictures)
    #expect(pictures.expected == film.frames)
    #expect(pictures.lost == outage)
    // It goes on with the next key frame.
    let next = (60 + outage + Film.group - 1) / Film.group * Film.group
    #expect(pictures.undecodable == next - 60 - outage)
    #expect(pictures.freezes == 1)
    #expect(pictures.frozen == Interval(units: Int64(next - 59) * Film.interval, rate: 90_000))
  }

  @Test(arguments: [true, false])
  func `Frames that begin with a supplement need not be the first behind a loss`(losesTwo: Bool) throws {
    var film = Film()
    film.hasSupplements = true
    // B-frames.
    film.isDropped = { frame, _, _ in frame == 36 || losesTwo && frame == 35 }
    film.run()
    let pictures = try #require(film.stream?.pictures)
    #expect(pictures.expected == 150 && pictures.lost == (losesTwo ? 2 : 1))
    #expect(pictures.damaged == 0 && pictures.undecodable == 0, "\(pictures)")
    #expect(film.requests == 0)
  }

  @Test func `Frames whose numbers have gone round are missed all the same`() throws {
    // frame_num has four bits.
    for count in [15, 16, 17] {
      var film = Film()
      film.hasB = false
      film.isDropped = { frame, _, _ in (65..<(65 + count)).contains(frame) }
      film.run()
      let pictures = try #require(film.stream?.pictures)
      #expect(pictures.lost == count)
      #expect(pictures.undecodable == 25 - count, "without \(count) frames")
      #expect(film.requests > 0)
    }
    // As many packets of a single frame that nobody refers to are no round.
    var film = Film()
    film.bytesOfB = 30_000
    film.isDropped = { frame, _, _ in frame == 66 }
    film.run()
    #expect(film.stream?.pictures?.undecodable == 0)
  }
}
