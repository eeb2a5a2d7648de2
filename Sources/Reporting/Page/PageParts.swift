internal import Plots
internal import Timeline

/// A table of a page: a caption, a head, and rows that begin with what they are about.
struct PageTable {
  /// What a column's cells hold.
  enum Column {
    case text(String), number(String)
  }

  var caption: String
  var columns: [Column]
  var rows: [[String]] = []
  /// Rows that sum others up, by their place.
  var sums: Set<Int> = []
  /// Whether lines are small and never broken.
  var isDense = false

  init(_ caption: String, _ columns: [Column]) {
    self.caption = caption
    self.columns = columns
  }

  /// A table of the rows of a text report.
  init(_ caption: String, _ text: TextPage) {
    self.init(caption, [.text(""), .text("figures")])
    for row in text.rows {
      rows.append([row.label.capitalizedAtFirst, row.figures.joined(separator: " · ")])
    }
  }

  /// Adds a row; its first cell is its heading.
  mutating func row(_ cells: String..., isSum: Bool = false) {
    if isSum { sums.insert(rows.count) }
    rows.append(cells)
  }

  /// Writes the table in a box that scrolls sideways where the page is narrow.
  func write(to page: inout Markup) {
    page.element("div", ["class": "scroll", "role": "region", "tabindex": "0", "aria-label": caption]) { box in
      box.element("table", ["class": isDense ? "dense" : "wide"]) { table in
        table.element("caption", caption)
        table.element("thead") { head in
          head.element("tr") { row in
            for column in columns { write(column, to: &row) }
          }
        }
        table.element("tbody") { body in
          for (place, cells) in rows.enumerated() { write(cells, isSum: sums.contains(place), to: &body) }
        }
      }
    }
  }

  private func write(_ column: Column, to row: inout Markup) {
    switch column {
    case .text(let name): row.element("th", ["scope": "col"], name)
    case .number(let name): row.element("th", ["scope": "col", "class": "n"], name)
    }
  }

  private func write(_ cells: [String], isSum: Bool, to body: inout Markup) {
    body.element("tr", isSum ? ["class": "sum"] : [:]) { row in
      for (place, cell) in cells.enumerated() {
        let isNumber = if case .number = columns[min(place, columns.count - 1)] { true } else { false }
        if place == 0 {
          row.element("th", isNumber ? ["scope": "row", "class": "n"] : ["scope": "row"], cell)
        } else {
          row.element("td", isNumber ? ["class": "n"] : [:], cell)
        }
      }
    }
  }
}

/// A figure that catches the eye: a name, a value, and a word about it.
typealias PageTile = (name: String, value: String, note: String)

extension Markup {
  /// Writes a figure: what it shows, a drawing, and what its colours stand for.
  mutating func figure(_ title: String, _ explanation: String, svg: String, legend: Legend = Legend([])) {
    element("figure") { figure in
      figure.element("figcaption") { caption in
        caption.element("b", title)
        caption.write(explanation)
      }
      figure.raw(svg)
      figure.raw(legend.html)
    }
  }

  /// Writes a section: its heading, what it is about, the figures that catch the eye, and what `body` writes.
  mutating func section(
    _ id: String, _ heading: String, description: String? = nil, tiles: [PageTile], _ body: (inout Markup) -> Void
  ) {
    element("section", ["id": id, "aria-labelledby": id + "-name"]) { section in
      section.element("header") { header in
        header.element("h2", ["id": id + "-name"], heading)
        if let description { header.element("p", ["class": "soft"], description) }
        header.write(tiles)
      }
      body(&section)
    }
  }

  private mutating func write(_ tiles: [PageTile]) {
    element("dl", ["class": "tiles"]) { list in
      for tile in tiles {
        list.element("div") { box in
          box.element("dt", tile.name)
          box.element("dd") { value in
            value.write(tile.value)
            if !tile.note.isEmpty { value.element("small", tile.note) }
          }
        }
      }
    }
  }
}

extension String {
  /// The text with its first letter as a capital.
  var capitalizedAtFirst: String { prefix(1).uppercased() + dropFirst() }
}

/// Dates as people read them, in UTC.
enum CalendarText {
  /// "2026-11-21 14:52:41 UTC" of nanoseconds since 1970.
  static func text(nanoseconds: Int64) -> String {
    let seconds = nanoseconds / 1_000_000_000 - (nanoseconds % 1_000_000_000 < 0 ? 1 : 0)
    let (day, rest) = (seconds.dividedDown(by: 86_400), seconds - seconds.dividedDown(by: 86_400) * 86_400)
    // Days to a date in the proleptic Gregorian calendar, counted in eras of 400 years from 1 March of year 0.
    let shifted = day + 719_468
    let era = shifted.dividedDown(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let date = dayOfYear - (153 * month + 2) / 5 + 1
    let year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
    let calendarMonth = month < 10 ? month + 3 : month - 9
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(year)-\(two(calendarMonth))-\(two(date)) "
      + "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)) UTC"
  }
}

extension Int64 {
  /// The quotient, rounded down also below zero.
  fileprivate func dividedDown(by divisor: Int64) -> Int64 {
    self / divisor - (self % divisor < 0 ? 1 : 0)
  }
}
