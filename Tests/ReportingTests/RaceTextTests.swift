import Foundation
import Reporting
import Testing
import Timeline

struct RaceTextTests {
  @Test func `show`() throws {
    for loss in [0, 0.002, 0.02, 0.1, 0.4] {
      for (delay, buffer) in [(2.0, 60.0), (40.0, 60.0), (40, 300)] {
        var fixture = RaceFixture()
        fixture.loss = loss
        (fixture.delay, fixture.buffer) = (delay, buffer)
        print("=====", loss, delay, buffer)
        print(fixture.report().text())
        fixture.isWaiting = true
        print("--wait", fixture.report().verdictSentences.joined(separator: "\n  "))
      }
    }
    var fixture = RaceFixture()
    fixture.lanes = ["udp", "udp+fec", "tcp", "unix"]
    print(fixture.report().text())
    fixture.lanes = ["udp"]
    print(fixture.report().text())
    fixture.lanes = []
    print(fixture.report().text())
    fixture.lanes = ["udp", "tcp"]
    fixture.packets = 100
    print(fixture.report().text())
  }
}
