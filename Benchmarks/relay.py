"""A path between two loopback ports whose every packet is known: a UDP relay that loses, doubles and delays by a list.

    relay.py FATES LOG LISTEN TARGET SMALLEST

FATES is JSON: for the n-th datagram of at least SMALLEST bytes towards TARGET the delays in ms of the copies that get
through, none when it is lost. Smaller datagrams and those the other way pass at once: they are somebody's control
messages. LOG gets, at the end (SIGTERM), a JSON list of [time in s, n] for each copy handed on, in order, and the time at
which each datagram came. It shares no code with what it measures.
"""

import heapq
import json
import select
import signal
import socket
import sys
import time


def main():
    fates_file, log_file, listen, target, smallest = sys.argv[1:]
    with open(fates_file) as file:
        fates = json.load(file)
    near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    near.bind(("127.0.0.1", int(listen)))
    far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    far.connect(("127.0.0.1", int(target)))
    for each in (near, far):
        each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        each.setblocking(False)
    waiting, handed_on, came, client, order = [], [], [], None, 0
    over = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(True))
    while not over:
        limit = max(0.0, waiting[0][0] - time.monotonic()) if waiting else 0.2
        ready, _, _ = select.select([near, far], [], [], min(limit, 0.2))
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, number, data = heapq.heappop(waiting)
            deliver(far, data)
            handed_on.append([time.monotonic(), number])
        if near in ready:
            for data, client in drain(near):
                if len(data) < int(smallest):
                    deliver(far, data)
                    continue
                now, number = time.monotonic(), len(came)
                came.append(now)
                for delay in fates[number] if number < len(fates) else [0]:
                    order += 1
                    heapq.heappush(waiting, (now + delay / 1000, order, number, data))
        if far in ready and client:
            for data, _ in drain(far):
                near.sendto(data, client)
    with open(log_file, "w") as file:
        json.dump({"handed_on": handed_on, "came": came}, file)


def deliver(far, data):
    try:
        far.send(data)
    except ConnectionRefusedError:
        pass  # Nobody listens there yet, or any more.


def drain(source):
    for _ in range(64):
        try:
            yield source.recvfrom(65536)
        except (BlockingIOError, ConnectionRefusedError):
            return


if __name__ == "__main__":
    main()
