import Buffering
import Packets
import Pictures
import Receiving
import Statistics
import TestSupport
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
    #expect(film.requests == 0)
  }

  @Test func `A key frame that isn't whole freezes the picture until the next one`() throws {
    var film = Film()
    film.isDropped = { frame, index, _ in frame == 60 && index == 7 }
    film.run()
    let pictures = try #require(film.stream?.pictures)
    #expect(pictures.expected == 150)
    #expect(pictures.damaged == 1)
    #expect(pictures.complete == 149)
    // The rest of its group refers to it.
    #expect(pictures.undecodable == 29)
    #expect(pictures.freezes == 1)
    // From the last frame of the group before to the key frame after.
    #expect(pictures.frozen == Interval(units: 31 * Film.interval, rate: 90_000))
    let damaged = film.shown.filter { $0.frame.missingPackets > 0 }
    #expect(damaged.map(\.frame.number) == [60])
    #expect(damaged.map(\.frame.missingPackets) == [1])
    // At once, and after half a second; then the key frame is there.
    #expect(film.requests == 2)
    #expect(pictures.keyFrameRequests == 2)
  }

  @Test func `A key frame whose parameter sets are lost isn't shown, unless they were told beforehand`() throws {
    let sets = [H264Maker.Sequence().unit, H264Maker.pictureSet()]
    for (isTold, undecodable) in [(false, 30), (true, 0)] {
      var film = Film()
      film.hasB = false
      // The aggregate of both.
      film.isDropped = { frame, index, _ in frame == 0 && index == 0 }
      if isTold { film.change = { $0.formats.parameterSets[96] = sets } }
      film.run()
      let pictures = try #require(film.stream?.pictures)
      #expect(pictures.expected == 150)
      #expect(pictures.undecodable == undecodable)
      #expect(pictures.shown == 150 - undecodable)
      #expect((film.requests > 0) != isTold)
    }
  }

  @Test func `A damaged B-frame is missed by nobody`() throws {
    var film = Film()
    film.isDropped = { frame, index, _ in frame % 30 == 5 && index == 1 }
    film.run()
    let pictures = try #require(film.stream?.pictures)
    #expect(pictures.damaged == 5)
    #expect(pictures.complete == 145)
    #expect(pictures.undecodable == 0)
    #expect(pictures.freezes == 0)
    #expect(film.requests == 0)
  }

  @Test func `A B-frame of which nothing comes is missed by nobody, another frame by all up to the next key`() throws {
    for (lost, undecodable) in [([33, 35, 65], 0), ([40], 19), ([33, 40], 19)] {
      var film = Film()
      film.isDropped = { frame, _, _ in lost.contains(frame) }
      film.bytesOfB = 800
      film.run()
      let pictures = try #require(film.stream?.pictures)
      #expect(pictures.expected == 150)
      #expect(pictures.lost == lost.count)
      #expect(pictures.undecodable == undecodable)
    }
  }

  @Test(arguments: [false, true]) func `Reordering is learned where the stream doesn't tell it`(isTold: Bool) throws {
    var film = Film()
    film.tellsDepth = isTold
    film.link = "delay=20ms,jitter=4ms,seed=1"
    film.change = { $0.target = .milliseconds(50) }
    film.run()
    let pictures = try #require(film.stream?.pictures)
    #expect(pictures.complete == 150)
    // From the second on every frame waits for the delay that was asked for, give or take the network's and the first's.
    let due = film.shown.dropFirst(20).map(\.frame.due)
    for (number, (before, after)) in zip(due, due.dropFirst()).enumerated() {
      #expect(abs((after - before).milliseconds - 33.333) < 8, "frame \(number)")
    }
  }

  @Test(arguments: LongRun.seeds(10)) func `An adaptive buffer learns what frames need`(seed: UInt64) throws {
    var film = Film()
    film.frames = 900
    film.link = "delay=30ms,jitter=20ms,seed=\(seed)"
    film.change = {
      $0.target = .zero
      $0.adaptation = JitterBuffer.Adaptation()
    }
    film.run()
    let stream = try #require(film.stream)
    let pictures = try #require(stream.pictures)
    #expect(pictures.expected == 900)
    // Half a percent may be late in the long run; it takes a while to learn how much that is.
    #expect(pictures.late <= 27, "\(pictures.late)")
    #expect(stream.playout.target > .milliseconds(40) && stream.playout.target < .milliseconds(250))
    #expect(pictures.damaged + pictures.lost == 0)
  }

  @Test func `A frame of which nothing comes is told by the timestamps`() throws {
    var film = Film()
    film.isDropped = { frame, _, _ in frame == 40 || frame == 95 || frame == 96 }
    film.run()
    let pictures = try #require(film.stream?.pictures)
    #expect(pictures.expected == 150)
    #expect(pictures.lost == 3)
    #expect(pictures.complete == 147)
  }

  @Test func `A buffer too short makes frames late, and a longer one none`() throws {
    for (target, late) in [(Interval.milliseconds(100), 4), (.milliseconds(300), 0)] {
      var film = Film()
      film.change = { $0.target = target }
      // The last packets of some frames take long.
      film.delay = { frame, index in frame % 36 == 5 && index > 0 ? .milliseconds(200) : .zero }
      film.run()
      let pictures = try #require(film.stream?.pictures)
      #expect(pictures.late == (late > 0 ? (0..<150).count { $0 % 36 == 5 } : 0))
      #expect(pictures.damaged == 0 && pictures.lost == 0)
      #expect(pictures.complete + pictures.late == 150)
    }
  }

  @Test(arguments: LongRun.seeds(20))
  func `Every frame is in one class, whatever the network does`(seed: UInt64) throws {
    for loss in ["0", "1%", "5%", "20%"] {
      var film = Film()
      film.hasB = seed % 2 == 0
      film.frames = 300
      film.link = "delay=30ms,jitter=15ms,loss=\(loss),duplicate=1%,reorder=2%,seed=\(seed)"
      film.run()
      let stream = try #require(film.stream)
      let pictures = try #require(stream.pictures)
      #expect(pictures.expected == pictures.complete + pictures.damaged + pictures.late + pictures.lost)
      #expect(pictures.undecodable <= pictures.complete)
      #expect(pictures.expected <= 300 && pictures.expected >= 285, "\(pictures)")
      #expect(film.shown.count { $0.frame.missingPackets == 0 } == pictures.complete)
      #expect(film.shown.count { $0.frame.isDecodable } == pictures.shown)
      // What is whole is as it was sent.
      var frames = 0..<300
      for shown in film.shown where shown.frame.missingPackets == 0 {
        // Of the very first one nobody can know whether packets lie before the first that came; if they are its parameter
        // sets it isn't shown.
        let mayLackStart = frames.lowerBound == 0 && !shown.frame.isDecodable
        let frame = frames.first {
          let sent = film.unit($0)
          return sent == shown.bytes || mayLackStart && sent.suffix(shown.bytes.count - 5) == shown.bytes.dropFirst(5)
        }
        frames = (try #require(frame) + 1)..<300
      }
      let playout = stream.playout
      #expect(
        playout.played + playout.late + playout.discarded.total + playout.stillBuffered == stream.statistics.unique)
      #expect(pictures.history.cells.reduce(0) { $0 + $1.count } == pictures.expected)
      if loss == "0" { #expect(pictures.lost == 0 && pictures.damaged == 0, "\(pictures)") }
    }
  }
}
