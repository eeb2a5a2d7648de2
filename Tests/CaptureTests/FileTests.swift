import Foundation
import Testing

@testable import Capture

@Suite struct `A capture's bytes` {
  /// A pipe whose reading end is ready when something was written.
  private func pipe() throws -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [0, 0]
    try #require(Glibc.pipe(&ends) == 0)
    return (ends[0], ends[1])
  }

  @Test func `of a file come in pieces, and then end`() throws {
    let path = NSTemporaryDirectory() + "jitterbug-capture-" + UUID().uuidString
    defer { unlink(path) }
    try Data(0..<100).write(to: URL(filePath: path))
    var file = try CaptureFile(path: path, interrupt: -1)
    let size = file.size
    #expect(size == 100)
    var buffer = [UInt8](repeating: 0, count: 64)
    let first = file.read(into: &buffer, from: 4)
    #expect(first == .bytes(60))
    #expect(buffer[4...] == (0..<60).map { UInt8($0) }[...])
    let second = file.read(into: &buffer, from: 0)
    #expect(second == .bytes(40))
    let third = file.read(into: &buffer, from: 0)
    #expect(third == .end)
  }

  @Test func `of a pipe that says nothing are given up when somebody wants the report`() throws {
    let path = NSTemporaryDirectory() + "jitterbug-capture-" + UUID().uuidString
    defer { unlink(path) }
    try #require(mkfifo(path, 0o600) == 0)
    let keeper = open(path, O_RDWR)
    let signal = try pipe()
    defer { for descriptor in [keeper, signal.reading, signal.writing] { close(descriptor) } }
    var file = try CaptureFile(path: path, interrupt: signal.reading)
    let size = file.size
    #expect(size == nil)
    #expect(write(signal.writing, "x", 1) == 1)
    var buffer = [UInt8](repeating: 0, count: 64)
    let outcome = file.read(into: &buffer, from: 0)
    #expect(outcome == .interrupted)
  }

  @Test(arguments: [("/nowhere/at/all", "can't be read"), ("/", "directory")])
  func `of what can't be read are refused with a sentence`(path: String, sentence: String) throws {
    do throws(CaptureError) {
      _ = try CaptureFile(path: path, interrupt: -1)
      Issue.record("it was opened")
    } catch { #expect(error.description.contains(sentence)) }
  }

  @Test func `are filtered by an expression for their link type, or it is said what is wrong with it`() throws {
    let frame: [UInt8] =
      [0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2] + [0x0f, 0xa0, 0x13, 0x88, 0, 12, 0, 0]
      + [1, 2, 3, 4]
    let ethernet: [UInt8] = [UInt8](repeating: 2, count: 12) + [8, 0] + frame
    var ours = PacketFilter("udp dst port 5000")
    var others = PacketFilter("udp dst port 5001")
    let accepted = try [
      ours.accepts(frame.span.bytes, length: 32, linkType: 101),
      ours.accepts(ethernet.span.bytes, length: 46, linkType: 1),
      ours.accepts([UInt8]().span.bytes, length: 0, linkType: 1),
      others.accepts(frame.span.bytes, length: 32, linkType: 101),
    ]
    #expect(accepted == [true, true, false, false])
    var wrong = PacketFilter("udp porty")
    do throws(CaptureError) {
      _ = try wrong.accepts(frame.span.bytes, length: 32, linkType: 1)
      Issue.record("it was compiled")
    } catch { #expect(error.description.contains("“udp porty” is no filter expression")) }
  }

  @Test func `that are compressed are known by their first four`() {
    let beginnings: [[UInt8]] = [
      [0x1f, 0x8b, 8, 0], [0x28, 0xb5, 0x2f, 0xfd], [0x1f, 0x8b], [0xd4, 0xc3, 0xb2, 0xa1],
    ]
    let answers = beginnings.map { CaptureFile.isCompressed($0.span.bytes) }
    #expect(answers == [true, true, false, false])
  }
}
