import Glibc
import Sockets
import Timeline
import Verification

/// All cases at once with real sockets on loopback: this same command as receivers and senders, watched by one loop.
final class VerificationRun {
  private let options: VerifyOptions
  private let signals: SignalDescriptor
  private let folder: ScratchFolder
  private var cases: [SocketCase] = []

  /// No case takes nearly as long beyond the time that it sends; one that does has failed.
  private static let patience = Interval.seconds(60)

  init(_ options: VerifyOptions, at now: Instant) throws(CommandError) {
    self.options = options
    do { signals = try SignalDescriptor() } catch { throw CommandError(error.description) }
    folder = try ScratchFolder()
    let time = options.time ?? .seconds(6)
    for (place, test) in options.cases.enumerated() {
      let first = options.ports + place * SocketCase.portCount
      let files = CaseFiles(folder: folder, name: "\(place)")
      cases.append(
        SocketCase(test, time: time, seed: options.seed, port: first, files: files, isVerbose: options.isVerbose))
    }
  }

  /// Runs every case to its end.
  func run() throws(CommandError) -> [CaseResult] {
    let limit = MonotonicClock.now() + Self.patience + (options.time ?? .seconds(6)) * 2
    var interrupted = false
    while cases.contains(where: { !$0.isOver }) {
      let now = MonotonicClock.now()
      for place in cases.indices where !cases[place].isOver {
        do throws(CommandError) { try cases[place].advance(at: now) } catch { cases[place].fail(error.message) }
        if now > limit { cases[place].fail("it isn't over after \(Int((Self.patience).seconds)) s more than it sends") }
      }
      while (try? signals.next()) != nil { interrupted = true }
      if interrupted { throw CommandError("interrupted: nothing was verified") }
      if !options.isQuiet, !options.isJSON { VerifyCommand.progress(cases.count { $0.isOver }, of: cases.count) }
      usleep(20_000)
    }
    return cases.map { $0.result(falsified: options.falsified) }
  }
}

/// The names of one case's files.
struct CaseFiles {
  let folder: ScratchFolder
  let name: String

  func path(_ kind: String) -> String { folder.file("\(name)-\(kind)") }
  func text(_ kind: String) -> String { folder.text("\(name)-\(kind)") }
}
