import Racing
import Reporting
import Timeline

/// The live view of a race: each packet's fate as soon as it is settled, in the order in which they were due.
struct RaceView {
  private let listeners: [RaceListener]
  private let buffer: Interval?
  private var shown: [Int]
  private var view: LiveRace

  init(_ options: RaceOptions, _ listeners: [RaceListener], total: Interval) {
    self.listeners = listeners
    buffer = options.buffer.adaptation == nil ? options.buffer.target : nil
    shown = listeners.map { _ in 0 }
    view = LiveRace(lanes: listeners.map { LiveLane(name: $0.kind.name) }, buffer: options.buffer.target)
    view.total = total
  }

  /// Takes in what has been settled by `now`, of the packets sent so far.
  mutating func update(sent: Int, at now: Instant) {
    let crossing = listeners.filter { $0.kind != .unix }.map(\.receiver)
    let deadline = RaceDeadline(buffer: buffer, lanes: crossing.isEmpty ? listeners.map(\.receiver) : crossing)
    for (place, listener) in listeners.enumerated() {
      let receiver = listener.receiver
      let end = min(sent, receiver.packets.count)
      while shown[place] < end, receiver.isSettled(shown[place], by: deadline, at: now) {
        let index = shown[place]
        let fate = LaneFate(receiver.fate(of: index, by: deadline))
        // What a byte stream hasn't delivered when it is due still comes: it is late.
        view.lanes[place].record(
          fate == .lost && listener.kind.isTCP ? .late : fate, delay: receiver.delay(index))
        shown[place] += 1
      }
      if let waiting = listener.waiting {
        view.lanes[place].behind = waiting.pauses.reduce(.zero) { $0 + $1.length }
      }
    }
    if let start = listeners.first?.receiver.start { view.elapsed = max(.zero, now - start) }
  }

  /// The lines for a terminal of so many columns; one line of figures for anything else (nil).
  func lines(columns: Int?) -> [String] {
    columns.map { view.lines(width: $0 - 1) } ?? [view.plain()]
  }
}

extension LaneFate {
  init(_ fate: RaceFate) {
    self =
      switch fate {
      case .onTime: .onTime
      case .late: .late
      case .lost: .lost
      case .recovered: .recovered
      }
  }
}
