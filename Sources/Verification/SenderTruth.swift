/// What truly happened to the packets of one sender, and what its report has to say of it.
public struct SenderTruth: Sendable {
  /// For each packet, in the order of sending: how many copies the link delivered.
  public var copies: [Int]

  /// Describes a sender.
  public init(copies: [Int]) { self.copies = copies }

  /// Where a sender's report has its only receiver.
  static let farEnd = "sending.far_ends.0."

  /// What the report has to say of the packets and the link.
  var expectations: [Expectation] {
    let runs = copies.split(whereSeparator: { $0 > 0 }).map(\.count)
    return [
      Expectation("sending.packets", copies.count), Expectation("link_record.offered", copies.count),
      Expectation("link_record.lost", copies.count { $0 == 0 }),
      Expectation("link_record.delivered", copies.reduce(0, +)), Expectation("link_record.in_flight", 0),
      Expectation("link_record.duplicated", copies.reduce(0) { $0 + max(0, $1 - 1) }),
      Expectation("link_record.corrupted", 0), Expectation("link_record.loss_runs", runs.count),
      Expectation("link_record.longest_loss_run", runs.max() ?? 0),
    ]
  }
}
