import Emulation
import Timeline

/// What `link` writes down of each packet: a capture and a table.
final class LinkLog {
  init(capture: String?, trace: String?) throws(CommandError) {
  }

  func write(_ event: PacketEvent, _ frame: RawSpan) {}

  func close() throws(CommandError) {}
}
