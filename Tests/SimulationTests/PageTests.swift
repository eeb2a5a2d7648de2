import Foundation
import FoundationXML
import Impairment
import Packets
import Receiving
import Reporting
import Simulation
import Statistics
import TestSupport
import Testing
import Timeline

/// The HTML report of runs on the virtual clock.
///
/// With `JITTERBUG_PAGES=DIRECTORY` in the environment the pages are written there, to be looked at.
struct PageTests {
  private func report(of world: World, link: String) -> Report {
    var report = Report(version: "0.1.0", verb: "receive", link: link)
    report.duration = world.now - .zero
    report.ended = "everything was played"
    report.streams = world.receiver.streams.map { stream in
      var result = StreamReport(
        ssrc: stream.ssrc, source: "198.51.100.7:\(40_000 + stream.id)", payloadType: stream.payloadType,
        reception: stream.statistics.summary(), playout: stream.playout)
      result.cname = stream.cname
      result.encoding = stream.format.description
      result.timeline = stream.timeline
      result.lateness = stream.latenessCurve
      result.ends = stream.ends(listeningSince: nil)
      result.ended = "the sender said goodbye"
      result.firstArrival = result.reception.firstArrival.map { $0.nanoseconds + 1_790_000_000_000_000_000 }
      result.lastArrival = result.reception.lastArrival.map { $0.nanoseconds + 1_790_000_000_000_000_000 }
      result.estimateQuality(packetization: .milliseconds(20))
      return result
    }
    return report
  }

  private func world(_ scripts: [MediaScript], link: String) throws -> World {
    var configuration = World.Configuration(scripts, link: try LinkSpec(parsing: link))
    configuration.receiver.keepsTimelines = true
    configuration.keepsRecord = false
    var world = World(configuration)
    world.run()
    return world
  }

  /// The page, looked at by a parser, and kept for people if they asked for it.
  private func page(_ report: Report, _ name: String) throws -> String {
    let html = report.html()
    _ = try XMLDocument(xmlString: html)
    if let folder = ProcessInfo.processInfo.environment["JITTERBUG_PAGES"] {
      try html.write(toFile: "\(folder)/\(name).html", atomically: true, encoding: .utf8)
      try report.csv().write(toFile: "\(folder)/\(name).csv", atomically: true, encoding: .utf8)
    }
    return html
  }

  @Test(
    .optimisedOnly,
    arguments: [
      ("hour-clean", "delay=20ms,jitter=2ms,seed=3"),
      ("hour-awful", "loss=30%,delay=40ms,jitter=40ms,duplicate=10%,reorder=10%,seed=2"),
      ("hour-lossy", "loss=5%,burst=3,duplicate=2%,reorder=3%,delay=40ms,jitter=15ms,outage=600s:3s,seed=1"),
    ])
  func `an hour's page is smaller than 300 kB, and its seconds add up`(name: String, link: String) throws {
    let world = try world([MediaScript([.packets(count: 180_000)], driftPPM: 30)], link: link)
    let report = report(of: world, link: link)
    let html = try page(report, name)
    #expect(html.utf8.count < 300_000)
    let counts = report.streams[0].reception
    var sums = [Int](repeating: 0, count: 8)
    let lines = report.csv().split(separator: "\n").dropFirst()
    for line in lines {
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      for place in 0..<8 { sums[place] += try #require(Int(cells[3 + place])) }
    }
    #expect((3600...3602).contains(lines.count))
    let playout = report.streams[0].playout
    #expect(
      sums == [
        counts.expected, counts.unique, counts.expected - counts.unique, playout.late, playout.discarded.total,
        counts.reordered, counts.duplicates, counts.bytes,
      ])
  }

  @Test func `several streams, one of which restarts, pauses and moves through an outage`() throws {
    let scripts = [
      MediaScript([.packets(count: 1500)], ssrc: 0x1111_1111),
      MediaScript(
        [
          .packets(count: 300), .restart(ssrc: 0x2222_2222, sequence: 9, timestamp: 5), .packets(count: 300),
          .silence(.seconds(3)), .packets(count: 300), .stall(.seconds(4)), .packets(count: 400),
        ], ssrc: 0x2222_2222),
      MediaScript([.packets(count: 3000, duration: 480, bytes: 300)], ssrc: 0x3333_3333, driftPPM: 200),
    ]
    let link = "loss=1%,burst=2,delay=30ms,jitter=12ms,reorder=1%,duplicate=1%,outage=12s:700ms,seed=5"
    let world = try world(scripts, link: link)
    let html = try page(report(of: world, link: link), "several")
    #expect(world.receiver.streams.count == 3)
    #expect(html.utf8.count < 400_000)
    #expect(html.contains("the sender began anew with other sequence numbers"))
  }
}
