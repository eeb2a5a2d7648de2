import Buffering
import Glibc
import Timeline

extension BufferEvent {
  /// Whether it is worth a line of everybody's attention; the others are for `--verbose`.
  var isNotable: Bool {
    switch self {
    case .targetRose, .routeChanged, .gaveUp: true
    case .ranDry(let length): length >= .milliseconds(100)
    case .recovered(let time): time >= .seconds(1)
    case .targetFell: false
    }
  }

  /// What happened, for people: "a packet was 310 ms late at 12:03:07, target 40 -> 120 ms".
  func sentence(at time: String? = nil) -> String {
    func milliseconds(_ interval: Interval) -> String { "\(number(interval)) ms" }
    func number(_ interval: Interval) -> String { "\(Int(interval.milliseconds.rounded()))" }
    let time = time.map { " at \($0)" } ?? ""
    return switch self {
    case .targetRose(let from, let to, let delay):
      "a packet was \(milliseconds(delay)) late\(time), target \(number(from)) -> \(milliseconds(to))"
    case .targetFell(let from, let to): "calmer\(time), target \(number(from)) -> \(milliseconds(to))"
    case .routeChanged(let shift):
      "the path became \(milliseconds(shift < .zero ? -shift : shift)) \(shift < .zero ? "shorter" : "longer")\(time)"
    case .ranDry(let length): "nothing to play for \(milliseconds(length))\(time)"
    case .recovered(let length): "back at the target\(time), after \(milliseconds(length))"
    case .gaveUp(let media): "\(milliseconds(media)) of media came too late to be of use\(time)"
    }
  }
}

/// The time of day where this runs, for sentences about what has just happened.
enum TimeOfDay {
  /// `12:03:07`, for nanoseconds since 1970.
  static func text(nanoseconds: Int64) -> String {
    var seconds = time_t(nanoseconds / 1_000_000_000)
    var parts = tm()
    localtime_r(&seconds, &parts)
    return [parts.tm_hour, parts.tm_min, parts.tm_sec].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
  }
}
