import Media
import Packets
import Receiving
import Sockets
import Timeline

/// What a receiver is made of, as its options say.
extension ReceiveOptions {
  /// Whether the first stream's end is the end of it all; of several streams that are waited for, the last one's.
  var isEnding: Bool { isOnce ?? !outputFiles.isEmpty }

  /// The recorders: one for each output, and one for audio in any case.
  func recorders(sessions: Int, interrupt: WriteInterrupt) -> [StreamRecorder] {
    // The outputs were looked at before anything ran.
    let targets = (try? targets()) ?? []
    let isAlone = targets.count == 1 && sessions == 1
    var recorders = targets.map { StreamRecorder(self, target: $0, isAlone: isAlone, interrupt: interrupt) }
    if !targets.contains(where: { !$0.content.isVideo }) {
      recorders.append(StreamRecorder(self, target: nil, isAlone: false, interrupt: interrupt))
    }
    return recorders
  }

  /// What every random choice comes from.
  var seeds: SeededGenerator {
    var system = SystemRandomNumberGenerator()
    return SeededGenerator(seed: seed ?? system.next())
  }

  /// How the next session is set up.
  func session(clock: ClockOffset, using generator: inout SeededGenerator) -> ReceiveSession.Configuration {
    var configuration = ReceiveSession.Configuration(
      ssrc: UInt32(truncatingIfNeeded: generator.next()), cname: HostName.cname(), seed: generator.next())
    configuration.target = buffer.target
    configuration.adaptation = buffer.adaptation
    configuration.idleTimeout = idleTimeout ?? (isEnding ? .seconds(10) : nil)
    configuration.sourceLimit = sourceLimit
    configuration.recordsAll = recordsAll
    configuration.isTracing = traceFile != nil
    configuration.keepsTimelines = output.showsTimeline
    configuration.sendsExtendedReports = !hasNoExtendedReports
    configuration.requestsKeyFrames = !hasNoPictureLoss
    configuration.wallClockOffset = clock.realtimeMinusMonotonic.nanoseconds
    return configuration
  }

  /// Where each session listens: at the sources, or where the session description says when it has several media.
  func places() throws(CommandError) -> [ReceivePlace] {
    let described = try description()
    let media: [MediaDescription] = (described?.media ?? []).filter { $0.port > 0 }
    guard sources.isEmpty, media.count > 1 else {
      let sources = sources.isEmpty ? [Self.defaultSource] : sources
      return sources.enumerated().map { index, source in
        let lines = Self.lines(for: source, index, of: sources.count, in: media)
        var formats = formatTable(lines)
        formats.isShared = sources.count > 1 || outputFiles.count > 1
        return ReceivePlace(source: source, isMuxed: isMuxed, formats: formats)
      }
    }
    guard media.count <= ReceiveMedia.limit else {
      throw CommandError(
        "\(sdpFile ?? "") has \(media.count) media, and at most \(ReceiveMedia.limit) are received: name their sources")
    }
    return media.map { line in
      // The address is this host's, or that of a group to join.
      let address = described?.connection(of: line)?.address ?? ""
      let isGroup = SocketAddress(host: address, port: line.port)?.isMulticast == true
      return ReceivePlace(
        source: .rtp(host: isGroup ? address : "::", ports: line.port...line.port),
        isMuxed: isMuxed || line.muxesRTCP, formats: formatTable([line]))
    }
  }

  /// The media of a description that are meant for a source: the one with its port, else the one with its place where
  /// there are as many of both, else all.
  private static func lines(
    for source: Endpoint, _ index: Int, of count: Int, in media: [MediaDescription]
  ) -> [MediaDescription] {
    guard count > 1 else { return media }
    if let line = media.first(where: { $0.port == source.port }) { return [line] }
    return media.count == count ? [media[index]] : media
  }

  private func description() throws(CommandError) -> SessionDescription? {
    guard let path = sdpFile else { return nil }
    let bytes = try InputFile.read(path: path, limit: SessionDescription.maximumSize)
    do throws(SDPParseError) { return try SessionDescription(parsing: bytes.span) } catch {
      throw CommandError("\(path) is no session description: \(error)")
    }
  }

  /// What payload types stand for, by the session description, `--format` and the outputs' suffixes.
  func formatTable() throws(CommandError) -> FormatTable { formatTable(try description()?.media ?? []) }

  private func formatTable(_ media: [MediaDescription]) -> FormatTable {
    var table = FormatTable()
    table.option = format
    let implied = ((try? targets()) ?? []).map(\.content.implied)
    table.suffix = implied.first { $0 == .opus }
    table.videoSuffix = implied.first { $0 != .opus }
    for payload in media.flatMap(\.payloads) {
      guard let format = payload.format else { continue }
      table.described[payload.payloadType] = format
      guard VideoEncoding(format) == .h264, let parameters = payload.parameters else { continue }
      table.parameterSets[payload.payloadType] = H264Format(parsing: parameters).parameterSets
    }
    return table
  }
}
