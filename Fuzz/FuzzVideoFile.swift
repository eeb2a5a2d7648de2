// modules: Timeline Packets COgg CSndFile Media

import Glibc
import Media
import Packets

/// Reads the bytes from a pipe as IVF or, by the last byte, as a transport stream; what is read is written, and reads
/// the same.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  // A pipe holds this much without a reader.
  guard let choice = bytes.last, count <= 60_000 else { return 0 }
  let encoding = choice & 1 == 0 ? VideoEncoding.vp8 : .mpegTS
  let frames = read(bytes, as: encoding, rate: choice & 2 == 0 ? nil : (Int(choice), 3))
  guard !frames.isEmpty else { return 0 }
  var name = Array("/dev/shm/jitterbug-fuzz-XXXXXX".utf8CString)
  let file = mkstemp(&name)
  unlink(name)
  guard file >= 0, let out = try? OutputFile(path: "/dev/fd/\(file)") else { return 0 }
  defer { close(file) }
  if encoding == .vp8 {
    var writer = IVFWriter(output: out)
    for frame in frames { try? writer.append(frame.bytes.span.bytes, at: frame.presentation) }
    try? writer.finish()
  } else {
    var writer = TransportStreamWriter(output: out)
    for frame in frames { try? writer.append(frame.bytes.span.bytes) }
    try? writer.finish()
  }
  guard let input = try? MediaInput(path: "/dev/fd/\(file)"), var source = try? input.videoSource(as: encoding) else {
    preconditionFailure("what was written can't be read")
  }
  var index = 0
  while let frame = try? source.next() {
    precondition(index < frames.count && frame.bytes == frames[index].bytes, "another frame comes back")
    precondition(encoding == .mpegTS || frame.presentation == frames[index].presentation, "another time comes back")
    index += 1
  }
  precondition(index == frames.count, "a frame is missing")
  return 0
}

/// All frames of a pipe that holds these bytes.
func read(_ bytes: [UInt8], as encoding: VideoEncoding, rate: (Int, Int)?) -> [VideoFrame] {
  var ends: [CInt] = [-1, -1]
  guard pipe(&ends) == 0 else { return [] }
  _ = bytes.withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
  close(ends[1])
  defer { close(ends[0]) }
  guard let input = try? MediaInput(path: "/dev/fd/\(ends[0])"),
    var source = try? input.videoSource(as: encoding, frameRate: rate)
  else { return [] }
  var result: [VideoFrame] = []
  var last: Int64 = -1
  while let frame = try? source.next() {
    precondition(!frame.bytes.isEmpty && frame.duration >= 0, "a frame of nothing")
    precondition(frame.decode >= last && (encoding == .mpegTS || frame.decode > last), "times go back")
    last = frame.decode
    result.append(frame)
  }
  return result
}
