// modules: Timeline Packets COpus
// Any packet: OpusPacket and libopus agree whether it is well formed, and how long it plays.
import COpus
import Packets

@c(LLVMFuzzerTestOneInput)
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let packet = OpusPacket(parsing: UnsafeRawBufferPointer(start: start, count: count).bytes)
  if let packet {
    precondition(packet.duration % 120 == 0 && (120...OpusPacket.maximumDuration).contains(packet.duration))
  }
  guard let start, count > 0, count <= 100_000 else {
    precondition(count > 0 || packet == nil)
    return 0
  }
  var sizes = [Int16](repeating: 0, count: 48)
  let frames = opus_packet_parse(start, Int32(count), nil, nil, &sizes, nil)
  precondition(packet?.frameCount ?? -1 == max(Int(frames), -1), "libopus finds another number of frames")
  if let packet {
    precondition(packet.frameDuration == Int(opus_packet_get_samples_per_frame(start, 48_000)))
    precondition(packet.isStereo == (opus_packet_get_nb_channels(start) == 2))
  }
  return 0
}
