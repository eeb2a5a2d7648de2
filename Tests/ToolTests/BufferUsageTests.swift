import Foundation
import Testing

/// What is said of a delay or a late budget that can't be had.
@Suite(.fewAtOnce) struct BufferUsageTests {
  private static let delays: [(value: String, sentence: String)] = [
    ("1h", "more than the buffer holds; write 10s or less"),
    ("20-11s", "more than the buffer holds; write 10s or less"),
    ("10001", "more than the buffer holds; write 10s or less"),
    ("99999999999999999999999", "more than the buffer holds; write 10s or less"),
    ("0-" + String(repeating: "9", count: 400), "more than the buffer holds; write 10s or less"),
    ("1e3", "not a delay; write a number of ms such as 60, or 1.5s, or adaptive, or MIN-MAX such as 20-200"),
    ("nan", "not a delay; write a number of ms such as 60, or 1.5s, or adaptive, or MIN-MAX such as 20-200"),
    ("inf", "not a delay; write a number of ms such as 60, or 1.5s, or adaptive, or MIN-MAX such as 20-200"),
    ("0x10", "not a delay; write a number of ms such as 60, or 1.5s, or adaptive, or MIN-MAX such as 20-200"),
    ("adaptiv", "not a delay; write a number of ms such as 60, or 1.5s, or adaptive, or MIN-MAX such as 20-200"),
    ("adaptive,5", "not a delay; write a number of ms such as 60, or 1.5s, or adaptive, or MIN-MAX such as 20-200"),
    ("1,5", "not a delay; write a number of ms such as 60, or 1.5s, or adaptive, or MIN-MAX such as 20-200"),
    ("40ms-adaptive", "not a delay; write a number of ms such as 60, or 1.5s, or adaptive, or MIN-MAX such as 20-200"),
    ("10-20-30", "not a delay; write a number of ms such as 60, or 1.5s, or adaptive, or MIN-MAX such as 20-200"),
    ("40msms", "not a delay; write a number of ms such as 60, or 1.5s, or adaptive, or MIN-MAX such as 20-200"),
    ("ms", "not a delay; write a number of ms such as 60, or 1.5s, or adaptive, or MIN-MAX such as 20-200"),
    (".", "not a delay; write a number of ms such as 60, or 1.5s, or adaptive, or MIN-MAX such as 20-200"),
    ("-", "not a delay; write a number of ms such as 60, or 1.5s, or adaptive, or MIN-MAX such as 20-200"),
    ("1.2.3", "not a delay; write a number of ms such as 60, or 1.5s, or adaptive, or MIN-MAX such as 20-200"),
    ("-1", "a delay can't be less than 0, and limits need both numbers; write 1 or 0-1"),
    ("-200", "a delay can't be less than 0, and limits need both numbers; write 200 or 0-200"),
    ("-0", "a delay can't be less than 0, and limits need both numbers; write 0 or 0-200"),
    ("20-", "the greatest delay is missing behind the hyphen; write 20-200, or 20 for a fixed delay"),
    ("200-20", "the least delay stands first and the greatest behind it; write 20-200"),
    ("1s-20ms", "the least delay stands first and the greatest behind it; write 20ms-1s"),
    ("60-60", "both limits are the same; write 60 for a fixed delay"),
  ]

  private static let budgets: [(value: String, sentence: String)] = [
    ("30%", "out of range; write a share from 0.01% to 20%, such as 0.5% or 0.005"),
    ("0", "out of range; write a share from 0.01% to 20%, such as 0.5% or 0.005"),
    ("0%", "out of range; write a share from 0.01% to 20%, such as 0.5% or 0.005"),
    ("-1%", "out of range; write a share from 0.01% to 20%, such as 0.5% or 0.005"),
    ("-0.01", "out of range; write a share from 0.01% to 20%, such as 0.5% or 0.005"),
    ("100", "out of range; write a share from 0.01% to 20%, such as 0.5% or 0.005"),
    ("0.009%", "out of range; write a share from 0.01% to 20%, such as 0.5% or 0.005"),
    ("5", "out of range; write 5% for a share in percent"),
    ("1", "out of range; write 1% for a share in percent"),
    ("few", "not a share; write a share from 0.01% to 20%, such as 0.5% or 0.005"),
    ("nan", "not a share; write a share from 0.01% to 20%, such as 0.5% or 0.005"),
    ("inf", "not a share; write a share from 0.01% to 20%, such as 0.5% or 0.005"),
    ("1e-3", "not a share; write a share from 0.01% to 20%, such as 0.5% or 0.005"),
    ("0,5%", "not a share; write a share from 0.01% to 20%, such as 0.5% or 0.005"),
    ("%", "not a share; write a share from 0.01% to 20%, such as 0.5% or 0.005"),
  ]

  @Test(arguments: delays)
  func `a delay that can't be had gets one sentence that says what to write`(
    value: String, sentence: String
  ) async throws {
    let run = try await Jitterbug.run(["receive", "--buffer", value])
    #expect(run.status == 2)
    #expect(run.errors == "jitterbug: --buffer \(value): \(sentence)\n")
  }

  @Test(arguments: budgets)
  func `so does a late budget`(value: String, sentence: String) async throws {
    let run = try await Jitterbug.run(["receive", "--buffer", "adaptive", "--late-budget", value])
    #expect(run.status == 2)
    #expect(run.errors == "jitterbug: --late-budget \(value): \(sentence)\n")
  }

  @Test(arguments: ["receive", "analyze a.pcap --buffer 60", "probe 127.0.0.1:9"])
  func `a late budget is for a buffer that adapts`(command: String) async throws {
    let run = try await Jitterbug.run(command.split(separator: " ").map(String.init) + ["--late-budget", "1%"])
    #expect(run.status == 2)
    #expect(
      run.errors == "jitterbug: --late-budget is what an adaptive buffer aims at, and this one is fixed: "
        + "add --buffer adaptive or --buffer 20-200\n")
  }

  @Test(arguments: [
    "0", "40", "40ms", "1.5", "1.5s", "500us", "0.1m", "Adaptive", "0-1", "20ms-1.5S", "10s", "9999.5-10s",
  ])
  func `what can be had is taken`(value: String) async throws {
    // The next thing looked at is the file.
    let run = try await Jitterbug.run(["analyze", "/nowhere/a.pcap", "--buffer", value])
    #expect(run.status == 1, "\(run.errors)")
    #expect(run.errors.contains("/nowhere/a.pcap"))
  }
}
