internal import Statistics
internal import Timeline

extension Report {
  /// What the page draws, as JSON: for each stream with a timeline its rows, strip, delays and events.
  func timelineJSON() -> String {
    let detail = PageDetail(streams: min(streams.count, PageDetail.streamLimit))
    var writer = JSONWriter()
    writer.object { json in
      json.array("row_columns") { names in
        for name in TimelineRow.columns { names.value(nil, name) }
      }
      json.array("streams") { array in
        for stream in streams.prefix(PageDetail.streamLimit) {
          array.object { object in
            object.value("ssrc", Figures.identifier(stream.ssrc))
            StreamCharts(stream, detail: detail)?.write(to: &object)
          }
        }
      }
    }
    return writer.text
  }
}

extension TimelineRow {
  /// The names of the columns of a row, in the report's JSON and CSV.
  static let columns = [
    "start_s", "duration_s", "expected", "unique", "lost", "late", "discarded", "reordered", "duplicates", "bytes",
    "jitter_ms_mean", "jitter_ms_max", "delay_ms_min", "delay_ms_mean", "delay_ms_max", "buffer_ms_mean",
    "buffer_ms_min", "buffer_ms_max", "buffer_target_ms",
  ]

  /// The counts, in the order of their columns.
  var counts: [Int] {
    [fates.expected, fates.unique, fates.lost, fates.late, fates.discarded, fates.reordered, fates.duplicates, bytes]
  }

  /// The times in milliseconds, in the order of their columns.
  var times: [Double?] {
    [
      jitter?.mean, jitter?.max, delay?.min, delay?.mean, delay?.max, bufferLevel?.mean, bufferLevel?.min,
      bufferLevel?.max, bufferTarget,
    ]
  }
}

extension StreamCharts {
  /// Writes the members of one object in `streams`.
  fileprivate func write(to json: inout JSONWriter) {
    json.array("rows") { array in
      for row in rows {
        array.array { cells in
          cells.value(nil, row.start.seconds, decimals: 3)
          cells.value(nil, row.duration.seconds, decimals: 3)
          for count in row.counts { cells.value(nil, count) }
          for time in row.times { cells.value(nil, time, decimals: 2) }
        }
      }
    }
    json.object("strip") { object in
      let fates = strip.fates
      object.value("numbers_per_cell", fates.numbersPerCell)
      if fates.numbersPerCell == 1 {
        object.value("fates", String(fates.cells.map(\.letter)))
      } else {
        write(cells: &object)
      }
      object.object("lost_at_ends") { ends in
        ends.value("before_first", strip.ends.before)
        ends.value("after_last", strip.ends.after)
        ends.value("at_either", strip.ends.unplaced)
      }
    }
    json.array("delays_ms") { array in
      for sample in samples {
        array.array { cells in
          cells.value(nil, sample.time.seconds, decimals: 3)
          for range in [sample.inTime, sample.late] {
            cells.value(nil, range?.lowerBound, decimals: 2)
            cells.value(nil, range?.upperBound, decimals: 2)
          }
        }
      }
    }
    json.array("events") { array in
      for event in timeline.events {
        array.object { object in
          object.value("time_s", event.time.seconds, decimals: 3)
          object.value("event", event.words(of: stream))
        }
      }
    }
    json.object("events_left_out") { object in
      object.value("of_stream", timeline.forgottenEvents.stream)
      object.value("of_buffer", timeline.forgottenEvents.buffer)
    }
  }

  private func write(cells json: inout JSONWriter) {
    json.array("cells") { array in
      for cell in strip.fates.cells {
        array.array { counts in
          for count in [cell.expected, cell.lost, cell.late, cell.discarded, cell.reordered, cell.duplicates] {
            counts.value(nil, count)
          }
        }
      }
    }
  }
}

extension FateCounts {
  /// The fate of the one packet that the cell stands for, or the worst of several.
  fileprivate var letter: Character {
    if lost > 0 { return "L" }
    if late > 0 { return "T" }
    if discarded > 0 { return "D" }
    if reordered > 0 { return "R" }
    return duplicates > 0 ? "2" : "."
  }
}
