// modules: Timeline Packets
// Any text: refused, or read into a description that is written and read again without a change.
import Packets

@c(LLVMFuzzerTestOneInput)
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let session = try? SessionDescription(parsing: UnsafeBufferPointer(start: start, count: count).span) else {
    return 0
  }
  precondition(session.media.count <= SessionDescription.maximumMediaCount)
  let text = session.description
  // Static types gain a line of their own, so a description may grow beyond what is read.
  guard text.utf8.count <= SessionDescription.maximumSize else { return 0 }
  guard let again = try? SessionDescription(parsing: text) else { fatalError("what was written can't be read") }
  precondition(again == session, "the description changed")
  precondition(again.description == text, "the text changed")
  return 0
}
