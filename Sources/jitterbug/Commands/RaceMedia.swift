import Codecs
import Impairment
import Media
import Packets
import Racing
import Sockets
import Timeline

/// Reads the file of a race and makes of it the packets of each kind of lane.
struct RaceMedia {
  /// What lanes without FEC carry.
  private(set) var plain: RaceStream
  /// What the lane with in-band FEC carries; nil where none races.
  private(set) var protected: RaceStream?
  /// Whether any packet has two channels.
  let channels: Int
  /// Whether the file's own packets are sent.
  let isPassedThrough: Bool
  /// Whether the file is longer than what is raced.
  let isCut: Bool
  /// What was wrong with the file, of which all that is whole is raced; nil when nothing was.
  let problem: String?

  /// The stream of a lane.
  func stream(of lane: RaceLaneKind) -> RaceStream { lane == .udpFEC ? protected ?? plain : plain }

  /// Reads the file; a signal ends it.
  init(_ options: RaceOptions, _ signals: RaceSignals) throws(CommandError) {
    isPassedThrough = try Self.format(of: options.file) == .oggOpus
    let seed = options.downLink.seed
    var settings = options.encoder
    var limit = options.duration
    if !options.isDurationGiven { limit += .seconds(1) }
    var frames: [RaceStream.Frame]
    (frames, problem) = try Self.read(options, settings, limit: limit, signals)
    let end = options.duration.units(rate: RaceStream.clockRate)
    isCut = !options.isDurationGiven && frames.contains { $0.time >= end }
    frames.removeAll { $0.time >= end }
    guard frames.count > 1 else {
      if let problem { throw CommandError(problem) }
      throw CommandError(
        "\(options.file) has less than two packets to race; choose a longer file or an earlier --start")
    }
    plain = RaceStream(frames, seed: seed)
    channels = frames.contains { OpusPacket(parsing: $0.payload.span.bytes)?.isStereo == true } ? 2 : 1
    guard options.lanes.contains(.udpFEC) else { return }
    settings.application = .voip
    settings.forwardErrorCorrection = true
    settings.expectedLossPercent = min(max(Int((options.downLink.expectedLoss * 100).rounded(.up)), 5), 30)
    var copy: [RaceStream.Frame]
    if isPassedThrough {
      settings.channels = channels
      settings.frameSize = Self.frameSize(like: plain)
      copy = try Self.encode(plain, settings, signals)
    } else {
      copy = try Self.read(options, settings, limit: limit, signals).frames
    }
    copy.removeAll { $0.time >= end }
    copy.removeLast(max(0, copy.count - frames.count))
    protected = RaceStream(copy, seed: seed)
  }

  /// What a file looks like that can be raced: audio, and no pipe, which would be waited for and could be read only once.
  private static func format(of file: String) throws(CommandError) -> MediaInput.Format {
    if InputFile.isPipeOrDevice(file) {
      throw CommandError("\(file) is a pipe or a device, which can't be read twice; write it to a file first")
    }
    do throws(MediaError) {
      let format = try MediaInput(path: file).format
      guard let video = format.video else { return format }
      throw MediaError.notAudio(path: file, detail: "it looks like \(video.format.encodingName) video")
    } catch {
      guard case .cannotOpen(_, let reason) = error else { throw CommandError(error.description) }
      throw CommandError("cannot read “\(file)”: \(reason); name a file that exists and that you may read")
    }
  }

  /// Everything that the reader makes of the file, and what it had to say against it.
  private static func read(
    _ options: RaceOptions, _ settings: OpusSettings, limit: Interval, _ signals: RaceSignals
  ) throws(CommandError) -> (frames: [RaceStream.Frame], problem: String?) {
    let result: (frames: [RaceStream.Frame], problem: String?)?
    do throws(SocketError) { result = try collect(options, settings, limit: limit, signals) } catch {
      throw CommandError(error.description)
    }
    guard let result else { throw interruption }
    return result
  }

