import Foundation
import Testing

/// `jitterbug probe` against `jitterbug receive`, on loopback, with links whose record is known.
@Suite(.fewAtOnce) struct ProbeTests {
  /// A receiver, and a probe of it that runs to its end.
  private func probe(
    _ words: [String], receive: [String] = ["--reflect"]
  ) async throws -> (status: Int32, report: JSON, errors: String, receiver: Jitterbug) {
    let receiver = try Jitterbug(["receive"] + receive + [Exchange.anyPort])
    let run = try await Jitterbug.run(["probe", "--json"] + words + [try await receiver.address()])
    #expect(run.output.isEmpty == (run.status != 0), "\(run.errors)")
    return (run.status, try JSON(run.output.isEmpty ? "{}" : run.output), run.errors, receiver)
  }

  @Test func `both ways, every count is the record of the link`() async throws {
    let up = "loss=5%,burst=2,duplicate=3%,delay=20ms,seed=3"
    let down = "loss=6%,burst=3,duplicate=2%,delay=10ms,jitter=3ms,seed=8"
    let run = try await probe(["--both-ways", "--duration", "4s", "--link", up, "--link-down", down, "--buffer", "1s"])
    #expect(run.status == 0, "\(run.errors)")
    let (sent, record) = (run.report["streams"][0], run.report["link_record"])
    #expect(sent["direction"].string == "up")
    let lost = try #require(record["lost"].int)
    #expect(lost > 0)
    #expect(sent["packets"]["sent"].int == 200)
    #expect(record["offered"].int == 200)
    #expect(sent["packets"]["lost"].int == lost)
    #expect(sent["packets"]["received"].int == record["delivered"].int)
    #expect(sent["packets"]["unique"].int == 200 - lost)
    #expect(sent["packets"]["duplicates"].int == sent["packets"]["received"].int.map { $0 - (200 - lost) })
    #expect(sent["known_by"].string == "xr")
    #expect(sent["packets"]["lost_at_ends"].int == 0)
    #expect(sent["bursts"]["count"].int == record["loss_runs"].int)
    #expect(sent["bursts"]["max"].int == record["longest_loss_run"].int)

    let (heard, back) = (run.report["streams"][1], run.report["link_record_down"])
    #expect(heard["direction"].string == "down")
    #expect(back["offered"].int == 200)
    #expect(heard["packets"]["sent"].int == 200)
    #expect(heard["packets"]["unique"].int == back["lost"].int.map { 200 - $0 })
    #expect(heard["packets"]["received"].int == back["delivered"].int)
    #expect(heard["bursts"]["max"].int == back["longest_loss_run"].int)
    #expect(run.report["verdict"]["down"]["packets"].int == heard["packets"]["expected"].int)
    #expect(run.report["verdict"]["text"].string?.hasPrefix("Up: ") == true)
    #expect(run.report["verdict"]["recommendation"]["buffer_ms"].double ?? 0 >= 20)
    try await run.receiver.says("reflecting to 127.0.0.1:")
    try await run.receiver.says("it said goodbye")
  }

  @Test(arguments: [
    ["--like", "g711"], ["--like", "video-2mbit"], ["--like", "opus-music", "--streams", "3"],
    ["--like", "custom", "100/10ms"],
  ])
  func `each kind of traffic comes back as it was sent`(words: [String]) async throws {
    let run = try await probe(words + ["--both-ways", "--duration", "1s"])
    #expect(run.status == 0, "\(run.errors)")
    let count = words.contains("--streams") ? 3 : 1
    #expect(run.report["streams"].count == 2 * count)
    for index in 0..<count {
      let (sent, heard) = (run.report["streams"][index], run.report["streams"][count + index])
      #expect(sent["encoding"].string == heard["encoding"].string)
      #expect(sent["packets"]["lost"].int == 0)
      #expect(heard["packets"]["lost"].int == 0)
      #expect(sent["packets"]["sent"].int == heard["packets"]["expected"].int)
    }
  }

  @Test func `an ordinary receiver's reports are enough for the way there, and it says which they are`() async throws {
    let run = try await probe(["--duration", "8s", "--link", "loss=10%,seed=4"], receive: [])
    #expect(run.status == 0, "\(run.errors)")
    let sent = run.report["streams"][0]
    #expect(["rr", "xr"].contains(sent["known_by"].string))
    #expect(sent["packets"]["sent"].int == 400)
    #expect(run.report["verdict"]["up"]["known_by"].string == sent["known_by"].string)
    #expect(run.report["verdict"]["down"].keys.isEmpty)
  }

