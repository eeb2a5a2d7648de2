import Emulation
import Impairment
import Racing
import Reporting
import Sockets
import Statistics
import Timeline

/// Where the races of a command take place.
struct RaceTrack {
  let setting: RaceReport.Setting

  /// Makes the place ready; the first thing that a race does, while there is only one thread.
  init(_ options: RaceOptions) throws(CommandError) {
    if options.isSimulated {
      setting = .simulated
    } else if options.isInProcess || !options.lanes.contains(where: { $0 != .unix }) {
      setting = .inProcess
    } else {
      setting = .namespaces
      do throws(EmulationError) { try LinkWorld.enter() } catch {
        throw CommandError("\(error); --in-process races the UDP lanes without it, and says why TCP is left out")
      }
    }
  }

  /// Runs one race.
  func race(
    _ options: RaceOptions, _ media: RaceMedia, _ place: RaceFolder, _ signals: RaceSignals
  ) throws(CommandError) -> RaceOutcome {
    switch setting {
    case .simulated: try simulate(options, media, place, signals)
    case .inProcess: try raceInProcess(options, media, place, signals)
    case .namespaces: try raceInNamespaces(options, media, place, signals)
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

  private func raceInNamespaces(
    _ options: RaceOptions, _ media: RaceMedia, _ place: RaceFolder, _ signals: RaceSignals
  ) throws(CommandError) -> RaceOutcome {
    let world = try RaceWorld(options, signals)
    var carriers = try world.carriers(media)
    let scratch = try ScratchFolder()
    if options.lanes.contains(.unix) {
      do throws(SocketError) {
        carriers[.unix] = try DatagramCarrier(media.stream(of: .unix), unixAt: scratch.file("race"))
      } catch { throw CommandError(error.description) }
    }
    let start = MonotonicClock.now() + .milliseconds(50)
    world.begin(at: start)
    var outcome = try race(options.lanes.map { carriers[$0] }, from: start, options, media, place, signals)
    let records = world.stop()
    for index in outcome.lanes.indices {
      guard let record = records[outcome.lanes[index].kind] else { continue }
      outcome.lanes[index].link = record.down.link
      outcome.lanes[index].linkBack = record.up.link
      outcome.lanes[index].missedByLink = record.down.missed + record.up.missed
      let late = max(record.down.lateness.p99, record.up.lateness.p99)
      outcome.lateLink = max(outcome.lateLink, late)
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
    return try race(carriers, from: MonotonicClock.now() + .milliseconds(50), options, media, place, signals)
  }

  /// Races over carriers that are connected, one a lane.
  private func race(
    _ carriers: [(any RaceCarrier)?], from start: Instant, _ options: RaceOptions, _ media: RaceMedia,
    _ place: RaceFolder, _ signals: RaceSignals
  ) throws(CommandError) -> RaceOutcome {
    var lanes: [RaceRun.Lane] = []
    for case (let kind, let carrier?) in zip(options.lanes, carriers) {
      (carrier as? StreamCarrier)?.begin(at: start)
      (carrier as? DatagramCarrier)?.begin(at: start)
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
