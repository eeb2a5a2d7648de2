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

  @Test func `a probe's page holds the report that standard output has, of both directions`() async throws {
    let folder = try TemporaryFolder()
    let path = folder.file("probe.html")
    let receiver = try Jitterbug(["receive", "--reflect", Exchange.anyPort])
    let run = try await Jitterbug.run([
      "probe", "--both-ways", "--json", "--report", path, "--duration", "3s", "--link", "loss=8%,seed=3", "--link-down",
      "loss=6%,seed=8", try await receiver.address(),
    ])
    #expect(run.status == 0, "\(run.errors)")

    let page = try XMLDocument(xmlString: String(decoding: contents(path), as: UTF8.self))
    func texts(_ path: String) throws -> [String] { try page.nodes(forXPath: path).map { $0.stringValue ?? "" } }
    let embedded = try #require(try texts("//script[@id='report']").first)
    let object = try JSONSerialization.jsonObject(with: Data(embedded.utf8)) as? NSDictionary
    #expect(try object == JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? NSDictionary)
    let report = try JSON(run.output)
    let verdict = try texts("//div[contains(@class, 'verdict')]/p")
    #expect(report["verdict"]["text"].string?.hasPrefix(verdict.prefix(2).joined(separator: " ")) == true)
    let (sent, heard) = (report["streams"][0], report["streams"][1])
    #expect(try texts("//section[@id='up-1']//dd/text()").first == sent["packets"]["sent"].int.map(String.init))
    let cells = try texts(
      "//section[@id='stream-1']//table[caption='Where the packets went']//tr[th='Lost on the network']/td[1]")
    #expect(cells.first == heard["loss"]["network"].int.map(String.init))
    #expect(try texts("//section[@id='stream-1']//figure[figcaption/b='Packet by packet']").count == 1)
    // Nothing is fetched, and links stay on the page.
    #expect(try page.nodes(forXPath: "//@src").isEmpty)
    #expect(try texts("//@href").allSatisfy { $0.hasPrefix("#") })
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
