import Foundation
import Reporting
import Testing
import Timeline

struct RaceTextTests {
  @Test func `show`() throws {
    var fixture = RaceFixture()
    fixture.lanes = ["udp", "udp+fec", "tcp", "unix"]
    var report = fixture.report()
    let folder = "/tmp/racepages"
    if let ogg = FileManager.default.contents(atPath: folder + "/clip.opus"),
      let wav = FileManager.default.contents(atPath: folder + "/clip.wav")
    {
      for lane in report.lanes.indices {
        var clip = AudioClip(title: "the whole", start: .zero, duration: .seconds(30))
        clip.oggOpus = Array(ogg)
        clip.wav = Array(wav)
        let samples = wav.dropFirst(44).withUnsafeBytes { bytes in
          bytes.bindMemory(to: Int16.self).map { Float($0) / 32768 }
        }
        clip.envelope = AudioClip.envelope(of: samples)
        for (place, packet) in report.lanes[lane].packets.enumerated() where packet.fate != .onTime {
          clip.gaps.append(.init(start: .milliseconds(Int64(place) * 20), duration: .milliseconds(20), fate: packet.fate))
        }
        report.lanes[lane].clips = [clip]
      }
    }
    try report.html().write(toFile: folder + "/four.html", atomically: true, encoding: .utf8)
    print(report.text())
    fixture.lanes = ["udp", "tcp"]
    fixture.isWaiting = true
    fixture.loss = 0.1
    try fixture.report().html().write(toFile: folder + "/wait.html", atomically: true, encoding: .utf8)
    fixture.packets = 180_000
    fixture.isWaiting = false
    fixture.loss = 0.01
    let clock = ContinuousClock()
    var html = ""
    print(clock.measure { html = fixture.report().html() }, html.utf8.count)
    try html.write(toFile: folder + "/hour.html", atomically: true, encoding: .utf8)
  }
}
