import Foundation
import Testing

/// What `receive` makes of video: files that hold what was sent, and audio and video together.
@Suite(.fewAtOnce) struct VideoReceiveTests {
  /// The NAL units of a stream with start codes, but for access unit delimiters.
  private static func units(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var starts: [(code: Int, unit: Int)] = []
    var zeros = 0
    for index in bytes.indices {
      if bytes[index] == 1, zeros >= 2 { starts.append((index - min(zeros, 3), index + 1)) }
      zeros = bytes[index] == 0 ? zeros + 1 : 0
    }
    let ends = starts.dropFirst().map(\.code) + [bytes.count]
    return zip(starts, ends).map { bytes[$0.unit..<$1] }.filter { ($0.first ?? 0) & 0x1F != 9 }
  }

  @Test func `the bundled clip arrives NAL unit for NAL unit, with a key frame a second`() async throws {
    let folder = try TemporaryFolder()
    let clip = try ProjectFiles().root.appending(path: "samples/clip.h264").path
    let seen = folder.file("seen.h264")
    let exchange = try await Exchange.run(in: folder, send: [clip], receive: Exchange.patient + ["--output", seen])
    let media = exchange.stream["media"]
    #expect(media["kind"].string == "video")
    #expect(media["frames"]["expected"].int == 150)
    #expect(media["frames"]["complete"].int == 150)
    #expect(media["frames"]["shown"].int == 150)
    #expect(media["key_frames"].int == 6)
    #expect(media["freezes"]["count"].int == 0)
    #expect(exchange.stream["lip_sync"]["reference"].string == nil)
    let (sent, got) = (Self.units(contents(clip)), Self.units(contents(seen)))
    // Parameter sets may be repeated.
    func isPicture(_ unit: ArraySlice<UInt8>) -> Bool { ![7, 8].contains((unit.first ?? 0) & 0x1F) }
    #expect(got.filter(isPicture) == sent.filter(isPicture))
  }

  @Test func `an IVF file arrives as it was, growing frame by frame`() async throws {
    let folder = try TemporaryFolder()
    let media = Made.ivf(frames: [Int](repeating: 2_500, count: 40))
    let seen = folder.file("seen.ivf")
    let exchange = try await Exchange.run(
      in: folder, send: [folder.file("in.ivf", holding: media)], receive: Exchange.patient + ["--output", seen])
    #expect(exchange.stream["media"]["frames"]["complete"].int == 40)
    // The header's time base may be another.
    let got = contents(seen)
    #expect(got.count == media.count)
    #expect(Array(got.dropFirst(32 + 12).prefix(2_500)) == Array(media.dropFirst(32 + 12).prefix(2_500)))
  }

  @Test func `damaged frames are left out, or kept`() async throws {
    let folder = try TemporaryFolder()
    let media = folder.file("in.ivf", holding: Made.ivf(frames: [Int](repeating: 4_000, count: 60)))
    let (dropped, kept) = (folder.file("dropped.ivf"), folder.file("kept.ivf"))
    let link = ["--link", "loss=3%,seed=5", "--seed", "1"]
    let first = try await Exchange.run(
      in: folder, send: [media, "--seed", "1", "--speed", "4"],
      receive: Exchange.patient + link + ["--no-pli", "--output", dropped])
    let frames = first.stream["media"]["frames"]
    let shown = try #require(frames["shown"].int)
    #expect(try #require(frames["complete"].int) < 60)
    #expect(first.stream["media"]["key_frame_requests"].int == 0)
    let second = try await Exchange.run(
      in: folder, send: [media, "--seed", "1", "--speed", "4"],
      receive: Exchange.patient + link + ["--output", kept, "--damaged", "keep"])
    #expect(second.stream["packets"]["lost"].int == first.stream["packets"]["lost"].int)
    #expect(Self.times(contents(dropped)).count == shown)
    #expect(Self.times(contents(kept)).count > shown)
  }

