// modules: Timeline Impairment
#if canImport(Impairment)
  import Impairment
#endif

/// Reads any bytes as a recorded link: no trap, and what is read, written and read again is the same recording.
@c(LLVMFuzzerTestOneInput)
public func fuzzLinkRecording(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
  do {
    let recording = try LinkRecording(parsing: input.span)
    var text: [UInt8] = []
    recording.write(comment: "again") { text += $0.utf8 }
    precondition((try? LinkRecording(parsing: text.span)) == recording, "\(recording.count) packets change")
    precondition(recording.lost <= recording.count)
  } catch {
    precondition(error.line > 0 && error.description.utf8.count < 400, "\(error)")
  }
  return 0
}
