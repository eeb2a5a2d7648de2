import Foundation
import FoundationXML
import Reporting
import Testing
import Timeline

/// A race at several values of one setting.
struct SweepTests {
  static func sweep(loss values: [Double] = [0, 0.005, 0.02, 0.1], seeds: UInt64 = 3) -> SweepReport {
    var fixture = RaceFixture()
    fixture.packets = 500
    var sweep = SweepReport(race: fixture.report(), key: "loss", unit: "%")
    sweep.race.lanes = []
    for value in values.reversed() {
      for seed in 1...max(seeds, 1) {
        (fixture.loss, fixture.seed) = (value, seed)
        let lanes = fixture.report().lanes.map { $0.summary(interval: .milliseconds(20)) }
        let text = "\(value * 100)%"
        sweep.runs.append(SweepRun(value: value * 100, text: text, seed: seed, lanes: lanes))
      }
    }
    return sweep
  }

  @Test func `the text has a row for each value and lane, in ascending order, and says who did better where`() {
    let text = Self.sweep().text()
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("jitterbug race · samples/speech.opus · loss swept over 4 values with 3 seeds · "))
    let rows = lines.filter { $0.hasPrefix("  ") }
    #expect(rows.count == 9 && Set(rows.map(\.count)).count == 1 && rows.allSatisfy { $0.count <= 100 })
    #expect(rows[1].hasPrefix("  0.0%   udp") && rows[8].hasPrefix("         tcp") && rows[7].hasPrefix("  10.0%  udp"))
    #expect(
      lines.contains {
        $0.hasPrefix("Where 99 % of the packets could be played when they were due, by loss: udp up to ")
      })
    #expect(lines.contains { $0.hasPrefix("At ") && $0.contains("10.0% udp had more in time") })
  }

  @Test func `a sweep that was interrupted says so in its first line`() {
    var sweep = Self.sweep()
    sweep.race.ended = nil
    #expect(!sweep.text().contains("ended") && !sweep.html().contains(" · ended"))
    sweep.race.ended = "interrupted"
    #expect(sweep.text().prefix { $0 != "\n" }.hasSuffix(" · ended: interrupted"))
    #expect(sweep.html().contains(" · ended: interrupted"))
  }

  @Test func `JSON and CSV hold each race, and the spread over its seeds`() throws {
    let sweep = Self.sweep()
    let json = try #require(try JSONSerialization.jsonObject(with: Data(sweep.json().utf8)) as? [String: Any])
    #expect((json["sweep"] as? [String: String]) == ["key": "loss", "unit": "%"])
    #expect((json["runs"] as? [Any])?.count == 12)
    let points = try #require(json["points"] as? [[String: Any]])
    #expect(points.count == 8)
    for point in points {
      let spread = try #require(point["playable_ratio"] as? [String: Double])
      let (least, mean, most) = (spread["min"] ?? 2, spread["mean"] ?? 2, spread["max"] ?? -1)
      #expect(least <= mean && mean <= most && most <= 1 && point["seeds"] as? Int == 3)
    }
    let lines = sweep.csv().split(separator: "\n")
    #expect(lines.count == 1 + 24 && lines[1].hasPrefix("10.0%,1,udp,500,"))
  }

  @Test func `the page draws a line and a spread for each lane, and is well-formed`() throws {
    let page = try XMLDocument(xmlString: Self.sweep().html())
    let captions = try page.nodes(forXPath: "//figcaption/b").compactMap(\.stringValue)
    #expect(captions == ["Played when due", "Delay"])
    for name in ["line s-main", "line s-second", "range s-main", "range s-second"] {
      #expect(try page.nodes(forXPath: "//*[local-name()='path'][@class='\(name)']").count == 2, "\(name)")
    }
    #expect(try page.nodes(forXPath: "//table/tbody/tr").count == 8)
  }

  @Test func `an empty sweep, one of one race and hostile names make valid output`() throws {
    var sweep = Self.sweep()
    sweep.runs = []
    #expect(sweep.verdictSentences == ["Nothing was raced."])
    _ = try XMLDocument(xmlString: sweep.html())
    sweep = Self.sweep(loss: [0.02], seeds: 1)
    sweep.key = ReportHTMLTests.hostile
    sweep.race.file = ReportHTMLTests.hostile
    sweep.runs[0].text = ReportHTMLTests.hostile
    sweep.runs[0].lanes[0].name = ReportHTMLTests.hostile
    sweep.runs[0].value = .nan
    let page = try XMLDocument(xmlString: sweep.html())
    #expect(try page.nodes(forXPath: "//img | //a").isEmpty)
    _ = try JSONSerialization.jsonObject(with: Data(sweep.json().utf8))
    #expect(!sweep.text().contains("\u{1b}") && !sweep.csv().contains("\u{1b}"))
  }
}
