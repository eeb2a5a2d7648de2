// modules: Timeline Impairment
#if canImport(Impairment)
  import Impairment
#endif

/// Reads any text as a link spec: no trap, and what is read, written and read again is the same spec.
@c(LLVMFuzzerTestOneInput)
public func fuzzLinkSpec(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = unsafe UnsafeBufferPointer(start: bytes, count: count)
  let text = unsafe String(decoding: input, as: UTF8.self)
  do {
    let spec = try LinkSpec(parsing: text)
    let again = try? LinkSpec(parsing: spec.description)
    precondition(again == spec, "\(text) is read as \(spec), which is read as \(String(describing: again))")
  } catch {
    precondition(!error.description.isEmpty && error.description.utf8.count < 4096, "\(text): \(error)")
  }
  return 0
}
