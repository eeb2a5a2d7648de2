import Impairment
import Testing
import Timeline

/// The recording in a text, and its error's words.
private func parse(_ text: String) throws(LinkRecordingError) -> LinkRecording {
  try LinkRecording(parsing: Array(text.utf8).span)
}

private func refusal(_ text: String) -> String {
  do { return "\(try parse(text).count) packets" } catch { return error.description }
}

private func text(of recording: LinkRecording, comment: String = "") -> String {
  var text = ""
  recording.write(comment: comment) { text += $0 }
  return text
}

/// What a link did, as an observer with a packet-exact log would record it, relative to the smallest transit.
private func record(_ crossing: Crossing) -> LinkRecording {
  var copies = [[Interval]](repeating: [], count: crossing.fates.count)
  for delivery in crossing.deliveries {
    copies[Int(delivery.sentIndex)].append(delivery.deliveredAt - delivery.sentAt)
  }
  let least = copies.joined().min() ?? .zero
  var recording = LinkRecording()
  for delays in copies { recording.append(delays.map { $0 - least }) }
  return recording
}

@Suite struct LinkRecordingTextTests {
  @Test func `a recording is read line by line, to the nanosecond`() throws {
    let recording = try parse("jitterbug-link 1\n# from a capture\n0\n12.5 # late\n\nlost\n3 0.000001\n  7.25\t9\r\n")
    #expect(recording.count == 5 && recording.lost == 1)
    #expect(recording.copies(of: 0) == [.zero])
    #expect(recording.copies(of: 1) == [.microseconds(12_500)])
    #expect(recording.copies(of: 2) == [])
    #expect(recording.copies(of: 3) == [.nanoseconds(1), .milliseconds(3)])
    #expect(recording.copies(of: 4) == [.microseconds(7_250), .milliseconds(9)])
  }

  @Test func `what is written reads back as the same recording, comments aside`() throws {
    var generator = SeededGenerator(seed: 4)
    var recording = LinkRecording()
    for _ in 0..<20_000 {
      let copies = Int(generator.next() % 4)
      recording.append((0..<copies).map { _ in Interval(nanoseconds: Int64(generator.next() % 3_600_000_000_001)) })
    }
    let written = text(of: recording, comment: "one\ntwo")
    #expect(written.hasPrefix("jitterbug-link 1\n# one\n# two\n"))
    #expect(try parse(written) == recording)
  }

  @Test(arguments: [
    ("", "line 1: this is no recording of a link: the first line must be jitterbug-link 1"),
    ("index,offered_s\n", "line 1: this is no recording of a link: the first line must be jitterbug-link 1"),
    (
      "jitterbug-link 2\n0\n",
      "line 1: the recording has a version that isn't known here: the first line must be jitterbug-link 1"
    ),
    ("jitterbug-link 1\n", "line 1: the recording has no packets: write one line for each, lost or its delay in ms"),
    (
      "jitterbug-link 1\n0\nlost 4\n",
      "line 3: a lost packet has no delay: write lost alone, or the delay of each copy that arrived"
    ),
    (
      "jitterbug-link 1\n-3\n",
      "line 2: \"-3\" is neither lost nor a delay: write milliseconds with at most six decimals, such as 12.5"
    ),
    (
      "jitterbug-link 1\n1.0000001\n",
      "line 2: \"1.0000001\" is neither lost nor a delay: write milliseconds with at most six decimals, such as 12.5"
    ),
    ("jitterbug-link 1\n3600000.000001\n", "line 2: \"3600000.000001\" is too long: a delay is at most 3600000 ms"),
    ("jitterbug-link 1\n99999999999999\n", "line 2: \"99999999999999\" is too long: a delay is at most 3600000 ms"),
    ("jitterbug-link 1\n9999999991000\n", "line 2: \"9999999991000\" is too long: a delay is at most 3600000 ms"),
    ("jitterbug-link 1\n1 2 3 4 5 6 7 8 9\n", "line 2: a packet has at most 8 copies: leave the others out"),
  ])
  func `a mistake is named with its line`(text: String, sentence: String) {
    #expect(refusal(text) == sentence)
  }

  @Test func `a line without an end is refused, not gathered`() {
    #expect(
      refusal("jitterbug-link 1\n" + String(repeating: "1 ", count: 600))
        == "line 2: the line is longer than 1024 bytes: write one packet a line")
    #expect(refusal(String(repeating: "x", count: 5000)).hasPrefix("line 1: this is no recording"))
  }

  @Test func `every length and every flipped bit is read or refused`() throws {
    let bytes = Array("jitterbug-link 1\n# a\n0\n12.5 13\nlost\n3.000001\n".utf8)
    var read = 0
    for length in 0...bytes.count { read += (try? LinkRecording(parsing: Array(bytes[..<length]).span)) == nil ? 0 : 1 }
    #expect(read > 10)
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 0x80 >> UInt8(bit % 8)
      guard let recording = try? LinkRecording(parsing: damaged.span) else { continue }
      #expect(try parse(text(of: recording)) == recording)
    }
  }

  @Test func `appending keeps to the limits`() {
    var recording = LinkRecording()
    recording.append([.seconds(-1), .seconds(9999)])
    recording.append((0..<20).map { Interval.milliseconds($0) })
    #expect(recording.copies(of: 0) == [.zero, LinkRecording.longestDelay])
    #expect(recording.copies(of: 1).count == LinkRecording.copyLimit)
  }
}

