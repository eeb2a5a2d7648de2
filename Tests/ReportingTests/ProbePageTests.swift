import Foundation
import FoundationXML
import Reporting
import Statistics
import Testing
import Timeline

/// The page of a probe: one way, both ways, with a ramp.
struct ProbePageTests {
  /// A probe of 100 packets each way: up two were lost in a row, two before the first and one after the last; down what
  /// came is that of `SampleReport.stream()`, drawn packet by packet.
  private func probing() -> Report {
    var report = Report(version: "0.1.0", verb: "probe", link: "loss=4%,seed=1")
    report.duration = .seconds(3)
    var probe = ProbeReport(traffic: "opus-voice, 1 stream")
    probe.up = [Self.up]
    var verdict = DirectionVerdict(packets: 100, lost: 5, knownBy: "xr", use: "voice", remedy: "fec")
    (verdict.meanRun, verdict.grade, verdict.buffer) = (2, "fair", .milliseconds(40))
    probe.upVerdict = verdict
    verdict = DirectionVerdict(packets: 100, lost: 4, knownBy: "reception", use: "voice", remedy: "nothing")
    (verdict.grade, verdict.buffer) = ("good", .milliseconds(60))
    probe.downVerdict = verdict
    probe.downLinkRecord = SampleReport.receiving().linkRecord
    for index in 0..<3 {
      var second = ProbeSecond()
      (second.sent, second.downExpected, second.downUnique, second.downJitter) = (50, 50, 50 - index, 1.5)
      if index > 0 { (second.upLost, second.roundTrip) = (index, 20.5) }
      probe.seconds.append(second)
    }
    report.probe = probe
    report.linkRecord = probe.downLinkRecord
    report.datagrams = SampleReport.receiving().datagrams
    var stream = SampleReport.stream()
    (stream.direction, stream.timeline) = ("down", SampleReport.timeline())
    report.streams = [stream]
    return report
  }

  private static var up: SentStreamReport {
    var up = SentStreamReport(
      ssrc: 0xfeedf00d, destination: "rtp://192.0.2.7:5004", encoding: "opus/48000/2", payloadType: 111)
    (up.sent, up.reported, up.knownBy) = (100, 100, .extendedReports)
    (up.received, up.unique, up.lost, up.duplicates) = (96, 95, 5, 1)
    (up.lostAtEnds, up.lostBefore) = (3, 2)
    var reception = ReportedReception()
    reception.record(2, count: 50, isReceived: true)
    reception.record(52, count: 2, isReceived: false)
    reception.record(54, count: 45, isReceived: true)
    up.lossRuns = reception.summary().runs
    up.jitter.record(1.25)
    up.roundTrip.record(arrival: NTPTimestamp(rawValue: 0x2_0000_0000), lastSenderReport: 0x1_8000, delay: 0x7fbe)
    return up
  }

  private func page(_ report: Report) throws -> XMLDocument { try XMLDocument(xmlString: report.html()) }

