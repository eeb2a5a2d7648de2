import Foundation
import FoundationXML
import Reporting
import Statistics
import Testing
import Timeline

struct ReportHTMLTests {
  static let hostile =
    "</script><!--<script>alert(1)</script>\"' onload='x' &amp; \u{2028}\u{2029}\u{202e}\u{0}\u{1b}[2J😀 ]]> <img src=x>"

  private func page(_ report: Report) throws -> XMLDocument { try XMLDocument(xmlString: report.html()) }

  private func texts(_ path: String, in page: XMLDocument) throws -> [String] {
    try page.nodes(forXPath: path).map { $0.stringValue ?? "" }
  }

  /// The sample with a timeline, whose packets are those of `SampleReport.stream()`.
  private func receiving() -> Report {
    var report = SampleReport.receiving()
    report.streams[0].timeline = SampleReport.timeline()
    return report
  }

  @Test func `the counts in the page are those of the JSON`() throws {
    let report = receiving()
    let page = try page(report)
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(report.json().utf8)) as? [String: Any])
    let stream = try #require((json["streams"] as? [[String: Any]])?.first)
    let packets = try #require(stream["packets"] as? [String: Any])
      .merging(try #require(stream["loss"] as? [String: Any])) { $1 }
    let whole = (packets["is_complete"] as? Bool) == true ? "Sent" : "Expected"
    for (name, key) in [
      ("Played in time", "played"), ("Lost on the network", "network"), ("Too late", "late"),
      ("Thrown away", "discarded"), (whole, "total"), ("Rebuilt", "recovered"), ("Concealed", "concealed"),
    ] {
      let cells = try texts("//table[caption='Where the packets went']//tr[th='\(name)']/td[1]", in: page)
      #expect(cells == [(packets[key] as? Int).map(String.init) ?? ""], "\(name)")
    }
  }

  @Test func `an outage at the ends is named, and runs are said to be of those in between`() throws {
    var report = receiving()
    report.streams[0].socketDrops = 0
    (report.streams[0].ends.sent, report.streams[0].ends.lostAtEnds) = (267, 167)
    (report.streams[0].ends.lostBefore, report.streams[0].ends.lostAfter) = (7, 160)
    let outage = "The last 160 never arrived, nor did the first 7."
    let verdict = try texts("//div[contains(@class, 'verdict')]/p", in: page(report))
    #expect(verdict.first?.hasPrefix("Bad: 64.79 % of 267 packets") == true)
    let causes = "171 were lost on the network (64.04 %; those in between in runs of 2.0 on average, the longest 3)"
    #expect(verdict.contains { $0.hasPrefix(causes) && $0.hasSuffix(outage) }, "\(verdict)")
    let captions = try texts("//figcaption", in: page(report))
    #expect(
      captions.contains { $0.contains("Between the first and the last that arrived: 2 runs") && $0.hasSuffix(outage) })
    #expect(captions.contains { $0.hasPrefix("Packet by packet") && $0.hasSuffix(outage) })
    #expect(report.text().contains("· 7 before the first, 160 after the last that arrived\n"))
  }

  /// The report with packets missing at the ends: of 7 and 160, or of so many where nobody knows at which end.
  private func outage(before: Int?, after: Int?, of count: Int) -> Report {
    var report = receiving()
    (report.streams[0].ends.sent, report.streams[0].ends.lostAtEnds) = (100 + count, count)
    (report.streams[0].ends.lostBefore, report.streams[0].ends.lostAfter) = (before, after)
    return report
  }

  /// What a figure draws as an outline.
  private func outlines(in figure: String, of page: XMLDocument) throws -> [String] {
    let path = "//figure[figcaption/b='\(figure)']//*[local-name()='path'][@class='pale s-lost f-lost']/@d"
    return try texts(path, in: page)
  }

  private func legend(of figure: String, in page: XMLDocument) throws -> [String] {
    try texts("//figure[figcaption/b='\(figure)']/ul/li", in: page)
  }

  @Test func `what is missing at the ends is drawn in the strip, over time and among the runs`() throws {
    let report = outage(before: 7, after: 160, of: 167)
    let page = try page(report)
    #expect(
      try outlines(in: "Packet by packet", of: page) == [
        "M0 0h7v10h-7zM43 13h21v10h-21zM0 26h64v10h-64zM0 39h64v10h-64zM0 52h11v10h-11z"
      ])
    let lines = try texts(
      "//figure[figcaption/b='Packet by packet']//*[local-name()='path'][@class='hover']/*", in: page)
    #expect(lines.count == 5)
    #expect(lines.first == "packets 1 to 64: 4 lost, 1 late, 0 thrown away, 7 lost at the ends")
    #expect(lines.last == "packets 257 to 267: 0 lost, 0 late, 0 thrown away, 11 lost at the ends")
    #expect(try legend(of: "Packet by packet", in: page).contains("lost at the ends (167)"))
    // 99 intervals in 1.98 s, 7 of them before and, because no end is drawn longer than the rest, 99 of 160 after.
    for figure in ["Delay over time", "Missing over time"] {
      let spans = try outlines(in: figure, of: page)
      #expect(spans.count == 2 && spans[0].hasPrefix("M0 1000V0H") && spans[1].hasSuffix("V0H1000V1000z"), "\(spans)")
      let words = try legend(of: figure, in: page)
      #expect(words.contains("7 packets lost before the first"), "\(words)")
      #expect(words.contains("160 packets lost after the last, longer than drawn"), "\(words)")
    }
    // A run of 7 beside none, and one of 160 among those of 10 or more.
    #expect(try outlines(in: "How losses cluster", of: page).count == 2)
    let drawn = try #require(try texts("//script[@id='timelines']", in: page).first)
    let timelines = try #require(try JSONSerialization.jsonObject(with: Data(drawn.utf8)) as? [String: Any])
    let strip = (timelines["streams"] as? [[String: Any]])?.first?["strip"] as? [String: Any]
    #expect(strip?["lost_at_ends"] as? [String: Int] == ["before_first": 7, "after_last": 160, "at_either": 0])
  }

  @Test func `what is missing at an end that isn't known stands behind the last, and the page says so`() throws {
    let page = try page(outage(before: nil, after: nil, of: 30))
    #expect(try outlines(in: "Packet by packet", of: page) == ["M36 13h28v10h-28zM0 26h2v10h-2z"])
    let captions = try texts("//figcaption", in: page)
    #expect(
      captions.contains { $0.contains("Those missing at the ends stand behind the last. 30 of the lost were sent") })
    #expect(try legend(of: "Delay over time", in: page).contains("30 packets lost here or before the first"))
    #expect(captions.contains { $0.hasPrefix("How losses cluster") && $0.contains("The ends aren't drawn.") })
    #expect(try outlines(in: "How losses cluster", of: page).isEmpty)
  }

  @Test(arguments: [4000, 1_000_000, 4_000_000_000])
  func `ends of any length leave the page small and what arrived to be seen`(count: Int) throws {
    let report = outage(before: count, after: count, of: 2 * count)
    let html = report.html()
    #expect(html.utf8.count < 200_000)
    let page = try XMLDocument(xmlString: html)
    let captions = try texts("//figcaption", in: page)
    #expect(captions.contains { $0.contains("The ends are drawn shorter than they were.") })
    let ground = try texts(
      "//figure[figcaption/b='Packet by packet']//*[local-name()='path'][@class='f-good']/@d", in: page)
    #expect(ground.first?.isEmpty == false)
    let lines = try texts(
      "//figure[figcaption/b='Packet by packet']//*[local-name()='path'][@class='hover']/*", in: page)
    #expect(lines.count <= 16)
    // The last line reaches to the last packet that was sent.
    let total = 2 * count + 100
    let digits = lines.last?.prefix { $0 != ":" }.filter(\.isNumber).suffix("\(total)".count)
    #expect(digits.map(String.init) == "\(total)")
  }

  @Test func `the ends count in the quality, as runs of their own where the split is known`() throws {
    var stream = SampleReport.stream()
    (stream.ends.lostAtEnds, stream.ends.lostBefore, stream.ends.lostAfter) = (3, 0, 3)
    stream.estimateQuality(packetization: .milliseconds(20))
    // 4 + 3 lost + 2 late + 1 discarded - 1 recovered, of 100 + 3; three runs.
    let percent = 9.0 / 103 * 100
    let burst = 7.0 / 3 * (1 - percent / 100)
    let rating = 148 - 10.2 - 121.8 * percent / (percent / burst + 4.3)
    #expect(try (#require(stream.quality).rating - rating).magnitude < 1e-9)
  }

  @Test func `what is embedded is the report's JSON, and what is drawn`() throws {
    let report = receiving()
    let page = try page(report)
    let embedded = try #require(try texts("//script[@id='report']", in: page).first)
    let objects = try [embedded, report.json()].map {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? NSDictionary
    }
    #expect(objects[0] == objects[1] && objects[0] != nil)
    let drawn = try #require(try texts("//script[@id='timelines']", in: page).first)
    let timelines = try #require(try JSONSerialization.jsonObject(with: Data(drawn.utf8)) as? [String: Any])
    let stream = try #require((timelines["streams"] as? [[String: Any]])?.first)
    let strip = try #require(stream["strip"] as? [String: Any])
    let fates = try #require(strip["fates"] as? String)
    #expect(fates.count == 100 && Array(fates)[10] == "L" && Array(fates)[40] == "T" && Array(fates)[41] == ".")
    #expect((stream["rows"] as? [[Any]])?.map { $0[4] as? Int } == [1 + 3, 0])
  }

  @Test func `no text from outside can break the page, run in it or load anything`() throws {
    var report = receiving()
    report.link = Self.hostile
    report.ended = Self.hostile
    report.streams[0].cname = Self.hostile
    report.streams[0].source = Self.hostile
    report.streams[0].encoding = Self.hostile
    report.streams[0].ended = Self.hostile
    report.streams.append(report.streams[0])
    var sending = try #require(SampleReport.sending().sending)
    sending.destinations = [Self.hostile]
    sending.encoding = Self.hostile
    sending.socketErrors[0].kind = Self.hostile
    report.sending = sending
    let page = try page(report)
    let names = Set(try page.nodes(forXPath: "//*").compactMap(\.name))
    #expect(names.isDisjoint(with: ["img", "iframe", "object", "embed", "link", "base", "form", "input"]))
    #expect(try texts("//script/@type", in: page) == ["application/json", "application/json"])
    #expect(try texts("//@*[starts-with(name(), 'on')]", in: page).isEmpty)
    #expect(try texts("//@href", in: page).allSatisfy { $0.hasPrefix("#stream-") })
    #expect(try page.nodes(forXPath: "//@src").isEmpty)
    let policy = try texts("//meta[@http-equiv='Content-Security-Policy']/@content", in: page)
    #expect(policy.first?.hasPrefix("default-src 'none'; style-src 'unsafe-inline'") == true)
    // The escaped text is still there to read.
    #expect(try texts("//h2", in: page).contains { $0.contains("</script><!--<script>alert(1)</script>\"'") })
    let html = report.html()
    for scalar in html.unicodeScalars where scalar.value < 0x20 && scalar != "\n" { Issue.record("\(scalar.value)") }
    #expect(!html.contains("\u{2028}") && !html.contains("\u{202e}") && !html.contains("alert(1)</script>"))
    for id in ["report", "timelines"] {
      let json = try #require(try texts("//script[@id='\(id)']", in: page).first)
      #expect(!json.contains("<") && !json.contains(">") && !json.contains("&"))
      _ = try JSONSerialization.jsonObject(with: Data(json.utf8))
    }
  }

  @Test func `a run in which nothing came says what to look for`() throws {
    var report = Report(version: "0.1.0", verb: "receive")
    report.duration = .seconds(10)
    report.datagrams = DatagramReport()
    let verdict = try texts("//div[contains(@class, 'verdict')]/p", in: page(report))
    #expect(verdict.first == "No stream arrived.")
    #expect(verdict.contains { $0.contains("Not one datagram reached this host in 10.0 s") })
    report.datagrams?.received = 7
    report.datagrams?.invalid[.malformed] = 7
    let other = try texts("//div[contains(@class, 'verdict')]/p", in: page(report))
    #expect(other.contains { $0.contains("7 datagrams came, but none belonged to a stream: 7 malformed.") })
  }

  @Test func `a sender's page tells of its timing and of the far end`() throws {
    var report = SampleReport.sending()
    var timeline = SendTimeline()
    for step in Int64(0)..<500 {
      let deadline = Instant.zero + .milliseconds(step * 20)
      timeline.record(bytes: 172, deadline: deadline, at: deadline + .microseconds(step % 100))
    }
    report.sending?.timeline = timeline
    let page = try page(report)
    #expect(try texts("//h2", in: page) == ["Sent as 0xdeadbeef"])
    #expect(try texts("//table//tr[th='0x00000007']/td[position() > 1 and position() < 4]", in: page) == ["–", "-3"])
    #expect(try texts("//table//tr[th='0x00000008']/td[2]", in: page) == ["3"])
    let exact =
      "By its extended reports the far end 0x00000008 lacks 3 of the 1,496 packets that they are about (0.2 %)."
    #expect(try texts("//div[@class='verdict g1']/p", in: page).contains(exact))
    var hidden = report
    hidden.sending?.farEnds.removeLast()
    hidden.sending?.stalls = 0
    hidden.sending?.socketErrors = []
    let words = "The far end 0x00000007 received 3 more than were due: duplicates hide how many were lost."
    #expect(try texts("//div[@class='verdict g1']/p", in: self.page(hidden)).contains(words))
    #expect(try texts("//figcaption/b", in: page) == ["Punctuality over time", "Bit rate"])
    let lines = report.csv().split(separator: "\n")
    #expect(lines.count == 11)
    #expect(lines[1] == "0xdeadbeef,0,1,50,8600,0.000,0.025,0.049")
  }

  @Test func `tables, figures and headings can be read without looking`() throws {
    let page = try page(receiving())
    #expect(try page.nodes(forXPath: "//table[not(caption)]").isEmpty)
    #expect(try page.nodes(forXPath: "//tbody//tr[not(th[@scope='row'])]").isEmpty)
    #expect(try page.nodes(forXPath: "//thead//th[not(@scope='col')]").isEmpty)
    #expect(try page.nodes(forXPath: "//h1").count == 1)
    #expect(try page.nodes(forXPath: "/html[@lang='en']").count == 1)
    let ids = try texts("//@id", in: page)
    #expect(Set(ids).count == ids.count)
    for name in try texts("//@aria-labelledby", in: page) { #expect(ids.contains(name)) }
    // Elements of SVG lie in a namespace of their own.
    #expect(try page.nodes(forXPath: "//*[local-name()='svg'][@role='img'][not(*[local-name()='title'])]").isEmpty)
  }

  @Test func `a hundred streams make a page of bounded size that tells of each`() throws {
    var report = receiving()
    let stream = report.streams[0]
    report.streams = (0..<100).map { place in
      var copy = stream
      copy.ssrc = UInt32(place)
      return copy
    }
    let html = report.html()
    #expect(html.utf8.count < 1_500_000)
    let page = try XMLDocument(xmlString: html)
    #expect(try page.nodes(forXPath: "//table[caption='Streams in order of appearance']/tbody/tr").count == 100)
    #expect(try page.nodes(forXPath: "//section").count == 12)
  }

  @Test(
    arguments: [
      (0, "1970-01-01 00:00:00 UTC"), (-1, "1969-12-31 23:59:59 UTC"), (951_782_400, "2000-02-29 00:00:00 UTC"),
      (1_709_164_799, "2024-02-28 23:59:59 UTC"), (4_107_542_400, "2100-03-01 00:00:00 UTC"),
      (1_700_000_000, "2023-11-14 22:13:20 UTC"),
    ] as [(Int64, String)])
  func `dates are right`(seconds: Int64, text: String) {
    var report = receiving()
    report.streams[0].firstArrival = seconds * 1_000_000_000
    #expect(report.html().contains("<p class=\"soft\">\(text) · "))
  }
}

struct ReportCSVTests {
  @Test func `each second of each stream is a line`() throws {
    var report = SampleReport.receiving()
    #expect(report.csv().split(separator: "\n").count == 1)
    var timeline = StreamTimeline()
    for number in Int64(0)..<100 where number != 60 {
      timeline.record(
        StreamTimeline.Packet(
          sequence: number, transit: .milliseconds(3), arrival: .zero + .milliseconds(number * 20), bytes: 172,
          reception: .inOrder, fate: .inTime, jitter: 1.5))
    }
    report.streams[0].timeline = timeline
    #expect(
      report.csv() == """
        ssrc,start_s,duration_s,expected,unique,lost,late,discarded,reordered,duplicates,bytes,jitter_ms_mean,\
        jitter_ms_max,delay_ms_min,delay_ms_mean,delay_ms_max,buffer_ms_mean,buffer_ms_min,buffer_ms_max,\
        buffer_target_ms
        0x001a2b3c,0,1,50,50,0,0,0,0,0,8600,1.500,1.500,0.000,0.000,0.000,,,,
        0x001a2b3c,1,1,50,49,1,0,0,0,0,8428,1.500,1.500,0.000,0.000,0.000,,,,

        """)
  }
}
