import Impairment
import Racing
import Reporting
import Sockets
import Timeline

/// Where the races of a command take place.
struct RaceTrack {
  let setting: RaceReport.Setting

  /// Makes the place ready; the first thing that a race does, while there is only one thread.
  init(_ options: RaceOptions) throws(CommandError) {
    if options.isSimulated {
      setting = .simulated
    } else {
      setting = .inProcess
    }
  }

  /// Runs one race.
  func race(
    _ options: RaceOptions, _ media: RaceMedia, _ place: RaceFolder, _ signals: RaceSignals
  ) throws(CommandError) -> RaceOutcome {
    switch setting {
    case .simulated: try simulate(options, media, place, signals)
    case .inProcess, .namespaces: try raceInProcess(options, media, place, signals)
    }
  }

  /// The lanes on a virtual clock, one after the other.
  private func simulate(
    _ options: RaceOptions, _ media: RaceMedia, _ place: RaceFolder, _ signals: RaceSignals
  ) throws(CommandError) -> RaceOutcome {
    let start = Instant.zero + .seconds(1)
    var outcome = RaceOutcome(lanes: [], due: media.plain.frames.count)
    outcome.duration = media.plain.end
    for kind in options.lanes {
      if signals.look() { throw CommandError("interrupted: nothing was raced to its end") }
      let listener = try listener(kind, options, media, place, signals, start: start)
      let lane = listener.play(VirtualLane(listener.receiver, link: options.downLink))
      var result = RaceLaneResult(kind: kind, listener: listener)
      result.link = lane.linkRecord
      result.fates = lane.fates
      result.failure = listener.failure?.message
      outcome.lanes.append(result)
    }
    return outcome
  }

  private func raceInProcess(
    _ options: RaceOptions, _ media: RaceMedia, _ place: RaceFolder, _ signals: RaceSignals
  ) throws(CommandError) -> RaceOutcome {
    var carriers: [any RaceCarrier] = []
    // A folder for the Unix socket, gone with the race.
    let scratch = try ScratchFolder()
    do throws(SocketError) {
      for kind in options.lanes {
        let stream = media.stream(of: kind)
        if kind == .unix {
          carriers.append(try DatagramCarrier(stream, unixAt: scratch.file("race")))
        } else {
          carriers.append(try DatagramCarrier(stream, loopbackWith: options.downLink))
        }
      }
    } catch { throw CommandError(error.description) }
    let start = MonotonicClock.now() + .milliseconds(50)
    var lanes: [RaceRun.Lane] = []
    for (kind, carrier) in zip(options.lanes, carriers) {
      let listener = try listener(kind, options, media, place, signals, start: start)
      lanes.append(RaceRun.Lane(kind: kind, carrier: carrier, listener: listener))
    }
    let run = try RaceRun(options, lanes, start: start, total: media.plain.end, signals: signals)
    return try run.run(grace: .seconds(30))
  }

  private func listener(
    _ kind: RaceLaneKind, _ options: RaceOptions, _ media: RaceMedia, _ place: RaceFolder, _ signals: RaceSignals,
    start: Instant
  ) throws(CommandError) -> RaceListener {
    let receiver = LaneReceiver(
      media.stream(of: kind), start: start, target: options.buffer.target, adaptation: options.buffer.adaptation,
      seed: options.downLink.seed)
    return try RaceListener(
      kind, receiver: receiver,
      waitsWith: kind.isTCP && options.tcpPlayer == .wait ? options.buffer.target : nil,
      files: place.files(of: kind), channels: media.channels, isElastic: options.buffer.adaptation != nil,
      interrupt: signals.interrupt)
  }
}
