import Statistics
import Testing
import Timeline

@testable import Pictures

/// What the ledger says of the time before there is a picture.
struct FirstPictureTests {
  /// Frames of 25 a second with these fates; a bar is where the sender begins anew.
  private func statistics(_ fates: String) -> PictureStatistics {
    var ledger = PictureLedger(clockRate: 90_000)
    var timestamp: Int64 = 1_000_000
    var startsRun = false
    for letter in fates {
      if letter == "|" {
        (timestamp, startsRun) = (timestamp + 90_000_000, true)
        continue
      }
      ledger.add(
        PictureLedger.Entry(
          timestamp: timestamp, fate: letter == "S" ? .shown : .undecodable, isKey: false, bytes: 100, packets: 1,
          missingBefore: 0, startsRun: startsRun))
      (timestamp, startsRun) = (timestamp + 3600, false)
    }
    ledger.finish()
    return ledger.result
  }

  private func frames(_ letter: Character, _ count: Int) -> String { String(repeating: letter, count: count) }

  @Test func `A film that is shown from its first frame on waits for nothing`() {
    let result = statistics(frames("S", 50))
    #expect(result.waited == .zero)
    #expect(result.freezes == 0)
  }

  @Test func `The time before the first picture is no freeze, and is told`() {
    let result = statistics(frames("U", 100) + frames("S", 50))
    #expect(result.waited == .seconds(4))
    #expect(result.freezes == 0)
    #expect(result.frozen == .zero)
  }

  @Test func `Where nothing is ever shown nobody knows when the first picture would have come`() {
    let result = statistics(frames("U", 149))
    #expect(result.waited == nil)
    #expect(result.shown == 0)
    #expect(result.freezes == 0)
  }

  @Test func `A sender that begins anew before anything was shown makes the wait longer`() {
    // From the first of 26 frames to the last it is a second.
    let result = statistics(frames("U", 26) + "|" + frames("U", 50) + frames("S", 10))
    #expect(result.waited == .seconds(3))
    #expect(result.freezes == 0)
  }

  @Test func `After a new beginning the old picture stands still until the next one is shown`() {
    let result = statistics(frames("S", 50) + "|" + frames("U", 50) + frames("S", 10))
    #expect(result.waited == .zero)
    #expect(result.freezes == 1)
    #expect(result.frozen == .seconds(2))
    let never = statistics(frames("S", 50) + "|" + frames("U", 51))
    #expect(never.freezes == 1)
    #expect(never.frozen == .seconds(2))
  }
}
