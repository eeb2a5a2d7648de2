import Capture
import Dissection
import Glibc
import Receiving
import Reporting
import Sockets
import Timeline

/// Joins a capture with the analysis and its outputs: `jitterbug analyze` at work.
final class Analyzer {
  private let options: AnalyzeOptions
  private let signals: SignalDescriptor
  private var analysis: CaptureAnalysis
  private var extractor: StreamExtractor?
  private var live: LiveView
  private let started: Instant
  /// How the reading ended, when it wasn't with the end of the file.
  private var broken: String?
  private var ended: String?
  private var position: Int?
  private var dropped: Int?

  /// Frames that are read before anybody looks at the clock.
  private static let batch = 4096

  init(_ options: AnalyzeOptions) throws(CommandError) {
    self.options = options
    do throws(SocketError) { signals = try SignalDescriptor() } catch { throw CommandError(error.description) }
    var system = SystemRandomNumberGenerator()
    var configuration = CaptureAnalysis.Configuration(seed: system.next())
    configuration.formats = try options.formatTable()
    configuration.target = options.buffer
    configuration.ports = options.ports
    configuration.ssrc = options.ssrc
    configuration.arrivalLimit = options.keepsArrivals ? AnalyzeOptions.arrivalLimit : 0
    analysis = CaptureAnalysis(configuration)
    live = LiveView(options.output)
    started = MonotonicClock.now()
    if let folder = options.extractFolder { extractor = try StreamExtractor(folder: folder, channels: options.channels) }
  }

  /// Reads to the end; returns the exit status.
  func run() throws(CommandError) -> Int32 {
    do throws(CaptureError) {
      if let interface = options.interface {
        var source = try CaptureSource(interface: interface)
        if let filter = options.filter { try source.setFilter(filter) }
        try listen(&source, on: interface)
      } else {
        switch try CaptureFile.open(options.file ?? "-") {
        case .frames(var source):
          if let filter = options.filter { try source.setFilter(filter) }
          try read(&source)
        case .recording(var recording):
          guard options.filter == nil else { throw CaptureError.badFilter(options.filter ?? "", reason: noFrames) }
          read(&recording)
        }
      }
    } catch { throw CommandError(error.description) }
    analysis.finish(perform: performer)
    live.clear()
    extractor?.endAll()
    let report = AnalyzeReport.make(
      analysis, options: options, undecodable: extractor?.undecodable ?? [:],
      reading: AnalyzeReport.Reading(
        name: options.interface ?? options.file ?? "-", broken: broken, ended: ended, position: position,
        dropped: dropped))
    try ReportOutput.write(report, options.output, isOutputUsed: false)
    try extractor?.finish { live.say($0) }
    if options.linkFile != nil || options.isLinkFitted { try LinkWriter.write(analysis, options, say: { live.say($0) }) }
    // Something was wrong with the file, and what could be told has been told.
    return broken == nil ? 0 : 1
  }

  private var noFrames: String { "a recording by rtpdump has no frames to filter" }

  // MARK: Input

  private func read(_ source: inout CaptureSource) throws(CaptureError) {
    guard let link = LinkLayer(type: source.linkType) else {
      throw .notACapture(
        path: options.file ?? "-", reason: "its link type is \(source.linkType); known are \(LinkLayer.known)")
    }
    let performer = performer
    var analysis = take()
    loop: while true {
      let outcome = source.read(limit: Self.batch) { (frame, length, time) in
        analysis.handle(frame, link: link, at: time, perform: performer)
      }
      switch outcome {
      case .more: break
      case .end, .nothingYet: break loop
      case .broken(let reason):
        broken = Self.sentence(reason, after: source.frames, unit: "packet", at: source.position)
        break loop
      }
      if isInterrupted { break }
      showProgress(analysis, position: source.position)
    }
    self.analysis = analysis
    position = source.position
  }

