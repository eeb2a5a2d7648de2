"""Makes captures for the benchmarks: RTP streams over a link that loses, repeats and overtakes, with the truth beside."""

import heapq
import random
import struct


def write_capture(path, packets, streams=8, size=160, seed=7, loss=0.01, duplicates=0.002, reordered=0.005):
    """Writes about `packets` frames (Ethernet, IPv4, UDP) as classic pcap with nanoseconds.

    Every other stream is Opus by its table of contents (payload type 111), the rest PCMU. Returns, by SSRC, what there
    is to find: packets received, lost, duplicates, reordered (RFC 4737).
    """
    draw = random.Random(seed)
    rows = []
    truth = {}
    each = packets // streams
    payload = bytes([0x78]) + bytes(draw.randrange(256) for _ in range(size - 1))
    for number in range(streams):
        ssrc = 0x1000_0000 + number
        is_opus = number % 2 == 0
        step = 960 if is_opus else 160
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + 8 + 12 + size, 0, 0, 64, 17, 0, bytes([10, 0, 0, number + 1]),
                         bytes([10, 0, 1, number + 1]))
        udp = struct.pack(">HHHH", 4000 + 2 * number, 5000 + 2 * number, 8 + 12 + size, 0)
        head = b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + ip + udp
        first = draw.randrange(65_536)
        heap = []
        sent = []
        for index in range(each):
            at = 1_700_000_000_000_000_000 + index * 20_000_000 + number * 1_300_000
            if draw.random() < loss and 0 < index < each - 1:
                continue
            delay = 5_000_000 + int(draw.expovariate(1 / 400_000))
            if draw.random() < reordered:
                delay += 45_000_000
            copies = 2 if draw.random() < duplicates else 1
            for copy in range(copies):
                heapq.heappush(heap, (at + delay + copy * 1_000_000, index))
        highest = -1
        seen = set()
        counts = {"received": len(heap), "duplicates": 0, "reordered": 0}
        while heap:
            at, index = heapq.heappop(heap)
            if index in seen:
                counts["duplicates"] += 1
            elif index < highest:
                counts["reordered"] += 1
            seen.add(index)
            highest = max(highest, index)
            rtp = struct.pack(">BBHII", 0x80, 111 if is_opus else 0, (first + index) & 0xFFFF,
                              (index * step) & 0xFFFF_FFFF, ssrc)
            sent.append((at, head + rtp))
        counts["lost"] = max(seen) - min(seen) + 1 - len(seen)
        truth[f"0x{ssrc:08x}"] = counts
        rows.append(sent)
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2_3C4D, 2, 4, 0, 0, 262_144, 1))
        for at, frame in heapq.merge(*rows):
            length = len(frame) + size
            file.write(struct.pack("<IIII", at // 10**9, at % 10**9, length, length) + frame + payload)
    return truth