@Suite struct LinkReplayTests {
  @Test(arguments: [
    "loss=5%,seed=3", "loss=8%,burst=4,duplicate=6%,duplicate-delay=1ms,delay=20ms",
    "delay=60ms,jitter=15ms,jitter-order=break,loss=2%,duplicate=3%,duplicate-delay=2ms,seed=9",
    "ge=1%:20%,outage=2s:100ms,delay=40ms,jitter=9ms,jitter-shape=heavy,jitter-order=break",
  ])
  func `a recorded link does the same to every packet again`(spec: String) throws {
    var original = try Crossing(spec)
    original.run(count: 5000, every: .milliseconds(5))
    let least = original.deliveries.map { $0.deliveredAt - $0.sentAt }.min() ?? .zero
    let recording = try parse(text(of: record(original)))
    let replayed = try LinkSpec(replaying: recording, named: "a.link", changes: "delay=\(least.nanoseconds)ns")
    var again = Crossing(replayed)
    again.run(count: 5000, every: .milliseconds(5))
    #expect(again.deliveries.count == original.deliveries.count && again.deliveries.count > 3000)
    for (left, right) in zip(again.deliveries, original.deliveries) {
      #expect(left.sentIndex == right.sentIndex && left.copy == right.copy && left.deliveredAt == right.deliveredAt)
    }
    for (left, right) in zip(again.fates, original.fates) {
      #expect(left.copies == right.copies && left.delay == right.delay && left.duplicateDelay == right.duplicateDelay)
      #expect((left.cause == .lost) == (right.cause != .delivered))
    }
    let (one, other) = (again.link.record, original.link.record)
    #expect(one.lost == other.dropped && one.duplicated == other.duplicated && one.reordered == other.reordered)
    #expect(one.lossRuns == other.lossRuns && one.longestLossRun == other.longestLossRun)
    #expect(one.offered + one.duplicated == one.delivered + one.lost + one.inFlight)
  }

  @Test func `more than two copies arrive as often as they were recorded`() throws {
    let spec = try LinkSpec(replaying: parse("jitterbug-link 1\n1 1 2 30\n0\n"), named: "x.link")
    var crossing = Crossing(spec)
    crossing.run(count: 2)
    #expect(crossing.deliveries.map(\.sentIndex) == [0, 0, 0, 1, 0])
    #expect(crossing.link.record.duplicated == 3 && crossing.link.record.inFlight == 0)
  }

  @Test(arguments: [
    ("", [0, 1, 3, 4, 6, 7]), ("then=clear", [0, 1, 3, 4, 5, 6, 7]), ("then=lost", [0, 1]),
  ])
  func `after its end it goes on as it was told`(changes: String, arrived: [UInt64]) throws {
    let spec = try LinkSpec(replaying: parse("jitterbug-link 1\n0\n5\nlost\n"), named: "x.link", changes: changes)
    var crossing = Crossing(spec)
    crossing.run(count: 8)
    #expect(crossing.deliveries.map(\.sentIndex) == arrived)
  }

  @Test func `delay and rate come on top of what was recorded`() throws {
    let spec = try LinkSpec(
      replaying: parse("jitterbug-link 1\n0\n5\n"), named: "d/x", changes: " Delay = 40ms , rate=80kbit")
    var crossing = Crossing(spec)
    crossing.run(count: 2, bytes: 100)
    #expect(crossing.deliveries.map { ($0.deliveredAt - $0.sentAt).milliseconds } == [50, 55])
    #expect(spec.description == "d/x,delay=40ms,rate=80kbit")
    #expect(LinkSpec.recordedLink(in: spec.description)?.changes == "delay=40ms,rate=80kbit")
  }

  @Test func `only what a recording leaves open can be changed`() throws {
    let recording = try parse("jitterbug-link 1\n0\n")
    func refusal(_ changes: String) -> String {
      do {
        return try LinkSpec(replaying: recording, named: "x.link", changes: changes).description
      } catch { return error.description }
    }
    #expect(refusal("seed=7") == "a recorded link has no random numbers, so seed means nothing: leave it out")
    #expect(refusal("loss=5%").hasPrefix("loss is decided by the recorded link"))
    #expect(refusal("jitter=5ms").hasPrefix("jitter is decided by the recorded link"))
    #expect(refusal("wifi").hasPrefix("a profile cannot change a recorded link: write delay, rate, queue or then"))
    #expect(refusal("then=stop").hasPrefix("\"then=stop\" is not accepted: then takes repeat, clear or lost"))
    #expect(refusal("dealy=4ms").contains("is not a key"))
    #expect(refusal("then=clear,delay=5ms") == "x.link,delay=5ms,then=clear")
  }

  @Test func `a file is told from a profile by its name`() {
    #expect(LinkSpec.recordedLink(in: "wifi-busy,loss=3%") == nil)
    #expect(LinkSpec.recordedLink(in: "loss=3%") == nil)
    #expect(LinkSpec.recordedLink(in: "call.link")?.name == "call.link")
    #expect(LinkSpec.recordedLink(in: "./call")?.name == "./call")
    #expect(LinkSpec.recordedLink(in: "/tmp/call.txt,delay=3ms")?.changes == "delay=3ms")
  }
}
