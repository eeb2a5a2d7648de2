import Emulation
import Glibc
import Impairment
import Reporting
import Sockets
import Statistics
import Timeline

/// A run of `link`: the world, the peer and the command in it, and what is written down of it.
///
/// The command stays in the terminal's foreground, so that Ctrl-C and Ctrl-Z reach it as if it were run alone; what is
/// sent to this process is passed on to it. The peer has a session of its own, so that Ctrl-C leaves it to answer.
final class LinkRun {
  private let options: LinkOptions
  private let world: LinkWorld
  private let guardian: NamespaceGuard
  private let journal: PacketJournal?
  private var log: LinkLog?
  private var loop: EventLoop
  private let signals: SignalDescriptor
  private var events: [ReadyEvent] = []

  private var command: Int32?
  private var commandStatus: Int32?
  private var peer: Int32?
  private var peerStatus: Int32?

  private static let signalToken: UInt64 = 0
  private static let journalToken: UInt64 = 1
  /// How long what is under way may take to arrive once the command has ended.
  private static let arrivalLimit = Interval.seconds(5)
  /// How long the peer and what the command left behind have to end when they are asked to.
  private static let endLimit = Interval.seconds(3)

  init(_ options: LinkOptions) throws(CommandError) {
    self.options = options
    let isLogged = options.captureFile != nil || options.traceFile != nil
    do throws(EmulationError) {
      try NamespaceCommand.adoptOrphans()
    } catch { throw CommandError(error.description) }
    do throws(SocketError) {
      signals = try SignalDescriptor([.interrupt, .terminate, .hangUp, .quit, .childEnded])
      loop = try EventLoop()
      try loop.add(signals.descriptor, token: Self.signalToken, read: true, write: false)
      journal = isLogged ? try PacketJournal(frameBytes: 65_535) : nil
      if let journal { try loop.add(journal.wake.descriptor, token: Self.journalToken, read: true, write: false) }
    } catch { throw CommandError(error.description) }
    log = isLogged ? try LinkLog(capture: options.captureFile, trace: options.traceFile) : nil
    let lane = LaneSpec(down: options.down ?? .perfect, up: options.up ?? .perfect)
    do throws(EmulationError) {
      let world = try LinkWorld([lane], journal: journal)
      guardian = try NamespaceGuard(networks: [world.network(.here), world.network(.peer)])
      self.world = world
    } catch { throw CommandError(error.description) }
  }

  /// Runs the command to its end; the exit status.
  func run() throws(CommandError) -> Int32 {
    let names = [(name: "peer", addresses: world.addresses(.peer)), (name: "here", addresses: world.addresses(.here))]
    do throws(EmulationError) { try HostNames.install(names) } catch {
      say("the names peer and here lead nowhere, JITTERBUG_PEER and JITTERBUG_HERE do: \(error)")
    }
    do throws(EmulationError) { try world.start() } catch { throw CommandError(error.description) }
    if let failure = try startPeer() {
      try endAll()
      throw CommandError(failure)
    }
    let started = MonotonicClock.now()
    let number = NamespaceCommand.start(
      options.command, environment: environment(), network: world.network(.here), isDetached: false)
    guard number > 0 else {
      try endAll()
      let name = options.command.first ?? ""
      // A folder of PATH that can't be read makes any command's absence look like a lack of permission.
      let code = -number == EACCES && !Self.isOnPath(name) ? ENOENT : -number
      say(Self.sentence(about: name, code: code))
      return code == ENOENT ? 127 : 126
    }
    command = number
    while commandStatus == nil { try turn(until: nil) }
    let ended = MonotonicClock.now()
    try settle()
    try endAll()
    Foreground.takeBack()
    let status = commandStatus.map { $0 < 0 ? 128 - $0 : $0 } ?? 1
    try report(duration: ended - started, status: status)
    return status
  }

  // MARK: Its stages

  /// Starts the peer and waits until it listens; what is wrong with it, if anything.
  private func startPeer() throws(CommandError) -> String? {
    guard let text = options.peer else { return nil }
    let number = NamespaceCommand.start(
      ["/bin/sh", "-c", text], environment: environment(), network: world.network(.peer), isDetached: true)
    guard number > 0 else { return Self.sentence(about: "/bin/sh", code: -number) }
    peer = number
    let limit = MonotonicClock.now() + options.peerWait
    while peerStatus == nil, !NamespaceCommand.listens(number) {
      let now = MonotonicClock.now()
      if now >= limit { return nil }
      try turn(until: min(limit, now + .milliseconds(5)))
    }
    if let peerStatus, peerStatus != 0 {
      let how = peerStatus > 0 ? "exit status \(peerStatus)" : "signal \(-peerStatus)"
      return "--peer \(text): it ended at once with \(how), so the command was not started"
    }
    return nil
  }

  /// Lets what is under way arrive, and the peer go on as long as it may.
  private func settle() throws(CommandError) {
    let ended = MonotonicClock.now()
    while world.inFlight > 0, MonotonicClock.now() - ended < Self.arrivalLimit {
      try turn(until: MonotonicClock.now() + .milliseconds(5))
    }
    while peer != nil, peerStatus == nil, MonotonicClock.now() - ended < options.linger {
      try turn(until: ended + options.linger)
    }
  }