  private static let interruption = CommandError("interrupted before the race began")

  /// What the reading thread hands over until it ends; nil when a signal came first.
  private static func collect(
    _ options: RaceOptions, _ settings: OpusSettings, limit: Interval, _ signals: RaceSignals
  ) throws(SocketError) -> (frames: [RaceStream.Frame], problem: String?)? {
    var reading = SendOptions()
    reading.files = [options.file]
    reading.start = options.start
    reading.duration = limit
    reading.encoder = settings
    var frames: [RaceStream.Frame] = []
    var problem: String?
    var events: [ReadyEvent] = []
    let queue = try MediaQueue()
    var loop = try EventLoop()
    try loop.add(queue.wake.descriptor, token: 1, read: true, write: false)
    try loop.add(signals.source.descriptor, token: 2, read: true, write: false)
    let settled = reading
    let inputs = SendInputs(audio: settled.files)
    guard BackgroundThread.start({ MediaFeed(settled, inputs: inputs, queue: queue).run() }) else {
      return ([], "no thread could be started to read the input: too many are running")
    }
    while true {
      switch queue.pop() {
      case .frame(let frame):
        frames.append(
          RaceStream.Frame(payload: frame.payload, time: frame.time, duration: frame.duration, marker: frame.marker))
      case .parameters: continue
      case .problem(let sentence): problem = problem ?? sentence
      case .ended: return (frames, problem)
      case nil:
        if signals.look() {
          queue.close()
          return nil
        }
        try loop.wait(until: nil, into: &events)
        queue.wake.drain()
      }
    }
  }

  /// The frame size nearest to what the file's packets have, of those in which FEC works.
  private static func frameSize(like stream: RaceStream) -> Int {
    let units = Int(stream.packetInterval.units(rate: RaceStream.clockRate))
    return [480, 960, 1920, 2880].first { $0 >= units } ?? 2880
  }

  /// Decodes what the other lanes carry and encodes it anew.
  private static func encode(
    _ stream: RaceStream, _ settings: OpusSettings, _ signals: RaceSignals
  ) throws(CommandError) -> [RaceStream.Frame] {
    do {
      var decoder = try OpusDecoder(channels: settings.channels)
      var pipeline = try EncodingPipeline(settings, rate: 48_000, channels: settings.channels)
      var samples = [Int16](repeating: 0, count: OpusDecoder.maximumFrames * settings.channels)
      var floats: [Float] = []
      var result: [RaceStream.Frame] = []
      var bytes = [UInt8](repeating: 0, count: OpusEncoder.maximumPacketBytes)
      var time: Int64 = 0
      func drain() throws {
        var span = bytes.mutableSpan
        while let packet = try pipeline.pop(into: &span) {
          let payload = (0..<packet.byteCount).map { span[$0] }
          result.append(
            RaceStream.Frame(
              payload: payload, time: time, duration: Int64(packet.frames), marker: result.isEmpty))
          time += Int64(packet.frames)
        }
      }
      var position: Int64 = 0
      for frame in stream.frames {
        if signals.look() { throw interruption }
        floats.removeAll(keepingCapacity: true)
        // Where the sender was silent the encoder gets silence.
        let pause = Int(max(0, min(frame.time - position, 48_000 * 60)))
        floats.append(contentsOf: repeatElement(0, count: pause * settings.channels))
        var span = samples.mutableSpan
        let decoded = (try? decoder.decode(packet: frame.payload.span.bytes, into: &span)) ?? 0
        for index in 0..<decoded * settings.channels { floats.append(Float(span[index]) / 32_768) }
        position = frame.time + frame.duration
        try pipeline.push(floats.span)
        try drain()
      }
      try pipeline.finish()
      try drain()
      return result
    } catch let error as CommandError {
      throw error
    } catch { throw CommandError("the lane udp+fec can't be encoded: \(error)") }
  }
}
