internal import Statistics
internal import Timeline

extension RaceReport {
  /// What the race showed and why, in sentences; the first says who did better.
  public var verdictSentences: [String] {
    let verdict = verdict
    return [verdict.headline] + verdict.sentences
  }

  /// The verdict on the race.
  var verdict: Verdict { RaceJudge(self).verdict }
}

/// Reads the figures of a race and says what they mean.
///
/// Every clause is drawn from this run: none is said without the figure that makes it true.
struct RaceJudge {
  let race: RaceReport
  let summaries: [LaneSummary]
  let needs: [BufferNeed]
  /// The places of the lanes that went over the link and carried something.
  let rivals: [Int]

  init(_ race: RaceReport) {
    (self.race, summaries, needs) = (race, race.summaries, race.needs)
    rivals = race.lanes.indices.filter { place in
      let lane = race.lanes[place]
      return lane.transport != .control && !lane.packets.isEmpty && lane.packets.contains { $0.delay != nil }
    }
  }

  var verdict: Verdict {
    var sentences: [String] = []
    for lane in race.lanes {
      guard let failure = lane.failure else { continue }
      sentences.append("\(race.title(lane).capitalizedAtFirst) failed: \(Printable.cleaned(failure))")
    }
    for place in rivals { sentences += account(of: place) }
    sentences += bufferSentences + otherPlayer + [wire, control].compactMap { $0 }
    if let chance { sentences.append(chance) }
    sentences += race.notes.map { Printable.cleaned($0, limit: 400) }
    return Verdict(grade: grade, headline: headline, sentences: sentences)
  }

  // MARK: Who did better

  /// Media that the listener of a lane didn't hear: a player that waits hears late packets.
  func unheard(_ place: Int) -> Int {
    race.lanes[place].pauses == nil ? summaries[place].missing : summaries[place].lost
  }

  private func share(_ place: Int) -> Double {
    summaries[place].packets == 0 ? 0 : Double(unheard(place)) / Double(summaries[place].packets)
  }

  private func percent(_ place: Int) -> String { Figures.percent(unheard(place), of: summaries[place].packets) }

  func title(_ place: Int) -> String { race.title(race.lanes[place]) }

  /// The length of media that was raced.
  private var media: Interval { race.packetInterval * Int64(summaries.map(\.packets).max() ?? 0) }

  /// Whether there is too little media to say anything of it.
  private var isTooShort: Bool { media < .seconds(5) }

  /// Whether the difference between two lanes is no more than what another seed might turn round.
  private func isTie(_ one: Int, _ other: Int) -> Bool {
    let (a, b) = (Double(unheard(one)), Double(unheard(other)))
    return (a - b).magnitude <= max(1, 2 * (a + b).squareRoot())
  }

  private var grade: Verdict.Grade {
    // As good as the best lane was: by what it missed, or by how far its player fell behind.
    let grades = rivals.map { place -> Verdict.Grade in
      let isBehind = race.lanes[place].behind ?? .zero >= Self.leastNoticed
      return share(place) >= 0.05 ? .bad : share(place) >= 0.01 || isBehind ? .mixed : .fine
    }
    guard let best = grades.min() else { return .bad }
    return race.lanes.contains { $0.failure != nil } || isTooShort ? max(best, .mixed) : best
  }

  private var headline: String {
    guard let best = rivals.min(by: { share($0) < share($1) }), let worst = rivals.max(by: { share($0) < share($1) })
    else { return race.lanes.isEmpty ? "Nothing was raced." : "No lane that went over the link carried the media." }
    let figures = Self.list(rivals.map { "\(title($0)) missed \(words($0))" })
    let total = Figures.count(summaries[best].packets, "packet")
    if rivals.count == 1 {
      return "\(title(best)) alone: it missed \(words(best)) of \(total), and no other lane went over the link to "
        + "compare it with."
    }
    if isTooShort { return "Too short to tell: in \(Figures.duration(media)) \(figures)." }
    let slow = rivals.filter { race.lanes[$0].behind ?? .zero >= Self.leastNoticed }
    if !slow.isEmpty { return headline(slow: slow) }
    if unheard(worst) == 0 {
      return "A tie: every one of \(total) was there when it was due, in "
        + (rivals.count == 2 ? "both lanes." : "every lane.")
    }
    let isBad = share(best) >= 0.1
    if isTie(best, worst) {
      let start = isBad ? "\(rivals.count == 2 ? "Both" : "All") fared badly: " : "No clear winner: "
      return start + figures + ", and so small a difference can be chance."
    }
    let ahead = rivals.filter { isTie(best, $0) }
    let names = Self.list(ahead.map(title))
    let start =
      isBad
      ? "\(rivals.count == 2 ? "Both" : "All") fared badly, \(names) less so: "
      : "\(names.capitalizedAtFirst) did better: "
    let order = ahead + rivals.filter { !ahead.contains($0) }
    return start + Self.list(order.map { "\(title($0)) missed \(words($0))" }) + " of \(total)."
  }

  /// The share that a lane missed: "2.4 %" or "nothing".
  private func words(_ place: Int) -> String { unheard(place) == 0 ? "nothing" : percent(place) }

  /// From how far behind on a player that waited is called behind.
  private static let leastNoticed = LaneReport.shortestStall

  /// The headline where a player waited: one lane keeps the time, the other the media.
  private func headline(slow: [Int]) -> String {
    let stories = rivals.map { place in
      guard slow.contains(place) else { return "\(title(place)) kept its time and missed \(words(place))" }
      return "\(title(place)) missed \(words(place)), but its player stood still "
        + "\(Self.times(summaries[place].stalls.count)) and ended "
        + "\(Figures.duration(rounded(race.lanes[place].behind ?? .zero))) behind"
    }.joined(separator: "; ")
    let others = rivals.filter { !slow.contains($0) }
    if others.isEmpty { return "Every player fell behind: \(stories)." }
    if others.allSatisfy({ unheard($0) == 0 }) { return "\(Self.list(others.map(title))) did better: \(stories)." }
    return "A choice between gaps and delay: \(stories)."
  }

  // MARK: How far to trust it

  /// What the lane that bypasses the link says about this host.
  private var control: String? {
    guard let place = race.lanes.indices.first(where: { race.lanes[$0].transport == .control }),
      summaries[place].packets > 0
    else { return nil }
    let missing = summaries[place].missing
    return missing == 0
      ? "The control, which bypasses the link, missed nothing: what the others miss is the link’s doing."
      : "Even the control, which bypasses the link, missed \(Figures.percent(missing, of: summaries[place].packets)): "
        + "this host was too busy to be exact, so repeat the race on a quiet one."
  }

  private var chance: String? {
    // What is missing in a row has one cause.
    let causes = rivals.map { race.lanes[$0].missingRuns.count }.max() ?? 0
    guard rivals.count > 1, causes > 0 else { return nil }
    if isTooShort { return "Race for at least half a minute, or with several seeds (--sweep), to learn more." }
    guard causes < 15 else { return nil }
    return "So few things went wrong (\(Figures.grouped(causes)) at most) that another seed may tell another story; "
      + "--sweep races several."
  }

  /// "a", "a and b", "a, b and c".
  static func list(_ parts: [String]) -> String {
    guard let last = parts.last, parts.count > 1 else { return parts.first ?? "" }
    return parts.dropLast().joined(separator: ", ") + " and " + last
  }
}
