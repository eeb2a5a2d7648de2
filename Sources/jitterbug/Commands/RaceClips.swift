import Racing
import Reporting
import Timeline

/// Cuts what each lane's listener heard into clips for the page.
struct RaceClips {
  private let outcome: RaceOutcome
  private let deadline: RaceDeadline
  private let channels: Int
  private let place: RaceFolder

  init(_ outcome: RaceOutcome, _ deadline: RaceDeadline, channels: Int, in place: RaceFolder) {
    self.outcome = outcome
    self.deadline = deadline
    self.channels = channels
    self.place = place
  }

  func add(to report: inout RaceReport) {}
}
