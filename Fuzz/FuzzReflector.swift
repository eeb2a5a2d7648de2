// modules: Timeline Packets Statistics Buffering Sending Pictures Receiving Probing
// A reflector under any sequence of datagrams: no reply is bigger than what it replies to, nothing goes to an address
// that has proved nothing, tables keep their limits, and feedback of a client is read by a prober.
import Packets
import Probing
import Timeline

@c(LLVMFuzzerTestOneInput)
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = Array(UnsafeBufferPointer(start: start, count: count))[...]
  var run = Run()
  while let operation = input.popFirst(), let size = input.popFirst() {
    let bytes = Array(input.prefix(Int(size) * 3))
    input = input.dropFirst(bytes.count)
    run.perform(operation, bytes)
  }
  return 0
}

struct Run {
  var reflector = Reflector<UInt8>(Reflector.Configuration(ssrc: 1, cname: "far@end", wallClockOffset: 0))
  var client: ReflectionClient
  var generator = SeededGenerator(seed: 1)
  var now = Instant.zero
  var tokens: [UInt8: [UInt8]] = [:]
  var proved: Set<UInt8> = []

  init() {
    let wish = ProbeWish(profile: nil, wantsFeedback: true, duration: .seconds(1), sources: [1], clockRate: 8_000)
    client = ReflectionClient(wish, ssrc: 2, cname: "near@end", at: now, using: &generator)
  }

  mutating func perform(_ operation: UInt8, _ bytes: [UInt8]) {
    let address = operation >> 4 & 7
    switch operation & 7 {
    case 0: now += .milliseconds(Int64(bytes.count) * 20)
    case 1: reflector.noteMedia(bytes.span.bytes, from: address, at: now)
    case 2: reflector.fail(address)
    case 3: control(message(subtype: 1, bytes, size: 512), from: address)
    case 4:
      control(
        message(subtype: 3, [1, 0, 0, 0] + (tokens[address] ?? []) + bytes, size: 512), from: address, isProof: true)
    case 5: control(message(subtype: operation >> 3 & 7, bytes, size: 32 + bytes.count & ~3), from: address)
    default: control(bytes, from: address)
    }
    poll()
  }

  mutating func control(_ bytes: [UInt8], from address: UInt8, isProof: Bool = false) {
    var reply = [UInt8](repeating: 0, count: 2_048)
    var span = reply.mutableSpan
    _ = client.handle(bytes.span.bytes, at: now)
    guard
      case .reply(let size) = reflector.handleControl(
        bytes.span.bytes, from: address, at: now, into: &span, using: &generator)
    else { return }
    precondition(size <= bytes.count, "a reply is bigger than what it replies to")
    if isProof { proved.insert(address) }
    if let name = reply.indices.first(where: { reply[$0...].starts(with: "JTBG".utf8) }), name + 32 <= size {
      tokens[address] = Array(reply[(name + 16)..<(name + 32)])
    }
  }

  mutating func poll() {
    for _ in 0..<200 {
      var bytes = [UInt8](repeating: 0, count: 2_048)
      var span = bytes.mutableSpan
      guard let (size, address) = reflector.poll(into: &span, at: now) else { break }
      precondition(proved.contains(address), "media for an address that has proved nothing")
      if DatagramKind.classify(bytes.span.bytes.extracting(first: size)) == .rtcp {
        precondition((try? CompoundCursor(validating: bytes.span.bytes.extracting(first: size))) != nil)
        _ = client.handle(bytes.span.bytes.extracting(first: size), at: now)
      }
    }
    while reflector.pollEvent() != nil {}
    precondition(reflector.servedAddresses.count <= 4 && reflector.challengeCount <= 1_024)
    precondition(reflector.nextWake == nil || reflector.isServing)
  }

  func message(subtype: UInt8, _ data: [UInt8], size: Int) -> [UInt8] {
    let size = max(size, (20 + data.count + 3) & ~3)
    let words = (size - 8) / 4 - 1
    var bytes: [UInt8] = [
      0x80, 201, 0, 1, 0, 0, 0, 9, 0x80 | subtype, 204, UInt8(words >> 8 & 255), UInt8(words & 255),
    ]
    bytes += [0, 0, 0, 9] + Array("JTBG".utf8) + (subtype == 1 && data.isEmpty ? [1] : data)
    return bytes + [UInt8](repeating: 0, count: size - bytes.count)
  }
}
