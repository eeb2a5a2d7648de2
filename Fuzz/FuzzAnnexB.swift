// modules: Timeline Packets COgg CSndFile Media
// Any bytes as a file of H.264 that comes by a pipe: pictures in an order of decoding that never goes back, within the
// limits, and the same whatever frame rate is given; the first byte of the input chooses it.

import Glibc
import Media
import Packets

@c(LLVMFuzzerTestOneInput)
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // A pipe holds this much without a reader.
  guard let start, count > 1, count <= 60_000 else { return 0 }
  let bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
  let own = pictures(of: bytes, frameRate: nil)
  let given = pictures(of: bytes, frameRate: (Int(start[0]) + 1, 1 + Int(start[0]) % 7))
  precondition(own == given, "the frame rate changes the pictures")
  return 0
}

/// The bytes of each picture.
func pictures(of bytes: [UInt8], frameRate: (Int, Int)?) -> [[UInt8]] {
  var ends: [CInt] = [-1, -1]
  guard pipe(&ends) == 0 else { return [] }
  _ = bytes.withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
  close(ends[1])
  defer { close(ends[0]) }
  var result: [[UInt8]] = []
  guard var reader = try? AnnexBReader(path: "/dev/fd/\(ends[0])", frameRate: frameRate) else { return [] }
  var decode: Int64 = -1
  while let frame = try? reader.next() {
    precondition(frame.decode >= decode && frame.presentation >= 0 && frame.duration >= 0)
    precondition(frame.presentation - frame.decode < 90_000 * 1_000, "a picture is shown soon after its decoding")
    precondition(frame.bytes.count <= AnnexBReader.frameLimit + 4_100 * 300)
    precondition(frame.bytes.starts(with: [0, 0, 0, 1]))
    decode = frame.decode
    result.append(frame.bytes)
  }
  return result
}
