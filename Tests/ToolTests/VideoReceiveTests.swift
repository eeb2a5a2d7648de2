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
    func count(_ path: String) -> Int {
      let header = contents(path)
      return header.count < 32 ? 0 : (0..<4).reduce(0) { $0 | Int(header[24 + $1]) << (8 * $1) }
    }
    #expect(count(dropped) == shown)
    #expect(count(kept) > shown)
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
