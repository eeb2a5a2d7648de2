// modules: Timeline Packets COgg CSndFile Media

import Glibc
import Media

/// Reads the bytes as an input of `jitterbug send` that comes by a pipe: Ogg Opus by our reader, WAV by our header
/// reader, and, as text, the formats of `--raw` and `--synthetic`.
///
/// Everything else goes to libsndfile, which isn't ours to fuzz.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  let text = String(decoding: bytes.prefix(200), as: UTF8.self)
  _ = try? RawPCMFormat(parsing: text)
  if let spec = try? SyntheticSpec(parsing: text) {
    var source = SyntheticSource(spec, seed: 1)
    var last: Int64 = -1
    for _ in 0..<10 {
      let frame = source.next()
      precondition(frame.bytes > 0 && frame.timestamp > last, "frames have bytes and advance")
      last = frame.timestamp
    }
  }
  // A pipe holds this much without a reader.
  guard count <= 60_000 else { return 0 }
  var ends: [CInt] = [-1, -1]
  guard pipe(&ends) == 0 else { return 0 }
  _ = bytes.withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
  close(ends[1])
  defer { close(ends[0]) }
  guard let input = try? MediaInput(path: "/dev/fd/\(ends[0])") else { return 0 }
  switch input.format {
  case .oggOpus:
    guard var reader = try? input.oggOpusReader() else { return 0 }
    var payload: [UInt8] = []
    while let packet = try? reader.next(into: &payload) {
      precondition(packet.duration > 0 && packet.duration <= 5760, "a packet lasts up to 120 ms")
    }
  case .wave:
    guard var source = try? input.audioSource(spoolLimit: 0) else { return 0 }
    precondition((1...2).contains(source.channels), "one or two channels come out")
    var samples: [Float] = []
    while let read = try? source.read(frames: 4096, into: &samples), read > 0 { samples.removeAll() }
  case .h264, .ivf, .transportStream:
    guard var source = try? input.videoSource() else { return 0 }
    var last: Int64 = -1
    while let frame = try? source.next() {
      precondition(!frame.bytes.isEmpty && frame.decode >= last, "a picture has bytes, and the order of decoding")
      last = frame.decode
    }
  case .other: break
  }
  return 0
}