  private func read(_ recording: inout RTPRecording) {
    let (source, destination) = (recording.source, recording.destination)
    let flow = Flow(
      source: NetworkEndpoint(ipv4: source.address, port: source.port),
      destination: NetworkEndpoint(ipv4: destination.address, port: destination.port))
    let performer = performer
    var analysis = take()
    loop: while true {
      let outcome = recording.read(limit: Self.batch) { (bytes, length, time) in
        analysis.handle(datagram: bytes, length: length, of: flow, at: time, perform: performer)
      }
      switch outcome {
      case .more: break
      case .end, .nothingYet: break loop
      case .broken(let reason):
        broken = Self.sentence(reason, after: recording.packets, unit: "packet", at: recording.position)
        break loop
      }
      if isInterrupted { break }
    }
    self.analysis = analysis
    position = recording.position
  }

  /// Captures until the time is over or somebody wants the report.
  private func listen(_ source: inout CaptureSource, on interface: String) throws(CaptureError) {
    guard let link = LinkLayer(type: source.linkType) else {
      throw .cannotCapture(
        interface: interface, reason: "its link type is \(source.linkType); known are \(LinkLayer.known)")
    }
    live.say("capturing on \(interface)\(options.duration == nil ? "; Ctrl-C ends it" : "")")
    live.start(at: MonotonicClock.now())
    let end = options.duration.map { MonotonicClock.now() + $0 }
    let performer = performer
    while !isInterrupted {
      let outcome = source.read(limit: Self.batch) { (frame, length, time) in
        analysis.handle(frame, link: link, at: time, perform: performer)
      }
      if case .broken(let reason) = outcome {
        broken = "\(interface) failed after \(source.frames) packets: \(reason)"
        break
      }
      let now = MonotonicClock.now()
      if let end, now >= end {
        ended = "--duration"
        break
      }
      showProgress(analysis, position: nil)
      if outcome == .nothingYet { wait(for: source.descriptor, until: end, now: now) }
    }
    dropped = source.dropped
  }

  /// Sleeps until frames or a signal may be there, a second at the longest.
  private func wait(for descriptor: CInt?, until end: Instant?, now: Instant) {
    var requests = [pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0)]
    if let descriptor { requests.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)) }
    let left = min(end.map { $0 - now } ?? .seconds(1), descriptor == nil ? .milliseconds(50) : .seconds(1))
    _ = poll(&requests, nfds_t(requests.count), CInt(max(0, left.milliseconds.rounded(.up))))
  }

  private var isInterrupted: Bool {
    while let signal = try? signals.next() { ended = signal == .interrupt ? "interrupted" : "terminated" }
    return ended != nil
  }

  /// The analysis, moved out of the class: changing it there would look for it anew with each packet.
  private func take() -> CaptureAnalysis {
    let taken = analysis
    analysis = CaptureAnalysis(CaptureAnalysis.Configuration(seed: 0))
    return taken
  }

  // MARK: Output

  private var performer: CaptureAnalysis.Performer? {
    guard let extractor else { return nil }
    return { (source, stream, decision, session) in
      extractor.perform(decision, source: source, stream: stream, in: session)
    }
  }

  private func showProgress(_ analysis: borrowing CaptureAnalysis, position: Int?) {
    let now = MonotonicClock.now()
    if now - started > .seconds(1) { live.start(at: now - .seconds(1)) }
    let (frames, streams) = (analysis.counts.frames, analysis.sources.count)
    let size = position == nil ? nil : fileSize
    live.update(at: now) { columns in
      guard columns != nil || options.interface != nil else { return [] }
      let share = size.flatMap { size in position.map { " (\($0 * 100 / max(size, 1)) %)" } } ?? ""
      return ["\(frames) packets\(share), \(streams) streams"]
    }
  }

  private lazy var fileSize: Int? = {
    var information = stat()
    guard let file = options.file, stat(file, &information) == 0, information.st_size > 0 else { return nil }
    return Int(information.st_size)
  }()

  /// Where a file stopped making sense.
  private static func sentence(_ reason: String, after count: Int, unit: String, at position: Int?) -> String {
    let place = position.map { ", at byte \($0)" } ?? ""
    return "the capture can't be read beyond \(unit) \(count)\(place): \(reason)"
  }
}
