import Foundation
import Reporting
import Testing
import Timeline

/// What `link` says in the end.
@Suite struct EmulationReportTests {
  private func report(_ change: (inout EmulationReport) -> Void = { _ in }) -> EmulationReport {
    var report = EmulationReport(
      version: "1", command: ["curl", "a \"b\""], peer: nil, down: .init(spec: "none", record: LinkReport()),
      up: .init(spec: "loss=5%", record: LinkReport()))
    change(&report)
    return report
  }

  @Test func `the line has what was done, and nothing that wasn't`() {
    #expect(report().line == "link: down no packet; up no packet")
    let busy = report {
      $0.down.record.offered = 1
      $0.up.record.offered = 2000
      $0.up.record.lost = 100
      $0.up.record.queueDropped = 20
      $0.up.record.outageLost = 1
      $0.up.record.duplicated = 4
      $0.up.record.reordered = 5
      $0.up.record.corrupted = 6
      $0.up.record.inFlight = 7
      // Copies, as the corrupted ones are.
      $0.up.record.delivered = 1876
    }
    #expect(
      busy.line
        == "link: down 1 packet, none lost; up 2,000 packets, 100 lost (5 %), 20 dropped by the queue (1 %), "
        + "1 lost in outages (0.05 %), 4 doubled (0.2 %), 5 overtaken (0.25 %), 6 corrupted (0.32 %), "
        + "7 still under way")
  }

  @Test func `the line says what the emulator itself could not do`() {
    let overloaded = report {
      $0.down.missed = 1
      $0.up.missed = 2
      $0.up.refused = 1
    }
    #expect(
      overloaded.line
        == "link: down no packet; up no packet; 3 packets came too fast for the emulator and were lost beside the link; "
        + "1 packet found no room on the far side")
  }

  @Test func `the JSON has the command, its end, and both directions`() throws {
    let text = report {
      $0.status = 137
      $0.duration = .milliseconds(1500)
      $0.up.record.offered = 10
      $0.up.lateness = (.microseconds(10), .microseconds(100), .milliseconds(2))
    }.json
    let json = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(json["command"] as? [String] == ["curl", "a \"b\""])
    #expect(json["peer"] is NSNull && json["status"] as? Int == 137 && json["duration_s"] as? Double == 1.5)
    let up = try #require(json["up"] as? [String: Any])
    #expect(up["link"] as? String == "loss=5%")
    #expect((up["link_record"] as? [String: Any])?["offered"] as? Int == 10)
    #expect(up["lateness_ms"] as? [String: Double] == ["mean": 0.01, "p99": 0.1, "max": 2])
    #expect((json["down"] as? [String: Any])?["missed"] as? Int == 0)
  }
}
