import Timeline

extension LinkSpec {
  /// Links that people meet, by name; docs/links.md says where the numbers come from.
  ///
  /// Each describes one direction. A profile is an ordinary spec: `wifi-busy,loss=10%` changes it.
  public static let profiles: [(name: String, summary: String, spec: LinkSpec)] = [
    ("none", "a perfect link: every packet at once, unharmed", .perfect),
    (
      "lan", "a wired office network, switched at 1 Gbit/s",
      LinkSpec(
        delay: .microseconds(300), jitter: .microseconds(100), rate: 1_000_000_000, queue: .time(.milliseconds(10)))
    ),
    (
      "wifi", "a good wireless network at home, then the local net",
      LinkSpec(
        loss: 0.005, burst: 2, delay: .milliseconds(3), jitter: .milliseconds(2), jitterShape: .heavy,
        rate: 100_000_000, queue: .time(.milliseconds(100)))
    ),
    (
      "wifi-busy", "a crowded wireless network: losses in bursts, delays with a long tail",
      LinkSpec(
        loss: 0.03, burst: 3, delay: .milliseconds(8), jitter: .milliseconds(8), jitterShape: .heavy,
        rate: 20_000_000, queue: .time(.milliseconds(150)))
    ),
    (
      "lte", "a mobile network on the move: short gaps at handovers, deep queue",
      LinkSpec(
        loss: 0.003, burst: 2, outage: Outage(up: .seconds(30), down: .milliseconds(60)), delay: .milliseconds(30),
        jitter: .milliseconds(10), jitterShape: .heavy, rate: 10_000_000, queue: .time(.milliseconds(500)))
    ),
    (
      "dsl", "the uplink of a DSL line: steady, slow, a queue that fills",
      LinkSpec(
        loss: 0.0005, burst: 4, delay: .milliseconds(12), jitter: .milliseconds(1), rate: 2_000_000,
        queue: .time(.milliseconds(300)))
    ),
    (
      "satellite", "a geostationary satellite: 300 ms one way",
      LinkSpec(
        loss: 0.005, burst: 5, delay: .milliseconds(300), jitter: .milliseconds(10), rate: 5_000_000,
        queue: .time(.milliseconds(500)))
    ),
    (
      "awful", "everything at once: bursts, outages, long tails, reordering, duplicates, little rate",
      LinkSpec(
        loss: 0.1, burst: 4, outage: Outage(up: .seconds(8), down: .milliseconds(400)), delay: .milliseconds(120),
        jitter: .milliseconds(60), jitterShape: .heavy, reorder: 0.02, duplicate: 0.02, rate: 1_000_000,
        queue: .time(.seconds(1)))
    ),
  ]
}