  @Test func `audio and video of one sender are two sessions of a receiver, which keeps them together`() async throws {
    let folder = try TemporaryFolder()
    let (wav, ivf) = (folder.file("heard.wav"), folder.file("seen.ivf"))
    let media = [
      folder.file("in.opus", holding: Made.opus(packets: 300)),
      folder.file("in.ivf", holding: Made.ivf(frames: [Int](repeating: 2_500, count: 150))),
    ]
    let report = folder.file("heard.json")
    let receiver = try Jitterbug(
      ["receive", "--once", "--report", report, "--output", wav, "--output", ivf] + Exchange.patient
        + ["rtp://127.0.0.1:\(Exchange.ports)", "rtp://127.0.0.1:\(Exchange.ports)"])
    let places = try await receiver.address().components(separatedBy: " and ")
    try #require(places.count == 2)
    let senders = try zip(media, places).map { try Jitterbug(["send", $0, $1, "--cname", "one@host"]) }
    for sender in senders { #expect(try await sender.end() == 0, "\(sender.errors)") }
    #expect(try await receiver.end() == 0, "\(receiver.errors)")
    let heard = try JSON(path: report)
    let (audio, video) = (heard["streams"][0], heard["streams"][1])
    #expect(audio["encoding"].string == "opus/48000/2")
    #expect(video["encoding"].string == "VP8/90000")
    #expect(audio["packets"]["played"].int == 300)
    #expect(video["media"]["frames"]["shown"].int == 150)
    let received = [audio, video].compactMap { $0["packets"]["received"].int }
    #expect(heard["datagrams"]["rtp"].int == received.reduce(0, +))
    // Whichever waits, both tell of the same reference.
    #expect(audio["lip_sync"]["reference"].string != nil)
    #expect(audio["lip_sync"]["reference"].string == video["lip_sync"]["reference"].string)
    let sound = 300 * 960 * 4
    #expect(contents(wav).count >= sound)
    #expect(contents(ivf).count == contents(media[1]).count)
  }

  /// An RTP datagram that is a frame of its own, of type 96.
  private static func rtp(_ number: Int, ssrc: UInt32, timestamp: UInt32, payload: [UInt8]) -> [UInt8] {
    [0x80, 0xe0] + Captures.big(UInt16(truncatingIfNeeded: number)) + Captures.big(timestamp)
      + Captures.big(ssrc) + payload
  }

  /// The times of the whole frames in an IVF file.
  private static func times(_ file: [UInt8]) -> [Int] {
    func number(_ place: Int, _ count: Int) -> Int { (0..<count).reduce(0) { $0 | Int(file[place + $1]) << (8 * $1) } }
    guard file.count >= 32 else { return [] }
    var times: [Int] = []
    var place = 32
    while place + 12 <= file.count, place + 12 + number(place, 4) <= file.count {
      times.append(number(place + 4, 8))
      place += 12 + number(place, 4)
    }
    return times
  }

  @Test(arguments: [3_000_000_000, 500_000] as [UInt32])
  func `where a sender begins anew the times in an IVF file go on`(restart: UInt32) async throws {
    let folder = try TemporaryFolder()
    let seen = folder.file("seen.ivf")
    let receiver = try Jitterbug(
      ["receive", "--output", seen, "--idle-timeout", "60s"] + Exchange.patient + [Exchange.anyPort])
    let socket = try TestSocket.datagrams()
    try socket.connectDatagrams(to: try await receiver.address())
    // A descriptor, and a key frame.
    var payload: [UInt8] = [0x10, 0x10, 2, 0, 0x9d, 0x01, 0x2a] + Made.little(320, 2) + Made.little(240, 2)
    payload += [UInt8](repeating: 0, count: 90)
    for (first, start, count) in [(100, 1_000_000, 10), (40_000, restart, 18)] as [(Int, UInt32, Int)] {
      for index in 0..<10 {
        try socket.send(
          Self.rtp(first + index, ssrc: 7, timestamp: start + UInt32(index) * 3_600, payload: payload))
        try await Task.sleep(for: .milliseconds(10))
      }
      _ = try await receiver.wait(for: "\(count) frames") {
        Self.times(contents(seen)).count >= count ? true : nil
      }
    }
    receiver.signal(SIGINT)
    #expect(try await receiver.end() == 0, "\(receiver.errors)")
    let times = Self.times(contents(seen))
    #expect(times == times.indices.map { $0 * 3_600 })
  }

  @Test func `an output that changes hands begins with the parameter sets that were told beforehand`() async throws {
    let folder = try TemporaryFolder()
    let seen = folder.file("seen.h264")
    let description = folder.file(
      "clip.sdp",
      holding: Array(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n".utf8)
        + Array("m=video 5004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n".utf8)
        + Array("a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0LAHtk=,aM48gA==\r\n".utf8))
    let receiver = try Jitterbug(
      ["receive", "--sdp", description, "--output", seen, "--idle-timeout", "60s"] + Exchange.patient
        + [Exchange.anyPort])
    let socket = try TestSocket.datagrams()
    try socket.connectDatagrams(to: try await receiver.address())
    // A stray has the output first.
    for number in 0..<3 {
      let picture: [UInt8] = [0x65, 0x88, 0x11, UInt8(number)]
      try socket.send(Self.rtp(number, ssrc: 1, timestamp: UInt32(number) * 3_600, payload: picture))
    }
    try await receiver.says("0x00000001")
    let start = ContinuousClock.now
    var number = 0
    let written = try await receiver.wait(for: "the pictures of the other stream") { () -> [UInt8]? in
      let elapsed = ContinuousClock.now - start
      let timestamp = UInt32(elapsed / Duration.milliseconds(1)) * 90
      try socket.send(Self.rtp(number, ssrc: 2, timestamp: timestamp, payload: [0x65, 0x88, 0x22, 0x33]))
      number += 1
      let bytes = contents(seen)
      return Self.units(bytes).contains([0x65, 0x88, 0x22, 0x33]) ? bytes : nil
    }
    let units = Self.units(written)
    #expect(units.first == [0x67, 0x42, 0xc0, 0x1e, 0xd9])
    #expect(units.dropFirst().first == [0x68, 0xce, 0x3c, 0x80])
    receiver.signal(SIGINT)
    #expect(try await receiver.end() == 0, "\(receiver.errors)")
  }

  @Test func `an output into which nothing could be written ends with a sentence and status 1`() async throws {
    let folder = try TemporaryFolder()
    let (seen, report) = (folder.file("seen.h264"), folder.file("r.json"))
    let receiver = try Jitterbug(["receive", "--output", seen, "--report", report, Exchange.anyPort])
    let sender = try Jitterbug([
      "send", folder.file("in.ivf", holding: Made.ivf(frames: [Int](repeating: 500, count: 30))),
      try await receiver.address(),
    ])
    #expect(try await receiver.end() == 1)
    #expect(contents(seen).isEmpty)
    let sentences = receiver.errors.split(separator: "\n").filter { $0.contains("written") }
    #expect(!sentences.isEmpty, "\(receiver.errors)")
    #expect((try JSON(path: report)["streams"][0]["packets"]["unique"].int ?? 0) >= 10)
    _ = try await sender.end()
  }

  @Test func `a transport stream lasts from its first timestamp to its last`() async throws {
    let folder = try TemporaryFolder()
    let exchange = try await Exchange.run(
      in: folder, send: [folder.file("in.ts", holding: VideoSendTests.transportStream)], receive: Exchange.patient)
    let media = exchange.stream["media"]
    #expect(exchange.packets["lost"].int == 0)
    // A packet every 10 ms, seven in a datagram: the last of ten datagrams is 630 ms behind the first.
    #expect((media["duration_ms"].double ?? 0) > 500 && (media["duration_ms"].double ?? 0) < 750)
    #expect(media["played_ms"].double == media["duration_ms"].double)
  }

  @Test func `a stream that can't be written says what to do`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Jitterbug(
      ["receive", "--output", folder.file("seen.ts"), "--format", "opus", Exchange.anyPort])
    let sender = try Jitterbug([
      "send", folder.file("in.opus", holding: Made.opus(packets: 100)), try await receiver.address(),
    ])
    #expect(try await receiver.end() == 1)
    #expect(
      receiver.errors.contains(
        "the stream is opus/48000/2, which can't be written as a transport stream: leave out --output to measure it, or "
          + "name what it is with --format"))
    _ = try await sender.end()
  }
}
