import Foundation
import Synchronization
import Testing

/// A sender and a receiver on loopback, run to the end of both.
struct Exchange {
  let folder: TemporaryFolder
  let sender: Jitterbug
  let receiver: Jitterbug
  /// The sender's report.
  let sent: JSON
  /// The receiver's report.
  let heard: JSON

  /// The receiver's first stream.
  var stream: JSON { heard["streams"][0] }
  /// The counts of its packets.
  var packets: JSON { stream["packets"] }

  /// Ports for one receiver, which takes the first free pair and says which.
  ///
  /// Each has a range of its own, so that none inherits the port of one that has just ended, and its sender.
  static var anyPort: String { "rtp://127.0.0.1:\(ports)" }

  /// A range of ports of which these tests hand out no part again soon.
  static var ports: String {
    let first =
      20_000
      + next.withLock { next in
        next = (next + 8) % 960
        return next
      }
    return "\(first)-\(first + 7)"
  }

  private static let next = Mutex(Int.random(in: 0..<120) * 8)
  /// Time enough for a busy machine: what arrives is played in time.
  static let patient = ["--buffer", "1s"]

  /// Starts a receiver, sends `media` (file names and options) to it, and waits for the end of both.
  ///
  /// Options that name files name them within `folder`.
  static func run(
    in folder: TemporaryFolder, at source: String? = nil, send: [String], input: Jitterbug.Input = .nothing,
    receive: [String] = []
  ) async throws -> Exchange {
    let reports = (folder.file("sent.json"), folder.file("heard.json"))
    let receiver = try Jitterbug(["receive", "--once", "--report", reports.1] + receive + [source ?? anyPort])
    let sender = try Jitterbug(
      ["send", "--report", reports.0] + send + [try await receiver.address()], input: input)
    let sent = try await sender.end()
    #expect(sent == 0, "\(sender.errors)")
    let received = try await receiver.end()
    #expect(received == 0, "\(receiver.errors)")
    return Exchange(
      folder: folder, sender: sender, receiver: receiver, sent: try JSON(path: reports.0),
      heard: try JSON(path: reports.1))
  }
}

/// A value of a JSON document, found by keys; what isn't there is null.
struct JSON {
  private let value: Any?

  private init(_ value: Any?) { self.value = value }

  init(_ text: String) throws {
    value = try JSONSerialization.jsonObject(with: Data(text.utf8))
  }

  init(path: String) throws { try self.init(String(decoding: contents(path), as: UTF8.self)) }

  subscript(key: String) -> JSON { JSON((value as? [String: Any])?[key]) }
  subscript(index: Int) -> JSON {
    guard let array = value as? [Any], array.indices.contains(index) else { return JSON(nil) }
    return JSON(array[index])
  }

  var int: Int? { (value as? NSNumber)?.intValue }
  var double: Double? { (value as? NSNumber)?.doubleValue }
  var string: String? { value as? String }
  var count: Int { (value as? [Any])?.count ?? 0 }
  var keys: Set<String> { Set((value as? [String: Any])?.keys.map { $0 } ?? []) }
}

/// A CSV file with a line of names.
struct Table {
  private let names: [Substring]
  private let rows: [[Substring]]

  init(path: String) throws {
    let text = String(decoding: contents(path), as: UTF8.self)
    let lines = text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    names = try #require(lines.first)
    rows = Array(lines.dropFirst())
    #expect(rows.allSatisfy { $0.count == names.count })
  }

  var count: Int { rows.count }

  func texts(_ name: String) throws -> [String] {
    let column = try #require(names.firstIndex { $0 == name })
    return rows.map { String($0[column]) }
  }

  func numbers(_ name: String) throws -> [Int] { try texts(name).map { try #require(Int($0)) } }
}
