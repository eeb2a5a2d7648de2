internal import Timeline

extension SweepReport {
  /// The report as one JSON object with the keys of docs/report-format.md, in their order.
  ///
  /// - Parameter pretty: whether each member stands on a line of its own; else the object is one line.
  public func json(pretty: Bool = false) -> String {
    var writer = JSONWriter(pretty: pretty)
    writer.object { json in
      race.writeSettings(to: &json)
      json.value("duration_ms", race.duration.milliseconds, decimals: 3)
      json.value("ended", race.ended)
      json.object("sweep") { json in
        json.value("key", key)
        json.value("unit", unit)
      }
      json.array("verdict") { array in
        for sentence in verdictSentences { array.value(nil, sentence) }
      }
      json.array("points") { array in
        for point in points { array.object { point.write(to: &$0) } }
      }
      json.array("runs") { array in
        for run in runs { array.object { run.write(to: &$0) } }
      }
    }
    return writer.text
  }

  /// The races as CSV: one line for each lane of each race.
  public func csv() -> String {
    var text =
      "\(RaceReport.field(key)),seed,lane,due,on_time,late,lost,recovered,playable_ratio,delay_ms_p50,delay_ms_p95,"
      + "delay_ms_max,stalls,stalled_ms,retransmits\n"
    for run in runs {
      for lane in run.lanes {
        let counts = [lane.packets, lane.onTime, lane.late, lane.lost, lane.recovered].map { String($0) }
        let delays = [lane.delay?.p50, lane.delay?.p95, lane.delay?.max].map { delay in
          delay.map { Figures.fixed($0, decimals: 3) } ?? ""
        }
        let fields =
          [RaceReport.field(run.text), String(run.seed), RaceReport.field(lane.name)] + counts
          + [Figures.fixed(lane.playableRatio, decimals: 6)] + delays + [
            String(lane.stalls.count), Figures.fixed(lane.stalls.total.milliseconds, decimals: 3),
            lane.retransmits.map { String($0) } ?? "",
          ]
        text += fields.joined(separator: ",") + "\n"
      }
    }
    return text
  }
}

extension SweepPoint {
  fileprivate func write(to json: inout JSONWriter) {
    json.value("value", value, decimals: 6)
    json.value("text", text)
    json.value("lane", lane)
    json.value("seeds", seeds)
    Self.write("playable_ratio", inTime, decimals: 6, to: &json)
    Self.write("delay_ms_p95", delay, decimals: 3, to: &json)
    json.value("stalls", stalls, decimals: 3)
    json.value("retransmits", retransmits, decimals: 3)
  }

  private static func write(_ key: String, _ spread: Spread?, decimals: Int, to json: inout JSONWriter) {
    guard let spread else { return json.value(key, nil as String?) }
    json.object(key) { json in
      json.value("mean", spread.mean, decimals: decimals)
      json.value("min", spread.least, decimals: decimals)
      json.value("max", spread.most, decimals: decimals)
    }
  }
}

extension SweepRun {
  fileprivate func write(to json: inout JSONWriter) {
    json.value("value", value, decimals: 6)
    json.value("text", text)
    json.value("seed", Int(exactly: seed))
    json.array("lanes") { array in
      for lane in lanes { array.object { lane.write(to: &$0) } }
    }
  }
}

extension LaneSummary {
  fileprivate func write(to json: inout JSONWriter) {
    json.value("lane", name)
    json.object("frames") { writeCounts(to: &$0) }
    json.value("on_time_ratio", onTimeRatio, decimals: 6)
    json.value("playable_ratio", playableRatio, decimals: 6)
    stalls.write("stalls", to: &json)
    delay.write("delay_ms", to: &json)
    json.value("behind_ms", behind?.milliseconds, decimals: 3)
    json.value("retransmits", retransmits)
  }
}
