// modules: Timeline Statistics Plots Reporting
#if canImport(Reporting)
  import Reporting
#endif

/// Reads any bytes as a request for metrics: no trap, and more bytes never turn an answer into another.
@c(LLVMFuzzerTestOneInput)
public func fuzzMetricsRequest(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
  let answer = MetricsRequest(reading: input.span)
  guard answer != .incomplete, input.count <= MetricsRequest.limit else { return 0 }
  precondition(MetricsRequest(reading: (input + [0x20, 0x0A]).span) == answer)
  return 0
}