  private func texts(_ path: String, in page: XMLDocument) throws -> [String] {
    try page.nodes(forXPath: path).map { $0.stringValue ?? "" }
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func `both directions have their section, in the order of the way`() throws {
    let page = try page(probing())
    #expect(
      try texts("//h2", in: page) == [
        "Up: stream 0xfeedf00d to rtp://192.0.2.7:5004", "Down: stream 0x001a2b3c from 127.0.0.1:40000",
        "Second by second", "What the link did, up", "What the link did, down", "Datagrams",
      ])
    let up = "//section[@id='up-1']"
    #expect(try texts(up + "//dt", in: page) == ["Sent", "Lost", "Duplicates", "Jitter", "Round trip"])
    #expect(try texts(up + "//dd/text()", in: page).prefix(3) == ["100", "5 %", "1"])
    #expect(
      try texts(up + "//tr[th='Lost in']/td", in: page) == [
        "1 run · mean 2.0 · longest 2 packets · 2 before the first, 1 after the last that arrived"
      ])
    let down = "//section[@id='stream-1']"
    #expect(try texts(down + "//table[caption='Where the packets went']//tr[th='Too late']/td[1]", in: page) == ["2"])
    #expect(try page.nodes(forXPath: "//table[caption='By second']/tbody/tr").count == 3)
  }

  @Test func `the verdict is that of the JSON, and of the worse direction`() throws {
    let report = probing()
    let page = try page(report)
    let sentences = try texts("//div[@class='verdict g2']/p", in: page)
    let verdict = try #require(try object(report.json())["verdict"] as? [String: Any])
    let text = try #require(verdict["text"] as? String)
    #expect(sentences.count == 4 && text.hasPrefix(sentences[0] + " " + sentences[1]), "\(sentences) \(text)")
    #expect(sentences[0].hasPrefix("Up: 5 % lost in runs of 2.0. Voice: fair with 40 ms of buffer"))
    #expect(sentences[1].hasPrefix("Down: 4 % lost. Voice: good with 60 ms of buffer"))
    #expect(sentences[2] == "The traffic was opus-voice, 1 stream.")
    #expect(sentences[3] == "A buffer of 60 ms serves both directions.")
    #expect(try texts("//title", in: page) == ["jitterbug probe: " + sentences[0]])
  }

  @Test func `both ways are drawn: runs with the ends there, packet by packet back, each second for both`() throws {
    let page = try page(probing())
    let captions = try texts("//figcaption/b", in: page)
    #expect(captions.filter { $0 == "How losses cluster" }.count == 2)
    for name in ["Packet by packet", "Delay over time", "Lost by second", "Round trip"] {
      #expect(captions.contains(name), "\(name)")
    }
    // The runs at the ends there: one of 2 and one of 1.
    let ends = "//section[@id='up-1']//*[local-name()='path'][@class='pale s-lost f-lost']"
    #expect(try texts(ends + "/*", in: page) == ["1 in a row at an end: 1 time", "2 in a row at an end: 1 time"])
    let strip = "//section[@id='stream-1']//figure[figcaption/b='Packet by packet']"
    let lost = try texts(strip + "//*[local-name()='path'][@class='f-lost']/@d", in: page)
    #expect(lost == ["M10 0h1v10h-1zM30 0h3v10h-3z"])
    #expect(try texts("//figure[figcaption/b='Lost by second']/ul/li", in: page) == ["up", "down"])
    #expect(try page.nodes(forXPath: "//*[local-name()='svg'][@role='img'][not(*[local-name()='title'])]").isEmpty)
  }

  @Test func `what is embedded is the report's JSON, and what is drawn`() throws {
    let report = probing()
    let page = try page(report)
    let embedded = try #require(try texts("//script[@id='report']", in: page).first)
    #expect(try object(embedded) as NSDictionary == object(report.json()) as NSDictionary)
    let streams = try #require(try object(embedded)["streams"] as? [[String: Any]])
    #expect(streams.map { $0["direction"] as? String } == ["up", "down"])
    let packets = try #require(streams[0]["packets"] as? [String: Any])
    #expect(packets["lost_at_ends"] as? Int == 3 && packets["lost_before_first"] as? Int == 2)
    let drawn = try #require(try texts("//script[@id='timelines']", in: page).first)
    #expect((try object(drawn)["streams"] as? [[String: Any]])?.map { $0["ssrc"] as? String } == ["0x001a2b3c"])
  }

  @Test func `nothing in it comes from outside, whatever the far end calls itself`() throws {
    var report = probing()
    report.link = ReportHTMLTests.hostile
    report.probe?.traffic = ReportHTMLTests.hostile
    report.probe?.up[0].destination = ReportHTMLTests.hostile
    report.probe?.up[0].encoding = ReportHTMLTests.hostile
    report.streams[0].source = ReportHTMLTests.hostile
    report.streams[0].cname = ReportHTMLTests.hostile
    report.streams.append(report.streams[0])
    let page = try page(report)
    let names = Set(try page.nodes(forXPath: "//*").compactMap(\.name))
    #expect(
      names.isDisjoint(with: ["img", "iframe", "object", "embed", "link", "base", "form", "input", "use", "image"]))
    #expect(try texts("//script/@type", in: page) == ["application/json", "application/json"])
    #expect(try texts("//@*[starts-with(name(), 'on')]", in: page).isEmpty)
    #expect(try page.nodes(forXPath: "//@src").isEmpty)
    #expect(try texts("//@href", in: page) == ["#stream-1", "#stream-2"])
    #expect(try texts("//style", in: page).allSatisfy { !$0.contains("url(") && !$0.contains("@import") })
    #expect(try texts("//h2", in: page)[0].contains("</script><!--<script>alert(1)</script>"))
    let ids = try texts("//@id", in: page)
    #expect(Set(ids).count == ids.count)
    for name in try texts("//@aria-labelledby", in: page) { #expect(ids.contains(name)) }
  }

  @Test func `one way there is no word of the way back`() throws {
    var report = probing()
    report.streams = []
    report.probe?.downVerdict = nil
    report.probe?.downLinkRecord = nil
    for index in 0..<3 { report.probe?.seconds[index].downExpected = 0 }
    let page = try page(report)
    #expect(
      try texts("//h2", in: page) == [
        "Up: stream 0xfeedf00d to rtp://192.0.2.7:5004", "Second by second", "What the link did, up", "Datagrams",
      ])
    #expect(try texts("//div[contains(@class, 'verdict')]/p", in: page).allSatisfy { !$0.contains("Down") })
    #expect(try texts("//figure[figcaption/b='Lost by second']/ul/li", in: page) == ["up"])
    #expect(try texts("//script/@id", in: page) == ["report"])
  }

  @Test func `a ramp shows each step, and the capacity as its verdict`() throws {
    var report = probing()
    var ramp = RampReport(.capacity)
    (ramp.rate, ramp.margin) = (400_000, 10_000)
    for (rate, arrived) in [(200_000.0, 200_000.0), (300_000, 300_000), (450_000, 400_000), (500_000, 0)] {
      ramp.steps.append(
        RampReport.Step(
          rate: rate, sentRate: rate, deliveredRate: arrived, sent: 100, lost: rate > 400_000 ? 11 : 0,
          delayGrowth: .milliseconds(rate > 400_000 ? 140 : 0), isOverload: rate > 400_000))
    }
    report.probe?.ramp = ramp
    report.streams = []
    let page = try page(report)
    #expect(try texts("//h2", in: page).first == "Ramp")
    #expect(try texts("//div[@class='verdict g0']/p", in: page).contains { $0.hasPrefix("Capacity: 400 kbit/s") })
    let rows = "//table[caption='The steps']/tbody/tr"
    #expect(try texts(rows + "/th", in: page) == ["200 kbit/s", "300 kbit/s", "450 kbit/s", "500 kbit/s"])
    #expect(try texts(rows + "/td[2]", in: page) == ["200 kbit/s", "300 kbit/s", "400 kbit/s", "–"])
    #expect(try texts(rows + "/td[5]", in: page) == ["", "", "too much", "too much"])
    // A dot for each step of which it is known what arrived.
    let dots = "//figure[figcaption/b='What arrived of what was sent']//*[local-name()='path']"
    #expect(try page.nodes(forXPath: dots + "[@class='dot s-main']").count == 2)
    #expect(try page.nodes(forXPath: dots + "[@class='dot s-late']").count == 1)
  }
}
