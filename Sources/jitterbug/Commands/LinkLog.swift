import Emulation
import Impairment
import Media
import Sockets
import Timeline

/// What `link` writes down of each packet: a capture of both sides, and a table.
final class LinkLog {
  private var ledger = PacketLedger()
  private let clock = ClockOffset.sample()
  private let table: TextFile?
  private let capture: OutputFile?
  private var blocks: CaptureBlocks
  private var failure: CommandError?

  private static let header =
    "index,direction,offered_s,delivered_s,duplicate_s,delay_ms,due_ms,protocol,source,destination,bytes,fate,copies,"
    + "overtaken,corrupted_bit\n"
  /// When what happened since the last time is put into the files; nil when all of it is there.
  private(set) var nextTurn: Instant?
  private static let turnInterval = Interval.milliseconds(250)
  /// How much later than others a frame may come that belongs before them; with the time between two turns it is less
  /// than the second that a file may lack when this process is killed.
  private static let patience = Interval.milliseconds(500)

  init(capture path: String?, trace: String?) throws(CommandError) {
    table = if let trace { try TextFile(path: trace) } else { nil }
    do throws(MediaError) {
      capture = if let path { try OutputFile(path: path) } else { nil }
    } catch { throw CommandError(error.description) }
    blocks = CaptureBlocks(
      application: "jitterbug \(Version.number)",
      interfaces: [
        ("here", "the command's side of an emulated link"), ("peer", "the far side of an emulated link"),
      ])
    table?.write(Self.header)
    table?.flush()
    flush()
  }

  /// Takes note of an event.
  func write(_ event: PacketEvent, _ frame: RawSpan) {
    nextTurn = nextTurn ?? MonotonicClock.now() + Self.turnInterval
    let remark = ledger.record(event, frame) { write($0) }
    guard capture != nil else { return }
    switch event.kind {
    case .offered: put(frame, event, on: event.direction.source, remark)
    case .delivered: put(frame, event, on: event.direction.destination, remark)
    case .passed:
      put(frame, event, on: event.direction.source, nil)
      put(frame, event, on: event.direction.destination, nil)
    }
  }

  /// Puts what happened until a moment ago into the files, when it is time to.
  func turn(at now: Instant) {
    guard let due = nextTurn, due <= now else { return }
    blocks.settle(before: unixNanoseconds(now - Self.patience))
    flush()
    table?.flush()
    nextTurn = blocks.waitingCount > 0 ? now + Self.turnInterval : nil
  }

  /// Writes what is left.
  func close() throws(CommandError) {
    ledger.finish { write($0) }
    try table?.close()
    blocks.settle(before: .max)
    flush()
    if let failure { throw failure }
  }

  private func put(_ frame: RawSpan, _ event: PacketEvent, on side: Side, _ remark: String?) {
    blocks.frame(
      frame, interface: side == .here ? 0 : 1, unixNanoseconds: unixNanoseconds(event.time),
      isInbound: side == event.direction.destination, comment: remark)
  }

  private func flush() {
    do { try capture?.write(blocks.bytes.span.bytes) } catch { failure = failure ?? CommandError(error.description) }
    blocks.removeAll()
  }

  private func write(_ account: PacketAccount) {
    guard let table else { return }
    func seconds(_ instant: Instant?) -> String {
      instant.map { TextFile.seconds(nanoseconds: unixNanoseconds($0)) } ?? ""
    }
    func delay(_ instant: Instant?) -> String { instant.map { TextFile.milliseconds($0 - account.offered) } ?? "" }
    var line = "\(account.fate.map { String($0.index) } ?? ""),\(account.direction.rawValue),"
    line += "\(seconds(account.offered)),\(seconds(account.delivered)),\(seconds(account.duplicate)),"
    line += "\(delay(account.delivered)),\(delay(account.due)),"
    line += "\(account.flow.name),\(account.flow.source),\(account.flow.destination),\(account.bytes),"
    line += "\(account.outcome),\(account.fate?.copies ?? 1),\(account.isOvertaken ? 1 : 0),"
    line += account.fate?.corruptedBit.map(String.init) ?? ""
    table.write(line + "\n")
  }

  private func unixNanoseconds(_ instant: Instant) -> Int64 {
    instant.nanoseconds &+ clock.realtimeMinusMonotonic.nanoseconds
  }
}
