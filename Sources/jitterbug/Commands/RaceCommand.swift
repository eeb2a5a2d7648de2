import Glibc
import Impairment
import Media
import Racing
import Reporting
import Sockets
import Timeline

/// The verb `race`.
enum RaceCommand {
  static func options(_ words: [String]) throws(UsageError) -> RaceOptions? {
    var options = RaceOptions()
    guard let operands = try RaceOptions.usage.parse(words, into: &options) else { return nil }
    options.words = words
    guard let file = operands.first else {
      throw UsageError("no file to race: name one, such as jitterbug race song.opus")
    }
    guard operands.count == 1 else {
      throw UsageError("race takes one file, and \(operands[1]) is a second one: race them one after the other")
    }
    guard file != "-" else { throw UsageError("race reads its file more than once, so it can't be standard input") }
    options.file = file
    try options.buffer.check()
    try checkLink(options)
    try checkPlayer(options)
    if options.isInProcess || options.isSimulated { try leaveOutTCP(&options) }
    try checkSweep(options)
    try ReportOutput.check(options.output)
    return options
  }

  /// Without namespaces there is no bad link for the kernel's TCP.
  private static func leaveOutTCP(_ options: inout RaceOptions) throws(UsageError) {
    let way = options.isSimulated ? "--simulate" : "--in-process"
    guard !(options.isSimulated && options.isInProcess) else {
      throw UsageError("--simulate runs without sockets and --in-process with them: choose one")
    }
    guard options.hasNamedLanes else { return options.lanes = [.udp, .udpFEC] }
    if let lane = options.lanes.first(where: \.isTCP) {
      throw UsageError(
        "\(way) leaves TCP out, because the kernel's TCP can't be put behind a link inside this process, and one "
          + "made up here would prove nothing: leave \(lane.name) out of --lanes, or leave out \(way)")
    }
    if options.isSimulated, options.lanes.contains(.unix) {
      throw UsageError("--simulate uses no sockets, so there is no lane unix: leave it out of --lanes")
    }
  }

  /// Each direction's link is said once.
  private static func checkLink(_ options: RaceOptions) throws(UsageError) {
    guard let link = options.link, options.down != nil, options.up != nil else { return }
    throw UsageError("--link \(link): --down and --up say all about the link already; leave one of the three out")
  }

  /// A player needs a moment to play from, and one that waits begins with a fixed one.
  private static func checkPlayer(_ options: RaceOptions) throws(UsageError) {
    if options.buffer.adaptation == nil, options.buffer.target == .zero {
      throw UsageError(
        "--buffer 0 leaves no time to play anything in: give at least a packet's length, such as --buffer 20")
    }
    guard options.tcpPlayer == .wait, options.buffer.adaptation != nil else { return }
    throw UsageError(
      "--tcp-player wait begins with a fixed buffer, and --buffer is adaptive: give one such as --buffer 60, or leave "
        + "--tcp-player out")
  }

  private static func checkSweep(_ options: RaceOptions) throws(UsageError) {
    guard let sweep = options.sweep else {
      guard options.seeds == nil else { throw UsageError("--seeds repeats the races of a --sweep, and there is none") }
      return
    }
    guard options.folder == nil else { throw UsageError("--out writes what is heard in one race: leave out --sweep") }
    if sweep.key == .buffer, options.buffer.adaptation != nil {
      throw UsageError("--sweep buffer= sets the buffer of each race: leave out --buffer")
    }
    if sweep.key == .buffer, let none = sweep.points.first(where: { $0.value == 0 }) {
      throw UsageError(
        "--sweep buffer=\(none.text) leaves no time to play anything in: begin with a packet's length, such as 20")
    }
    if sweep.key != .buffer { _ = try RaceSweep.link(options.downLink, sweep.key, sweep.points[0]) }
  }

  static func run(_ options: RaceOptions) throws(CommandError) -> Int32 {
    for path in options.output.reportFiles { try WritableFile.check(path) }
    let track = try RaceTrack(options)
    let signals = try RaceSignals()
    let media = try RaceMedia(options, signals)
    if options.sweep != nil {
      let status = try RaceSweep(options, media, track, signals).run()
      if let problem = media.problem { throw CommandError(problem) }
      return status
    }
    let place = try RaceFolder(options)
    let outcome = try track.race(options, media, place, signals)
    let maker = RaceReportMaker(options, media, setting: track.setting)
    let report = maker.make(outcome, place)
    try ReportOutput.write(report, options.output, isOutputUsed: false)
    if let failure = outcome.lanes.compactMap({ $0.listener.failure }).first { throw failure }
    if let problem = media.problem { throw CommandError(problem) }
    return outcome.lanes.contains { $0.failure != nil } ? 1 : 0
  }
}

/// Where the lanes' sound is written: the folder that was asked for, or one that goes away.
final class RaceFolder {
  private let options: RaceOptions
  private let scratch: ScratchFolder?
  /// Whether the report lets people hear it.
  let isHeard: Bool

  init(_ options: RaceOptions) throws(CommandError) {
    self.options = options
    isHeard = options.output.reportFiles.contains { ReportOutput.Format(path: $0) == .html }
    scratch = isHeard ? try ScratchFolder() : nil
    guard let folder = options.folder else { return }
    if mkdir(folder, 0o777) != 0, errno != EEXIST {
      throw CommandError("--out \(folder): the folder can't be made: \(String(cString: strerror(errno)))")
    }
    for lane in options.lanes {
      for path in [Self.path(folder, lane, "wav"), Self.path(folder, lane, "opus")] { try WritableFile.check(path) }
    }
  }

  /// The files of a lane.
  func files(of lane: RaceLaneKind) -> RaceListener.Files {
    if let folder = options.folder {
      return RaceListener.Files(wav: Self.path(folder, lane, "wav"), opus: Self.path(folder, lane, "opus"))
    }
    return RaceListener.Files(wav: scratch?.file(Self.fileName(lane, "wav")))
  }

  /// A file that goes away again.
  func temporary(_ name: String) -> String? { scratch?.file(name) }

  private static func path(_ folder: String, _ lane: RaceLaneKind, _ suffix: String) -> String {
    folder + (folder.hasSuffix("/") ? "" : "/") + fileName(lane, suffix)
  }

  private static func fileName(_ lane: RaceLaneKind, _ suffix: String) -> String {
    lane.name.replacing(":", with: "-") + "." + suffix
  }
}
