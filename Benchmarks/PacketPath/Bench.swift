import Sockets
import Timeline

/// `bench`: what one packet costs in the core, for `Benchmarks/micro`.
///
///     bench                  nanoseconds a packet of every benchmark, the least of several runs
///     bench NAME COUNT       one run of COUNT packets and nothing else, to be counted by valgrind
///     bench --list           the names
@main
enum Bench {
  static func main() {
    let words = CommandLine.arguments.dropFirst()
    switch words.first {
    case nil:
      for benchmark in PacketBenchmark.allCases { print(benchmark.rawValue, nanoseconds(benchmark)) }
    case "--list"?:
      for benchmark in PacketBenchmark.allCases { print(benchmark.rawValue) }
    case let word?:
      guard let benchmark = PacketBenchmark(rawValue: word), let count = words.dropFirst().first.flatMap({ Int($0) })
      else { fatalError("usage: bench [--list | NAME COUNT]") }
      print(benchmark.run(packets: count))
    }
  }

  /// The least of several runs, as what disturbs one only adds; in nanoseconds a packet.
  private static func nanoseconds(_ benchmark: PacketBenchmark) -> Double {
    let count = 100_000
    var least = Double.infinity
    for _ in 0..<20 {
      let start = MonotonicClock.now()
      let sum = benchmark.run(packets: count)
      least = min(least, Double((MonotonicClock.now() - start).nanoseconds) / Double(count))
      // Without a use of the result the optimiser could leave the work out.
      precondition(sum != .max)
    }
    return (least * 10).rounded() / 10
  }
}
