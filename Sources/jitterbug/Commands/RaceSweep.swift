import Impairment
import Racing
import Reporting
import Sockets
import Timeline

/// A race at each value of what is swept, with several seeds.
struct RaceSweep {
  private let options: RaceOptions
  private let media: RaceMedia
  private let track: RaceTrack
  private let signals: RaceSignals

  init(_ options: RaceOptions, _ media: RaceMedia, _ track: RaceTrack, _ signals: RaceSignals) {
    self.options = options
    self.media = media
    self.track = track
    self.signals = signals
  }

  /// Runs all races and writes the report; those before an interruption count.
  func run() throws(CommandError) -> Int32 {
    guard let sweep = options.sweep else { return 0 }
    let maker = RaceReportMaker(try shared(without: sweep.key), media, setting: track.setting)
    var report = SweepReport(race: maker.settings(), key: sweep.key.rawValue, unit: sweep.key == .loss ? "%" : "ms")
    var isEarly = false
    races: for point in sweep.points {
      for number in 0..<UInt64(options.seeds ?? 3) {
        let seed = (options.seed ?? options.downLink.seed) &+ number
        say("\(sweep.key.rawValue) \(point.text), seed \(seed)")
        let single = try settings(for: point, sweep.key, seed: seed)
        let outcome: RaceOutcome
        do throws(CommandError) {
          outcome = try track.race(single, media, try RaceFolder(single), signals)
        } catch {
          guard signals.isInterrupted, !report.runs.isEmpty else { throw error }
          isEarly = true
          break races
        }
        if outcome.isInterrupted {
          isEarly = true
          break races
        }
        report.race.duration += outcome.duration
        report.race.began = report.race.began ?? outcome.began
        let lanes = RaceReportMaker(single, media, setting: track.setting).make(outcome, nil).lanes
        report.runs.append(
          SweepRun(
            value: point.value, text: point.text, seed: seed,
            lanes: lanes.map { $0.summary(interval: report.race.packetInterval) }))
      }
    }
    if isEarly {
      report.race.ended = "interrupted"
      guard !report.runs.isEmpty else { throw CommandError("interrupted before the first race was over") }
    }
    try ReportOutput.write(report, options.output, isOutputUsed: false)
    return 0
  }

  /// The settings that all races share: the link without what is swept.
  private func shared(without key: RaceOptions.SweepKey) throws(CommandError) -> RaceOptions {
    guard key != .buffer else { return options }
    var shared = options
    let none = RaceOptions.SweepPoint(text: "0", value: 0)
    do throws(UsageError) {
      shared.down = try Self.link(options.downLink, key, none)
      shared.up = try Self.link(options.upLink, key, none)
    } catch { throw CommandError(error.message) }
    return shared
  }

  private func say(_ text: String) {
    guard !options.output.isQuiet else { return }
    StandardError.write("race: \(text)\n")
  }

  private func settings(
    for point: RaceOptions.SweepPoint, _ key: RaceOptions.SweepKey, seed: UInt64
  ) throws(CommandError) -> RaceOptions {
    var single = options
    single.seed = seed
    single.sweep = nil
    single.output.isQuiet = true
    single.output.reportFiles = []
    do throws(UsageError) {
      switch key {
      case .buffer: single.buffer.policy = .fixed(Interval(seconds: point.value / 1000))
      case .loss, .delay:
        single.down = try Self.link(options.downLink, key, point)
        single.up = try Self.link(options.upLink, key, point)
      }
    } catch { throw CommandError(error.message) }
    return single
  }

  /// The link with the value in place of its own.
  static func link(
    _ spec: LinkSpec, _ key: RaceOptions.SweepKey, _ point: RaceOptions.SweepPoint
  ) throws(UsageError) -> LinkSpec {
    var spec = spec
    do {
      try spec.apply("\(key.rawValue)=\(point.value)\(key == .loss ? "%" : "ms")")
    } catch { throw UsageError("--sweep \(key.rawValue)=\(point.text): \(error)") }
    return spec
  }
}