  @Test func `without a limit a ramp says that there is at least the rate it tried`() async throws {
    let run = try await probe(["--ramp", "--max-rate", "450kbit"])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.report["ramp"]["steps"].count >= 1)
    // A machine that is too busy to send evenly says so, instead of blaming the path.
    guard run.report["ramp"]["outcome"].string != "host_limit" else { return }
    #expect(run.report["ramp"]["outcome"].string == "at_least")
    #expect(run.report["ramp"]["rate_bps"].int == 450_000)
  }

  @Test func `a ramp finds the rate of the link`() async throws {
    let run = try await probe(["--ramp", "--link", "rate=270kbit,queue=150ms,delay=10ms"])
    #expect(run.status == 0, "\(run.errors)")
    guard run.report["ramp"]["outcome"].string != "host_limit" else { return }
    #expect(run.report["ramp"]["outcome"].string == "capacity")
    let rate = try #require(run.report["ramp"]["rate_bps"].double)
    #expect(abs(rate - 270_000) < 27_000, "\(rate)")
  }

  @Test func `where nobody listens it says what to start there`() async throws {
    let port = try TestSocket.datagrams().port()
    let run = try await Jitterbug.run(["probe", "--duration", "2s", "127.0.0.1:\(port)"])
    #expect(run.status == 1)
    #expect(run.errors.contains("nobody listens there; start jitterbug receive rtp://[::]:\(port) on that host"))
  }

  @Test func `a receiver that doesn't reflect is told apart, and sends nothing`() async throws {
    let run = try await probe(["--both-ways"], receive: [])
    #expect(run.status == 1)
    #expect(run.errors.contains("nothing came back; start jitterbug receive --reflect rtp://[::]:"))
  }

  @Test func `sums that duplicates push below nothing get no grade`() async throws {
    let run = try await probe(
      ["--duration", "3s", "--link", "loss=2%,duplicate=30%,seed=1"], receive: ["--no-xr"])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.report["streams"][0]["known_by"].string == "rr")
    #expect(run.report["streams"][0]["packets"]["lost"].int ?? 0 < 0)
    #expect(run.report["verdict"]["up"]["lost"].int == nil)
    #expect(run.report["verdict"]["up"]["grade"].string == nil)
    #expect(run.report["verdict"]["text"].string?.hasPrefix("Up: what was lost can't be told") == true)
  }

  @Test func `a far end that dies half-way is named, and the network isn't blamed for it`() async throws {
    let receiver = try Jitterbug(["receive", "--reflect", Exchange.anyPort])
    let probe = try Jitterbug(["probe", "--both-ways", "--duration", "58s", "--json", try await receiver.address()])
    try await receiver.says("reflecting to")
    try await receiver.says("received")
    receiver.signal(SIGKILL)
    #expect(try await probe.end() == 1)
    try await probe.says("stopped answering at about")
    let report = try JSON(probe.text)
    #expect(report["sending"]["media_ms"].double ?? 58_000 < 50_000, "it doesn't go on for nobody")
    #expect(report["verdict"]["text"].string?.contains("The far end fell silent at about ") == true)
    #expect(report["verdict"]["far_end_silent"].int == 1 && report["verdict"]["far_end_last_heard_ms"].int != nil)
    #expect(report["ended"].string == "the far end stopped answering")
    let up = report["verdict"]["up"]
    #expect(up["lost"].int == 0 && up["complete"].double == 0)
    #expect(up["packets"].int ?? 2900 < 2900)
    #expect(report["verdict"]["down"]["complete"].double == 0)
  }

  @Test func `a far end that falls silent is told of at once, and its return, too`() async throws {
    let receiver = try Jitterbug(["receive", "--reflect", Exchange.anyPort])
    let probe = try Jitterbug(["probe", "--both-ways", "--duration", "58s", try await receiver.address()])
    try await receiver.says("reflecting to")
    try await receiver.says("received")
    receiver.signal(SIGSTOP)
    defer { receiver.signal(SIGCONT) }
    try await probe.says("nothing has come from the far end since ")
    receiver.signal(SIGCONT)
    try await probe.says("the far end is heard again, after ")
    probe.signal(SIGINT)
    #expect(try await probe.end() == 0)
  }

  @Test func `a far end that says goodbye half-way isn't sent to any longer`() async throws {
    let receiver = try Jitterbug(["receive", Exchange.anyPort])
    let probe = try Jitterbug(["probe", "--duration", "58s", "--json", try await receiver.address()])
    try await receiver.says("received")
    receiver.signal(SIGINT)
    #expect(try await probe.end() == 1)
    let report = try JSON(probe.text)
    #expect(report["sending"]["media_ms"].double ?? 58_000 < 50_000)
    #expect(report["ended"].string == "the far end stopped answering")
  }

  @Test func `an interrupt ends it with what is known`() async throws {
    let receiver = try Jitterbug(["receive", "--reflect", Exchange.anyPort])
    let probe = try Jitterbug(["probe", "--both-ways", "--duration", "50s", "--json", try await receiver.address()])
    try await receiver.says("reflecting to")
    try await receiver.says("received")
    probe.signal(SIGINT)
    #expect(try await probe.end() == 0)
    let report = try JSON(probe.text)
    #expect(report["ended"].string == "interrupted")
    #expect(report["verdict"]["up"]["lost"].int == 0)
    #expect(report["sending"]["media_ms"].double ?? 50_000 < 50_000)
    #expect(report["streams"].count >= 1)
    try await receiver.says("no longer reflecting")
  }
}
