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

  private var isDamaged = false

  /// Frames that are taken from an interface before anybody looks at the clock.
  private static let batch = 4096
  /// How much of a file is read at a time.
  private static let blockSize = 1 << 18

  init(_ options: AnalyzeOptions) throws(CommandError) {
    self.options = options
    do throws(SocketError) { signals = try SignalDescriptor() } catch { throw CommandError(error.description) }
    var system = SystemRandomNumberGenerator()
    var configuration = CaptureAnalysis.Configuration(seed: system.next())
    configuration.formats = try options.formatTable()
    configuration.target = options.buffer.target
    configuration.adaptation = options.buffer.adaptation
    configuration.ports = options.ports
    configuration.ssrc = options.ssrc
    configuration.arrivalLimit = options.keepsArrivals ? AnalyzeOptions.arrivalLimit : 0
    configuration.keepsTimelines = options.output.showsTimeline
    // What an adaptive buffer does depends on what can be made of the audio.
    let isHeard = options.extractFolder != nil || options.buffer.adaptation != nil
    configuration.keepsPayloads = isHeard
    analysis = CaptureAnalysis(configuration)
    live = LiveView(options.output)
    started = MonotonicClock.now()
    if isHeard {
      extractor = try StreamExtractor(
        folder: options.extractFolder, channels: options.channels, isElastic: options.buffer.adaptation != nil)
    }
  }

  /// Reads to the end; returns the exit status.
  func run() throws(CommandError) -> Int32 {
    do throws(CaptureError) {
      if let interface = options.interface {
        var source = try LiveCapture(interface: interface)
        if let filter = options.filter { try source.setFilter(filter) }
        try listen(&source, on: interface)
      } else {
        try read(options.file ?? "-")
      }
    } catch { throw CommandError(error.description) }
    analysis.finish(perform: performer)
    live.clear()
    extractor?.endAll(analysis)
    let report = AnalyzeReport.make(
      analysis, options: options, listeners: extractor?.accounts ?? [:],
      reading: AnalyzeReport.Reading(
        name: options.interface ?? options.file ?? "-", broken: broken, ended: ended, position: position,
        dropped: dropped))
    try ReportOutput.write(report, options.output, isOutputUsed: false)
    try extractor?.finish { live.say($0) }
    if let path = options.linkFile { try LinkWriter.write(analysis, to: path) { live.say($0) } }
    return isDamaged ? 1 : 0
  }

  // MARK: Input

  /// Reads a file in blocks; a packet that isn't whole at the end of one waits for the next.
  private func read(_ path: String) throws(CaptureError) {
    var file = try CaptureFile(path: path, interrupt: signals.descriptor)
    var parser = CaptureParser()
    var filter = options.filter.map { PacketFilter($0) }
    var buffer = [UInt8](repeating: 0, count: Self.blockSize)
    var filled = 0
    var isOver = false
    let performer = performer
    var analysis = take()
    var thread: SessionThread?
    var spare = CaptureWork()
    defer {
      if let thread {
        // What was found before the capture broke off.
        thread.push(SessionThread.Batch(block: buffer, work: analysis.takeWork()))
        analysis.resume(with: thread.finish())
      }
      self.analysis = analysis
      position = parser.position
    }
    while !isOver {
      switch file.read(into: &buffer, from: filled) {
      case .bytes(let count): filled += count
      case .end: isOver = true
      case .interrupted: return _ = isInterrupted
      case .failed(let reason): throw .cannotOpen(path: path, reason: reason)
      }
      if thread != nil { analysis.leaveWork(in: buffer.span.bytes, reusing: consume spare) }
      spare = CaptureWork()
      let flow = parser.recordedFlow
      var trouble: CaptureError?
      let done: Int
      do throws(CaptureParser.Failure) {
        done = try parser.parse(buffer.span.bytes.extracting(first: filled), isLast: isOver) { (bytes, frame) in
          guard let type = frame.linkType else {
            guard let flow else { return }
            return analysis.handle(datagram: bytes, length: frame.length, of: flow, at: frame.time, perform: performer)
          }
          if filter != nil, !Self.accepts(&filter, bytes, frame, trouble: &trouble) { return }
          guard let link = LinkLayer(type: type) else { return analysis.skip(linkType: type, at: frame.time) }
          analysis.handle(bytes, link: link, at: frame.time, perform: performer)
        }
      } catch {
        if let trouble { throw trouble }
        return try noteFailure(error, in: parser, path: path, start: buffer.span.bytes.extracting(first: filled))
      }
      if let trouble { throw trouble }
      if let thread {
        spare = Self.handOver(&buffer, from: done, to: filled, with: analysis.takeWork(), to: thread)
      } else {
        keepRest(of: &buffer, from: done, to: filled)
        // Of what fits into one block nobody needs to make two threads.
        if !isOver, extractor == nil, parser.frames > 0 { thread = SessionThread.start() }
      }
      filled -= done
      if isInterrupted { return }
      showProgress(analysis, size: file.size, position: parser.position)
    }
    if parser.position == 0 {
      throw .notACapture(path: path == "-" ? "standard input" : path, reason: "it is empty")
    }
  }

  /// Moves what wasn't consumed to the front, and makes room for a packet that is longer than the buffer.
  private func keepRest(of buffer: inout [UInt8], from done: Int, to filled: Int) {
    if done == 0, filled == buffer.count { buffer += [UInt8](repeating: 0, count: buffer.count) }
    guard done > 0, filled > done else { return }
    buffer.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      memmove(start, start + done, filled - done)
    }
  }

  /// Gives a block away with the work in it, and goes on in another that begins with what wasn't consumed; returns work
  /// that was done, for its memory.
  private static func handOver(
    _ buffer: inout [UInt8], from done: Int, to filled: Int, with work: consuming CaptureWork, to thread: SessionThread
  ) -> CaptureWork {
    var spare = thread.spare() ?? SessionThread.Batch(block: [], work: CaptureWork())
    var next: [UInt8] = []
    swap(&next, &spare.block)
    let size = done == 0 && filled == buffer.count ? buffer.count * 2 : buffer.count
    if next.count != size { next = [UInt8](repeating: 0, count: size) }
    next.withUnsafeMutableBytes { bytes in
      buffer.withUnsafeBytes { old in bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: old[done..<filled])) }
    }
    swap(&buffer, &next)
    thread.push(SessionThread.Batch(block: next, work: work))
    return spare.work
  }

  private static func accepts(
    _ filter: inout PacketFilter?, _ bytes: RawSpan, _ frame: CaptureParser.Frame, trouble: inout CaptureError?
  ) -> Bool {
    guard trouble == nil else { return false }
    do throws(CaptureError) {
      return try filter?.accepts(bytes, length: frame.length, linkType: frame.linkType ?? 0) ?? true
    } catch {
      trouble = error
      return false
    }
  }

  /// A file that is no capture is an error; one that breaks off is reported as far as it goes.
  private func noteFailure(
    _ failure: CaptureParser.Failure, in parser: CaptureParser, path: String, start: RawSpan
  ) throws(CaptureError) {
    let name = path == "-" ? "standard input" : path
    guard failure != .unknownFormat else {
      throw CaptureFile.isCompressed(start)
        ? .compressed(path: name) : .notACapture(path: name, reason: failure.description)
    }
    if case .truncated = failure, parser.frames > 0 { isDamaged = false } else { isDamaged = true }
    broken = "after packet \(parser.frames), at byte \(parser.position): \(failure)"
  }

  /// Captures until the time is over or somebody wants the report.
  private func listen(_ source: inout LiveCapture, on interface: String) throws(CaptureError) {
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
        broken = "\(interface) failed after packet \(source.frames): \(reason)"
        isDamaged = true
        break
      }
      let now = MonotonicClock.now()
      if let end, now >= end {
        ended = "--duration"
        break
      }
      showProgress(analysis, size: nil, position: 0)
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

  private func showProgress(_ analysis: borrowing CaptureAnalysis, size: Int?, position: Int) {
    let now = MonotonicClock.now()
    live.start(at: started)
    let (frames, streams) = (analysis.counts.frames, analysis.sources.count)
    live.update(at: now) { columns in
      guard columns != nil || options.interface != nil else { return [] }
      let share = size.map { " (\(position * 100 / max($0, 1)) %)" } ?? ""
      return ["\(frames) packets\(share), \(streams) streams"]
    }
  }
}
