import Foundation
import Testing

/// Senders that come one after the other, or at once, to one receiver.
@Suite(.fewAtOnce) struct RestartTests {
  @Test func `a sender that is started again is a second stream with a file of its own`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Jitterbug(
      ["receive", "--json", "--keep-running", "--output", folder.file("x.wav")] + Exchange.patient + [Exchange.anyPort])
    let address = try await receiver.address()
    for packets in [50, 75] {
      let name = folder.file("\(packets).opus", holding: Made.opus(packets: packets))
      let sender = try Jitterbug(["send", "--speed", "max", name, address])
      #expect(try await sender.end() == 0)
    }
    _ = try await receiver.wait(for: "two ends") {
      receiver.errors.components(separatedBy: "ended: the sender said goodbye").count == 3 ? true : nil
    }
    receiver.signal(SIGINT)
    #expect(try await receiver.end() == 0)
    let streams = try JSON(receiver.text)["streams"]
    #expect(streams.count == 2)
    #expect(streams[0]["packets"]["unique"].int == 50)
    #expect(streams[1]["packets"]["unique"].int == 75)
    #expect(try WAVFile(contents(folder.file("x.wav"))).frames == 48_000)
    #expect(try WAVFile(contents(folder.file("x-2.wav"))).frames == 72_000)
  }

  @Test func `two senders at once are two streams`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Jitterbug(["receive", "--json"] + Exchange.patient + [Exchange.anyPort])
    let address = try await receiver.address()
    let name = folder.file("in.opus", holding: Made.opus(packets: 100))
    let senders = try (0..<2).map { try Jitterbug(["send", "--ssrc", "\($0 + 1)", "--speed", "2", name, address]) }
    for sender in senders { #expect(try await sender.end() == 0) }
    for ssrc in 1...2 { try await receiver.says("stream 0x0000000\(ssrc) ended: the sender said goodbye") }
    receiver.signal(SIGINT)
    #expect(try await receiver.end() == 0)
    let streams = try JSON(receiver.text)["streams"]
    #expect(streams.count == 2)
    for index in 0..<2 {
      #expect(streams[index]["packets"]["unique"].int == 100)
      #expect(streams[index]["packets"]["lost"].int == 0)
    }
  }

  @Test func `a sender killed and started again with the same source is a restart, not a loss`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Jitterbug(["receive", "--json"] + Exchange.patient + [Exchange.anyPort])
    let address = try await receiver.address()
    let name = folder.file("in.opus", holding: Made.opus(packets: 50))
    let words = ["send", "--ssrc", "0xabc", "--source-port", "20996", "--speed", "2", name, address]
    let first = try Jitterbug(words + ["--loop", "--seed", "1"])
    try await receiver.says("stream 0x00000abc")
    try await Task.sleep(for: .milliseconds(200))
    first.signal(SIGKILL)
    try await first.end()
    #expect(try await Jitterbug.run(words + ["--seed", "2"]).status == 0)
    try await receiver.says("stream 0x00000abc ended")
    receiver.signal(SIGINT)
    #expect(try await receiver.end() == 0)
    let streams = try JSON(receiver.text)["streams"]
    #expect(streams.count == 1)
    #expect(streams[0]["restarts"].int == 1)
    #expect(streams[0]["packets"]["lost"].int == 0)
  }
}
