import Buffering
import Receiving
import Statistics
import Testing
import Timeline

/// What a viewer sees when a sender is killed and begins anew with the same source, or is met in the middle of its film.
struct FilmRestartTests {
  @Test(arguments: [false, true], [10, 100, 300, 700, 1500, 3000] as [Int64])
  func `After a restart every frame is shown again`(hasB: Bool, gap: Int64) throws {
    for timestamp in [Film.firstTimestamp &- 2_000_000_000, Film.firstTimestamp &+ 1_500_000_000, 77] {
      var film = Film()
      film.hasB = hasB
      film.frames = 120
      film.restart = (66, .milliseconds(gap), 20_000, timestamp)
      film.change = { $0.target = .milliseconds(60) }
      film.run()
      let pictures = try #require(film.stream?.pictures)
      let context = "gap \(gap), timestamp \(timestamp)"
      #expect(film.stream?.statistics.restarts == 1, "\(context)")
      #expect(pictures.late == 0 && pictures.damaged == 0, "\(context): \(pictures.late), \(pictures.damaged)")
      #expect(pictures.shown >= 120 + 64, "\(context): \(pictures.shown)")
    }
  }

  @Test(arguments: [(true, false), (true, true), (false, false), (false, true)], [false, true])
  func `A film that is met anywhere is shown from the next key frame on`(
    _ film: (tellsDepth: Bool, hasPyramid: Bool), isRestart: Bool
  ) throws {
    let (tellsDepth, hasPyramid) = film
    for missed in 1..<60 {
      var film = Film()
      film.tellsDepth = tellsDepth
      film.hasPyramid = hasPyramid
      film.frames = 90
      film.missed = missed
      if isRestart { film.restart = (30, .milliseconds(700), 20_000, 77) }
      film.change = { $0.target = .milliseconds(60) }
      film.run()
      let pictures = try #require(film.stream?.pictures)
      let context = "without \(missed) packets"
      #expect(pictures.late == 0, "\(context): \(pictures.late)")
      #expect(pictures.damaged <= 1, "\(context): \(pictures.damaged)")
      #expect(pictures.shown >= 60 + (isRestart ? 28 : 0), "\(context): \(pictures.shown)")
    }
  }
}
