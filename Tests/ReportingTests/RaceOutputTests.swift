import Foundation
import Reporting
import Testing
import Timeline

/// A race as text, JSON, CSV and in the live view.
struct RaceOutputTests {
  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private static let four: RaceReport = {
    var fixture = RaceFixture()
    fixture.lanes = ["udp", "udp+fec", "tcp", "unix"]
    return fixture.report()
  }()

  @Test func `the table of four lanes fits a hundred columns and is aligned`() throws {
    let lines = Self.four.text().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let start = try #require(lines.firstIndex { $0.contains("udp+fec") && !$0.contains("Link") })
    let table = lines[start...].prefix { !$0.isEmpty }
    #expect(table.count == 17)
    #expect(table.allSatisfy { $0.count <= 100 })
    #expect(Set(table.map(\.count)).count == 1)
    #expect(table.contains { $0.hasPrefix("  late") && $0.contains("175 (11.67 %)") }, "\(table)")
    #expect(lines.contains("Link: loss=2%,delay=40ms both ways · seed 7"))
  }

  @Test func `the fates of a lane add up to its packets, in the table as in the JSON`() throws {
    let json = try object(Self.four.json())
    #expect(json["verb"] as? String == "race" && json["tcp_player"] as? String == "conceal")
    let lanes = try #require(json["lanes"] as? [[String: Any]])
    #expect(lanes.compactMap { $0["lane"] as? String } == ["udp", "udp+fec", "tcp", "unix"])
    for lane in lanes {
      let frames = try #require(lane["frames"] as? [String: Any])
      let counts = ["on_time", "late", "lost", "recovered"].compactMap { frames[$0] as? Int }
      #expect(counts.reduce(0, +) == 1500 && frames["due"] as? Int == 1500)
      let fates = try #require(lane["fates"] as? String)
      #expect(
        zip([".", "T", "L", "F"], counts).allSatisfy { letter, count in
          fates.count { String($0) == letter } == count
        })
      #expect((lane["delays_ms"] as? [Any])?.count == 1500)
      for key in ["on_time_ratio", "playable_ratio", "stalls", "delay_ms", "wire_bytes", "payload_bytes", "overhead"] {
        #expect(lane.keys.contains(key), "\(key)")
      }
    }
    #expect(lanes[0]["on_time_ratio"] as? Double == 0.976)
    #expect(lanes[1]["playable_ratio"] as? Double == 1)
    // The keys of a stream are those of other reports.
    let packets = try #require(lanes[0]["packets"] as? [String: Any])
    #expect(packets["lost"] as? Int == 36)
  }

  @Test func `a byte stream's JSON tells of its kernel, what was held back and both players`() throws {
    let lanes = try #require(try object(Self.four.json())["lanes"] as? [[String: Any]])
    let tcp = lanes[2]
    #expect(tcp["congestion_control"] as? String == "cubic" && tcp["retransmits"] as? Int == 36)
    #expect((tcp["tcp_info"] as? [Any])?.count == 60)
    let held = try #require(tcp["head_of_line"] as? [String: Any])
    #expect(held["count"] as? Int == 36 && held["max_packets_held"] as? Int == 6)
    let waiting = try #require(tcp["waiting_player"] as? [String: Any])
    #expect(waiting["raced"] as? Bool == false)
    let behind = try #require(waiting["behind_ms"] as? Double)
    let delay = try #require(tcp["delay_ms"] as? [String: Double])
    // A waiting player is at the end behind by what the slowest packet took longer than fastest and buffer.
    #expect((behind - (try #require(delay["max"]) - (try #require(delay["min"])) - 60)).magnitude < 1)
    let curve = try #require(tcp["buffer_curve"] as? [[String: Double]])
    let missing = curve.compactMap { $0["missing"] }
    #expect(zip(missing, missing.dropFirst()).allSatisfy { $0 >= $1 } && missing.last == 0)
  }

  @Test func `a long race leaves its packets to the CSV`() throws {
    var fixture = RaceFixture()
    fixture.packets = 10_001
    fixture.lanes = ["udp"]
    let report = fixture.report()
    let lane = try #require((try object(report.json())["lanes"] as? [[String: Any]])?.first)
    #expect(lane["fates"] is NSNull && lane["delays_ms"] is NSNull)
    let lines = report.csv().split(separator: "\n")
    #expect(lines.count == 10_002)
    #expect(lines[0] == "lane,packet,sent_ms,delay_ms,fate")
    #expect(lines[2].hasPrefix("udp,1,20.000,4"))
  }

  @Test func `the live view has three lines a lane, of a tick a packet, in the width it is given`() {
    var (udp, tcp) = (LiveLane(name: "udp"), LiveLane(name: "tcp"))
    for place in 0..<1000 {
      udp.record(place % 10 == 0 ? .lost : .onTime, delay: place % 10 == 0 ? nil : .milliseconds(40))
      tcp.record(place % 10 < 2 ? .late : .onTime, delay: .milliseconds(place % 10 < 2 ? 240 : 40))
    }
    tcp.retransmits = 100
    var live = LiveRace(lanes: [udp, tcp], buffer: .milliseconds(60))
    (live.elapsed, live.total) = (.seconds(20), .seconds(30))
    let lines = live.lines(width: 45)
    #expect(
      lines == [
        "0:20 of 0:30  buffer 60 ms",
        "udp  90 % on time  0 late  100 lost  delay 4…",
        "     x·········x·········x·········x·········",
        "      ▁▁▁▁▁▁▁▁▁ ▁▁▁▁▁▁▁▁▁ ▁▁▁▁▁▁▁▁▁ ▁▁▁▁▁▁▁▁▁",
        "tcp  80 % on time  200 late  0 lost  delay 4…",
        "     !!········!!········!!········!!········",
        "     ██▁▁▁▁▁▁▁▁██▁▁▁▁▁▁▁▁██▁▁▁▁▁▁▁▁██▁▁▁▁▁▁▁▁",
        "· on time  ! late  x lost  + rebuilt   delay…",
      ])
    #expect(
      live.plain() == "0:20  udp: 90 % on time  0 late  100 lost  delay 40.0 ms  tcp: 80 % on time  200 late  0 lost  "
        + "delay 40.0 ms  100 sent again")
    for width in [0, 1, 7, 500] { #expect(live.lines(width: width).allSatisfy { $0.count <= max(width, 0) }) }
    #expect(LiveRace(lanes: [LiveLane(name: "udp")], buffer: .zero).lines(width: 80).count == 5)
  }
}
