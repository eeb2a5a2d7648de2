import Foundation
import FoundationXML
import Testing

/// Reports as files: a page and a table by second, from both ends of a stream.
@Suite(.fewAtOnce) struct ReportFileTests {
  private func end(_ receiver: Jitterbug, _ sender: Jitterbug) async throws {
    let sent = try await sender.end()
    #expect(sent == 0, "\(sender.errors)")
    let received = try await receiver.end()
    #expect(received == 0, "\(receiver.errors)")
  }

  @Test func `the page holds the same report as standard output, in a file that was replaced at once`() async throws {
    let folder = try TemporaryFolder()
    let (heard, sent, kept) = (folder.file("heard.html"), folder.file("sent.html"), folder.file("kept.html"))
    _ = folder.file("kept.html", holding: Array("old".utf8))
    chmod(kept, 0o640)
    try #require(symlink("kept.html", sent) == 0)
    let receiver = try Jitterbug(
      ["receive", "--once", "--json", "--report", heard, "--link", "loss=5%,seed=3"] + Exchange.patient
        + [Exchange.anyPort])
    let sender = try Jitterbug([
      "send", "--report", sent, "--speed", "4", folder.file("in.opus", holding: Made.opus(packets: 200)),
      try await receiver.address(),
    ])
    try await end(receiver, sender)

    let page = try XMLDocument(xmlString: String(decoding: contents(heard), as: UTF8.self))
    let embedded = try #require(try page.nodes(forXPath: "//script[@id='report']").first?.stringValue)
    let object = try JSONSerialization.jsonObject(with: Data(embedded.utf8)) as? NSDictionary
    #expect(try object == JSONSerialization.jsonObject(with: Data(receiver.output)) as? NSDictionary)
    let loss = try JSON(receiver.text)["streams"][0]["loss"]
    let cells = try page.nodes(
      forXPath: "//table[caption='Where the packets went']//tr[th='Lost on the network']/td[1]")
    #expect(cells.first?.stringValue == loss["network"].int.map(String.init))
    #expect(loss["network"].int ?? 0 > 0)

    // What a link leads to is overwritten, and the link stays.
    _ = try XMLDocument(xmlString: String(decoding: contents(kept), as: UTF8.self))
    var information = stat()
    #expect(lstat(sent, &information) == 0 && information.st_mode & S_IFMT == S_IFLNK)
    #expect(lstat(kept, &information) == 0 && information.st_mode & 0o777 == 0o640)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(!names.contains { $0.hasSuffix(".part") })
  }

  @Test func `the tables by second add up to the reports`() async throws {
    let folder = try TemporaryFolder()
    let (heard, sent) = (folder.file("heard.csv"), folder.file("sent.csv"))
    _ = folder.file("heard.csv", holding: Array("old".utf8))
    chmod(heard, 0o640)
    let receiver = try Jitterbug(
      ["receive", "--once", "--json", "--report", heard, "--link", "loss=5%,duplicate=3%,seed=3"] + Exchange.patient
        + [Exchange.anyPort])
    let sender = try Jitterbug([
      "send", "--json", "--report", sent, "--speed", "4", folder.file("in.opus", holding: Made.opus(packets: 600)),
      try await receiver.address(),
    ])
    try await end(receiver, sender)
    let packets = try JSON(receiver.text)["streams"][0]["packets"]
    let table = try Table(path: heard)
    #expect(table.count >= 3)
    for column in ["expected", "unique", "late", "duplicates", "reordered", "discarded"] {
      #expect(try table.numbers(column).reduce(0, +) == packets[column].int, "\(column)")
    }
    var information = stat()
    #expect(stat(heard, &information) == 0 && information.st_mode & 0o777 == 0o640)
    let sending = try JSON(sender.text)["sending"]
    let rows = try Table(path: sent)
    #expect(try rows.numbers("packets").reduce(0, +) == sending["packets"].int)
    #expect(try rows.numbers("bytes").reduce(0, +) == sending["bytes"].int)
  }
}
