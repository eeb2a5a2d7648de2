import Buffering
import Receiving
import Statistics
import Testing
import Timeline

/// Transport streams whose RTP timestamps aren't times of sending, and those whose pictures' own times go on otherwise.
@Suite struct `Times of a transport stream` {
  private func played(_ film: TransportFilm) throws -> (pictures: PictureStatistics, playout: PlayoutStatistics) {
    var film = film
    film.run()
    let stream = try #require(film.stream)
    return (try #require(stream.pictures), stream.playout)
  }

  // MARK: - Presentation times

  @Test(arguments: [false, true], [false, true])
  func `Nothing is late where pictures are sent in another order than they are shown`(
    keepsBack: Bool, isAdaptive: Bool
  ) throws {
    var film = TransportFilm()
    film.keepsBack = keepsBack
    if isAdaptive { film.change = { $0.adaptation = JitterBuffer.Adaptation() } }
    let (pictures, playout) = try played(film)
    #expect(playout.late == 0)
    #expect(pictures.shown == 100 && pictures.expected == 100, "\(pictures)")
    #expect(pictures.freezes == 0)
    #expect(pictures.reorderDepth == 1)
    // A picture's time more than was asked for, as ffmpeg may keep packets back for so long.
    if !isAdaptive { #expect(playout.target == .milliseconds(100)) }
  }

  @Test func `A network that changes the order of packets changes nothing about it`() throws {
    var film = TransportFilm()
    film.swapped = [0, 3, 9, 12, 30, 33, 64, 67, 101]
    let (pictures, playout) = try played(film)
    #expect(playout.late == 0 && pictures.shown == 100, "\(playout.late) \(pictures)")
    // Nor does it make times of sending into others.
    film.times = .sending
    film.change = { $0.target = .milliseconds(200) }
    let sent = try played(film)
    #expect(sent.playout.target == .milliseconds(200) && sent.pictures.reorderDepth == 0)
    #expect(sent.pictures.shown == 100)
  }

  @Test func `Times of sending stay what they are`() throws {
    var film = TransportFilm()
    film.times = .sending
    let (pictures, playout) = try played(film)
    #expect(pictures.shown == 100 && pictures.reorderDepth == 0)
    #expect(playout.target == .milliseconds(60))
    // The first of a pair waits for as long as the buffer is, to the nanosecond.
    #expect(abs((playout.meanWait ?? 0) - 0.06) < 1e-9)
  }

  @Test func `Numbers that go round change nothing`() throws {
    var film = TransportFilm()
    film.firstDecode = (1 << 33) - 50 * TransportFilm.interval
    film.firstTimestamp = 0 &- UInt32(20 * TransportFilm.interval)
    let (pictures, playout) = try played(film)
    #expect(pictures.shown == 100 && pictures.freezes == 0 && playout.late == 0)
  }

  // MARK: - Pauses

  @Test(arguments: [TransportFilm.Times.sending, .presentation], [500, 1000, 3000])
  func `A sender's pause is a freeze`(times: TransportFilm.Times, milliseconds: Int64) throws {
    var film = TransportFilm()
    film.times = times
    film.pauses = [50: .milliseconds(milliseconds)]
    let (pictures, playout) = try played(film)
    #expect(playout.late == 0)
    #expect(pictures.shown == 100 && pictures.expected == 100, "\(pictures)")
    #expect(pictures.freezes == 1)
    let error = (pictures.longestFreeze - .milliseconds(milliseconds + 40)).milliseconds
    #expect(abs(error) <= 120, "\(pictures.longestFreeze)")
  }

  @Test func `Each of several pauses counts`() throws {
    var film = TransportFilm()
    film.times = .sending
    film.firstDecode = (1 << 33) - 60 * TransportFilm.interval
    film.pauses = [20: .seconds(1), 61: .seconds(2), 90: .milliseconds(100)]
    let (pictures, _) = try played(film)
    #expect(pictures.freezes == 2)
    #expect(abs((pictures.frozen - .seconds(3)).milliseconds) <= 240, "\(pictures.frozen)")
  }

  @Test(arguments: [TransportFilm.Times.sending, .presentation])
  func `A file that begins anew goes on without a freeze`(times: TransportFilm.Times) throws {
    var film = TransportFilm()
    film.times = times
    film.loops = [25, 75]
    let (pictures, playout) = try played(film)
    #expect(playout.late == 0)
    #expect(pictures.shown == 100 && pictures.expected == 100, "\(pictures)")
    #expect(pictures.freezes == 0)
  }
}
