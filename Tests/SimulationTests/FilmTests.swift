import Buffering
import Packets
import Pictures
import Receiving
import Statistics
import Testing
import Timeline

/// What a viewer sees of a film over a bad network.
struct FilmTests {
  @Test(arguments: [false, true]) func `Over a good network every frame comes out as it went in`(hasB: Bool) throws {
    var film = Film()
    film.hasB = hasB
    film.run()
    #expect(film.shown.count == film.frames)
    for (number, shown) in film.shown.enumerated() {
      #expect(shown.bytes == film.unit(number))
      #expect(shown.frame.isDecodable && shown.frame.missingPackets == 0)
    }
    let pictures = try #require(film.stream?.pictures)
    #expect(pictures.expected == film.frames)
    #expect(pictures.complete == film.frames)
    #expect(pictures.shown == film.frames)
    #expect(pictures.keyFrames == 5)
    #expect(pictures.freezes == 0)
    #expect(pictures.frameInterval == Interval(units: Film.interval, rate: 90_000))
  }
}
