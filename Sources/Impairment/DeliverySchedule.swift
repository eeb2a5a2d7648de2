import Timeline

/// The copies under way, the earliest first: a binary heap ordered by time, then by the order in which they were added.
struct DeliverySchedule: Sendable {
  struct Entry: Sendable {
    var time: Instant
    var order: UInt64
    var slot: Int
    var copy: Int

    static func < (left: Entry, right: Entry) -> Bool {
      left.time == right.time ? left.order < right.order : left.time < right.time
    }
  }

  private var heap: [Entry] = []
  private var added: UInt64 = 0

  var first: Entry? { heap.first }

  mutating func add(slot: Int, copy: Int, at time: Instant) {
    let entry = Entry(time: time, order: added, slot: slot, copy: copy)
    added += 1
    heap.append(entry)
    var index = heap.count - 1
    while index > 0 {
      let parent = (index - 1) / 2
      guard entry < heap[parent] else { break }
      heap[index] = heap[parent]
      index = parent
    }
    heap[index] = entry
  }

  mutating func removeFirst() {
    guard let last = heap.popLast(), !heap.isEmpty else { return }
    var index = 0
    while true {
      var child = 2 * index + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < last else { break }
      heap[index] = heap[child]
      index = child
    }
    heap[index] = last
  }
}
