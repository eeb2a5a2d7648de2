"""Instructions and allocations a packet, counted by valgrind: the same on a busy machine as on an idle one."""

import concurrent.futures
import json
import shutil
import subprocess
import sys

from measuring import folder

# Past what happens once: a jitter buffer's 1,024 places each get memory with their first packet.
FEWER, MORE = 4_000, 8_000


def count(bench):
    """For every benchmark of `bench` what one more packet costs: {name: (instructions, allocations)}."""
    if not shutil.which("valgrind"):
        sys.exit("There is no valgrind on this machine, which counts instructions and allocations: apt install valgrind")
    names = subprocess.run([bench, "--list"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    with folder() as place, concurrent.futures.ThreadPoolExecutor(2) as pool:
        # Valgrind of Debian 12 can't read the debug information of Swift 6.3, and needs none here.
        program = place / "bench"
        subprocess.run(["strip", "--strip-debug", "-o", program, bench], check=True)

        def totals(name, packets):
            profile = place / f"{name}-{packets}.json"
            done = subprocess.run(
                ["valgrind", "--tool=dhat", f"--dhat-out-file={profile}", program, name, str(packets)],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            if done.returncode or not profile.exists():
                sys.exit(f"valgrind failed on {name}:\n{done.stderr}")
            data = json.loads(profile.read_text())
            return data["te"], sum(point["tbk"] for point in data["pps"])

        pairs = {name: [pool.submit(totals, name, packets) for packets in (FEWER, MORE)] for name in names}
        results = {}
        for name, (fewer, more) in pairs.items():
            (few_instructions, few_allocations), (instructions, allocations) = fewer.result(), more.result()
            results[name] = ((instructions - few_instructions) / (MORE - FEWER),
                             (allocations - few_allocations) / (MORE - FEWER))
        return results