  /// Ends the peer and everything that the two left behind: politely, then without asking.
  private func endAll() throws(CommandError) {
    let limit = MonotonicClock.now() + Self.endLimit
    var asked: Set<Int32> = []
    while case let children = leftovers, !children.isEmpty, MonotonicClock.now() < limit {
      for child in children where asked.insert(child).inserted {
        let whom = child == peer ? -child : child
        kill(whom, SIGTERM)
        // One that was stopped takes notice only when it goes on.
        kill(whom, SIGCONT)
      }
      try turn(until: min(limit, MonotonicClock.now() + .milliseconds(20)))
    }
    // The children of one that is killed come to us in turn.
    while case let children = leftovers, !children.isEmpty {
      for child in children { kill(child, SIGKILL) }
      try turn(until: MonotonicClock.now() + .milliseconds(5))
    }
  }

  /// The children that haven't been taken note of: the peer, and what the two left behind.
  private var leftovers: [Int32] { NamespaceCommand.children().filter { $0 != guardian.process } }

  /// One turn of the loop: signals are passed on, children taken note of, the journal written down.
  private func turn(until deadline: Instant?) throws(CommandError) {
    do throws(SocketError) {
      try loop.wait(until: Instant.earliest(deadline, log?.nextTurn), into: &events)
      while let (signal, isSent) = try signals.nextWithOrigin() {
        guard signal != .childEnded, isSent || signal == .hangUp, let command, commandStatus == nil else { continue }
        kill(command, signal.rawValue)
      }
    } catch { throw CommandError(error.description) }
    while let ending = NamespaceCommand.nextEnded() {
      if ending.process == command { commandStatus = ending.status }
      if ending.process == peer { peerStatus = ending.status }
    }
    drain()
  }

  private func drain() {
    guard let journal, let log else { return }
    journal.drain { event, frame in
      log.write(event, frame)
      // While they come faster than they are written there is no end to them.
      log.turn(at: event.time)
    }
    log.turn(at: MonotonicClock.now())
  }

  private func report(duration: Interval, status: Int32) throws(CommandError) {
    let record = world.stop()[0]
    drain()
    if let journal, journal.omitted > 0 {
      say("\(journal.omitted) packets are missing from --record and --trace: they came faster than they were written")
    }
    let down = Self.direction(options.down, record.down)
    let up = Self.direction(options.up, record.up)
    var report = EmulationReport(
      version: Version.number, command: options.command, peer: options.peer, down: down, up: up)
    report.status = Int(status)
    report.duration = duration
    report.processorTime = world.processorTime
    report.processorWait = world.processorWait
    if !options.isQuiet { StandardError.write(report.line + "\n") }
    if let path = options.reportFile { try TextFile.replace(path, with: report.json) }
    try log?.close()
  }

  private static func direction(_ spec: LinkSpec?, _ record: DirectionRecord) -> EmulationReport.Direction {
    var direction = EmulationReport.Direction(
      spec: (spec ?? .perfect).description, record: LinkReport(record.link))
    direction.bytesOffered = Int(record.link.bytesOffered)
    direction.bytesDelivered = Int(record.link.bytesDelivered)
    direction.passed = record.passed
    direction.missed = record.missed
    direction.refused = record.refused + record.oversized
    direction.lateness = (record.lateness.mean, record.lateness.p99, record.lateness.max)
    return direction
  }

  // MARK: What the commands see

  /// This process's environment without proxies, which can't be reached, and with the addresses of the two sides.
  private func environment() -> [String] {
    var lines: [String] = []
    var place = environ
    while let line = place.pointee {
      lines.append(String(cString: line))
      place += 1
    }
    let (here, peer) = (world.addresses(.here), world.addresses(.peer))
    let ours = [
      "JITTERBUG_HERE=\(here.v4)", "JITTERBUG_PEER=\(peer.v4)", "JITTERBUG_HERE6=\(here.v6)",
      "JITTERBUG_PEER6=\(peer.v6)",
    ]
    let dropped: Set = ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy"]
    return lines.filter { line in
      let name = line.prefix { $0 != "=" }
      return !dropped.contains(name.lowercased()) && !name.hasPrefix("JITTERBUG_")
    } + ours
  }

  private static func sentence(about name: String, code: Int32) -> String {
    if code == ENOENT {
      return name.contains("/")
        ? "\(name): there is no such file, or not the interpreter that it names"
        : "\(name): there is no such command on PATH"
    }
    return "\(name) can't be run: \(String(cString: strerror(code)))"
  }

  /// Whether there is a file that the name may stand for.
  private static func isOnPath(_ name: String) -> Bool {
    guard !name.contains("/"), let path = getenv("PATH") else { return true }
    return String(cString: path).split(separator: ":").contains { access("\($0)/\(name)", F_OK) == 0 }
  }

  private func say(_ text: String) { StandardError.write("jitterbug: \(text)\n") }
}

/// The terminal, if there is one.
private enum Foreground {
  /// Makes this process's group the foreground one again, after a shell that ended without doing so.
  static func takeBack() {
    guard isatty(STDIN_FILENO) == 1, tcgetpgrp(STDIN_FILENO) != getpgrp() else { return }
    let before = signal(SIGTTOU, SIG_IGN)
    tcsetpgrp(STDIN_FILENO, getpgrp())
    signal(SIGTTOU, before)
  }
}
