// modules: Timeline Packets
// Any datagram: RTPPacket refuses it or writes the same bytes again.
import Packets

@c(LLVMFuzzerTestOneInput)
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let datagram = UnsafeRawBufferPointer(start: start, count: count).bytes
  _ = DatagramKind.classify(datagram)
  guard let packet = try? RTPPacket(parsing: datagram) else { return 0 }
  for index in 0..<16 { _ = packet.csrc(index, in: datagram) }
  var buffer = [UInt8](repeating: 0xee, count: count)
  var span = buffer.mutableSpan
  precondition(packet.write(from: datagram, into: &span) == count, "the length changed")
  precondition(buffer.elementsEqual(UnsafeBufferPointer(start: start, count: count)), "the bytes changed")
  return 0
}
