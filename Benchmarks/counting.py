"""Instructions and allocations a packet, counted by valgrind: the same on a busy machine as on an idle one."""

import concurrent.futures
import json
import re
import shutil
import subprocess
import sys

from measuring import folder

# Past what happens once: a jitter buffer's 1,024 places each get memory with their first packet.
FEWER, MORE = 4_000, 8_000


def count(bench, names=None):
    """For every benchmark of `bench`, or those named, what one more packet costs: {name: (instructions, allocations)}."""
    if not shutil.which("valgrind"):
        sys.exit("There is no valgrind on this machine, which counts instructions and allocations: apt install valgrind")
    names = names or subprocess.run([bench, "--list"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    with folder() as place, concurrent.futures.ThreadPoolExecutor(2) as pool:
        # Valgrind of Debian 12 can't read the debug information of Swift 6.3, and needs none here.
        program = place / "bench"
        subprocess.run(["strip", "--strip-debug", "-o", program, bench], check=True)

        def valgrind(tool, name, packets, profile):
            done = subprocess.run(["valgrind", f"--tool={tool}", f"--{tool}-out-file={profile}", program, name, str(packets)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            if done.returncode:
                sys.exit(f"valgrind failed on {name}:\n{done.stderr}")
            return done.stderr

        def totals(name, packets):
            # Callgrind's count of instructions: dhat puts slower functions of its own in memcpy's place.
            said = valgrind("callgrind", name, packets, "/dev/null")
            profile = place / f"{name}-{packets}.json"
            valgrind("dhat", name, packets, profile)
            blocks = sum(point["tbk"] for point in json.loads(profile.read_text())["pps"])
            return int(re.search(r"Collected : (\d+)", said)[1]), blocks

        pairs = {name: [pool.submit(totals, name, packets) for packets in (FEWER, MORE)] for name in names}
        results = {}
        for name, (fewer, more) in pairs.items():
            (few_instructions, few_allocations), (instructions, allocations) = fewer.result(), more.result()
            results[name] = ((instructions - few_instructions) / (MORE - FEWER),
                             (allocations - few_allocations) / (MORE - FEWER))
        return results
