import Glibc

/// Jitterbug's stretcher driven frame by frame, for `Benchmarks/stretching`, which compiles it with Sources/Playing.
///
///     stretch CHANNELS CONTENT EVENTS <in.raw >out.raw
///
/// CONTENT is speech or music. EVENTS is a file with a line per event: first frame, frames, units to be put in in them
/// (negative: taken out). Audio is 16 bit at 48 kHz, frames are of 20 ms. On standard error, for each event what was
/// done of it.
@main
enum Stretch {
  private static let frame = 960

  static func main() {
    let words = CommandLine.arguments
    guard words.count == 4, let channels = Int(words[1]) else { fatalError("usage: stretch CHANNELS CONTENT EVENTS") }
    let input = readAll(0).withUnsafeBytes { Array($0.bindMemory(to: Int16.self)) }
    let descriptor = open(words[3], O_RDONLY)
    let lines = String(decoding: readAll(descriptor), as: UTF8.self).split(separator: "\n")
    let events = lines.map { $0.split(separator: " ").compactMap { Int($0) } }
    var stretcher = TimeStretcher(channels: channels, content: words[2] == "music" ? .music : .speech)
    var heard: [Int16] = []
    var memory = [Int16](repeating: 0, count: 3 * frame * channels)
    var next = 0
    var left = 0
    var done = [Int](repeating: 0, count: events.count)
    for number in 0..<input.count / (frame * channels) {
      while next < events.count, number >= events[next][0] + events[next][1] { next += 1 }
      var wish = StretchWish.keep
      var urgency = StretchUrgency.calm
      if next < events.count, number >= events[next][0] {
        if number == events[next][0] { left = events[next][2] }
        if left < 0 { wish = .shrink(atMost: -left) }
        if left > 0 { wish = .expand(atMost: left) }
        if events[next][1] == 1 { urgency = .urgent }
      }
      for index in 0..<frame * channels { memory[index] = input[number * frame * channels + index] }
      var span = memory.mutableSpan
      let change = stretcher.stretch(&span, units: frame, wish: wish, urgency: urgency)
      left -= change
      if change != 0 { done[next] += change }
      heard += memory.prefix((frame + change) * channels)
    }
    heard.withUnsafeBytes { writeAll($0, to: 1) }
    Array(done.map { "\($0)\n" }.joined().utf8).withUnsafeBytes { writeAll($0, to: 2) }
  }

  private static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) {
    var place = 0
    while place < bytes.count {
      let count = write(descriptor, bytes.baseAddress.map { $0 + place }, bytes.count - place)
      guard count > 0 else { exit(1) }
      place += count
    }
  }

  private static func readAll(_ descriptor: Int32) -> [UInt8] {
    var result: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      guard count > 0 else { return result }
      result += chunk[0..<count]
    }
  }
}
