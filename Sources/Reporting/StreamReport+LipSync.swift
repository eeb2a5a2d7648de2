internal import Statistics
internal import Timeline

/// How the stream was kept together with others of its sender.
extension StreamReport {
  func writeLipSync(to json: inout JSONWriter) {
    guard let lipSync else { return json.value("lip_sync", nil as String?) }
    json.object("lip_sync") { json in
      json.value("reference", Figures.identifier(lipSync.reference))
      json.value("skew_ms", lipSync.skew.milliseconds, decimals: 3)
      json.value("skew_without_ms", lipSync.skewWithout.milliseconds, decimals: 3)
      json.value("delay_added_ms", lipSync.added.milliseconds, decimals: 3)
    }
  }

  func writeLipSync(to page: inout TextPage) {
    guard let lipSync else { return }
    guard lipSync.reference != ssrc else { return page.row("lip sync", ["the stream that others wait for"]) }
    var figures = [Self.offset(lipSync.skew, from: lipSync.reference)]
    if lipSync.added > .zero {
      figures.append("\(Figures.milliseconds(lipSync.added.milliseconds)) of the buffer's delay added to wait for it")
      figures.append("without that \(Figures.milliseconds(lipSync.skewWithout.milliseconds))")
    }
    page.row("lip sync", figures)
  }

  private static func offset(_ skew: Interval, from reference: UInt32) -> String {
    let amount = Figures.milliseconds(max(skew, .zero - skew).milliseconds)
    return "\(amount) \(skew < .zero ? "before" : "behind") \(Figures.identifier(reference))"
  }
}
