import Foundation
import FoundationXML
import Reporting
import Testing
import Timeline

/// The page of a race.
struct RacePageTests {
  private func texts(_ path: String, in page: XMLDocument) throws -> [String] {
    try page.nodes(forXPath: path).map { $0.stringValue ?? "" }
  }

  private func racing(_ lanes: [String] = ["udp", "tcp"]) -> RaceReport {
    var fixture = RaceFixture()
    fixture.lanes = lanes
    var report = fixture.report()
    for lane in report.lanes.indices {
      var clip = AudioClip(title: "the whole", start: .zero, duration: .seconds(30))
      clip.oggOpus = Array("OggS and more".utf8)
      clip.wav = [0, 255, 254, 1]
      clip.envelope = AudioClip.envelope(of: (0..<3000).map { Float($0 % 100) / 50 - 1 }, pieces: 300)
      clip.gaps = [AudioClip.Gap(start: .seconds(1), duration: .milliseconds(20), fate: .lost)]
      report.lanes[lane].clips = [clip]
    }
    return report
  }

  @Test func `the page tells verdict, settings and command, and draws everything for both lanes`() throws {
    let report = racing()
    let page = try XMLDocument(xmlString: report.html())
    #expect(try texts("//div[contains(@class, 'verdict')]/p", in: page) == report.verdictSentences)
    #expect(try texts("//pre/code", in: page) == [report.commandLine])
    #expect(
      try texts("//figcaption/b", in: page) == [
        "Fates over time", "How what is missing clusters", "udp", "tcp cubic", "Delay over time",
        "How the delays spread", "What buffer would have been enough", "The other story: a player that waits",
        "Congestion window", "Segments sent again", "Round trip",
      ])
    #expect(try texts("//table//tr[th='Late']/td", in: page) == ["0 (0 %)", "175 (11.67 %)"])
    let strip = "//figure[figcaption/b='Fates over time']//*[local-name()='path']"
    #expect(try texts(strip + "[@class='hover']", in: page).count == 16)
    #expect(
      try texts(strip + "/*[local-name()='title']", in: page).first
        == "udp, packets 1 to 200: 0 late, 7 lost, 0 rebuilt")
  }

  @Test func `each clip can be played from the page itself, Opus first`() throws {
    let page = try XMLDocument(xmlString: racing().html())
    let sources = try texts("//audio[@controls]/source/@src", in: page)
    #expect(
      sources == [
        "data:audio/ogg;base64,T2dnUyBhbmQgbW9yZQ==", "data:audio/wav;base64,AP/+AQ==",
        "data:audio/ogg;base64,T2dnUyBhbmQgbW9yZQ==", "data:audio/wav;base64,AP/+AQ==",
      ])
    for source in sources {
      let text = try #require(source.split(separator: ",").last)
      #expect(Data(base64Encoded: String(text)) != nil)
    }
    let policy = try texts("//meta[@http-equiv='Content-Security-Policy']/@content", in: page)
    #expect(policy.first?.hasPrefix("default-src 'none'; style-src 'unsafe-inline'; media-src data:;") == true)
    let marks = "//figure[figcaption/b='udp']//*[local-name()='path'][@class='pale s-lost f-lost']"
    #expect(try texts(marks, in: page) == ["lost, 20 ms at 1.0 s"])
  }

  @Test(arguments: 0..<40) func `base 64 is that of everybody else`(count: Int) throws {
    var report = racing(["udp"])
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + 200) }
    report.lanes[0].clips[0].oggOpus = nil
    report.lanes[0].clips[0].wav = bytes
    let page = try XMLDocument(xmlString: report.html())
    #expect(try texts("//source/@src", in: page) == ["data:audio/wav;base64," + Data(bytes).base64EncodedString()])
  }

  @Test func `sound that is too much for a page is left out, WAV before Opus, and the page says where it is`() throws {
    var report = racing()
    report.lanes[0].clips[0].wav = [UInt8](repeating: 7, count: 16_000_001)
    var page = try XMLDocument(xmlString: report.html())
    #expect(try texts("//source/@type", in: page) == ["audio/ogg; codecs=opus", "audio/ogg; codecs=opus", "audio/wav"])
    report.lanes[0].clips[0].wav = nil
    report.lanes[0].clips[0].oggOpus = nil
    page = try XMLDocument(xmlString: report.html())
    #expect(try page.nodes(forXPath: "//audio").count == 1)
    #expect(try texts("//p", in: page).contains { $0.contains("--out DIR writes it") })
  }

  @Test func `the JSON in the page is the report's, and can't end its element`() throws {
    var report = racing()
    report.file = ReportHTMLTests.hostile
    let page = try XMLDocument(xmlString: report.html())
    let embedded = try #require(try texts("//script[@type='application/json'][@id='report']", in: page).first)
    #expect(!embedded.contains("<") && !embedded.contains("&"))
    let objects = try [embedded, report.json()].map {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? NSDictionary
    }
    #expect(objects[0] == objects[1] && objects[0] != nil)
  }

  @Test func `no text from outside can break the page, run in it or load anything`() throws {
    let hostile = ReportHTMLTests.hostile
    var report = racing()
    (report.file, report.link, report.returnLink, report.commandLine) = (hostile, hostile, hostile, hostile)
    (report.ended, report.encoding, report.notes) = (hostile, hostile, [hostile])
    for lane in report.lanes.indices {
      report.lanes[lane].name = hostile
      report.lanes[lane].congestionControl = hostile
      report.lanes[lane].failure = hostile
      report.lanes[lane].clips[0].title = hostile
    }
    let html = report.html()
    let page = try XMLDocument(xmlString: html)
    let names = Set(try page.nodes(forXPath: "//*").compactMap(\.name))
    #expect(names.isDisjoint(with: ["img", "iframe", "object", "embed", "link", "base", "form", "input", "a"]))
    #expect(try texts("//script/@type", in: page) == ["application/json"])
    #expect(try texts("//@*[starts-with(name(), 'on')]", in: page).isEmpty)
    #expect(try texts("//@src", in: page).allSatisfy { $0.hasPrefix("data:audio/") })
    #expect(!html.contains("alert(1)</script>") && !html.contains("\u{202e}") && !html.contains("\u{1b}"))
    #expect(!report.text().contains("\u{1b}") && !report.csv().contains("\u{1b}"))
  }

  @Test func `tables and drawings can be read without looking, and no identifier stands twice`() throws {
    let page = try XMLDocument(xmlString: racing(["udp", "udp+fec", "tcp", "unix"]).html())
    #expect(try page.nodes(forXPath: "//table[not(caption)]").isEmpty)
    #expect(try page.nodes(forXPath: "//*[local-name()='svg'][@role='img'][not(*[local-name()='title'])]").isEmpty)
    #expect(try page.nodes(forXPath: "//audio[not(@aria-label)]").isEmpty)
    let ids = try texts("//@id", in: page)
    #expect(Set(ids).count == ids.count)
  }

  @Test(arguments: [[], ["udp"], ["unix"], ["tcp"]]) func `races of none or one lane make a page`(lanes: [String])
    throws
  {
    var fixture = RaceFixture()
    (fixture.lanes, fixture.packets) = (lanes, 300)
    let page = try XMLDocument(xmlString: fixture.report().html())
    #expect(try page.nodes(forXPath: "//h1").count == 1)
    fixture.packets = 0
    _ = try XMLDocument(xmlString: fixture.report().html())
    fixture.packets = 1
    _ = try XMLDocument(xmlString: fixture.report().html())
  }

  @Test func `a race of ten minutes makes a page of bounded size with cells of many packets`() throws {
    var fixture = RaceFixture()
    fixture.packets = 30_000
    let html = fixture.report().html()
    #expect(html.utf8.count < 600_000)
    let page = try XMLDocument(xmlString: html)
    #expect(try texts("//figcaption", in: page).contains { $0.contains("One cell is 13 packets.") })
  }

  @Test func `an envelope holds the extremes of every piece, whatever the samples`() {
    let envelope = AudioClip.envelope(of: [0, 0.5, -0.5, 2, .nan, -.infinity], pieces: 3)
    #expect(envelope == [0...0.5, -0.5...1, -1...0])
    #expect(AudioClip.envelope(of: []).isEmpty)
    #expect(AudioClip.envelope(of: [0.25], pieces: 600) == [0.25...0.25])
  }
}
