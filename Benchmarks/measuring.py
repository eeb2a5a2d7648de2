"""What the scripts of this folder share: running programs and reading what they used.

Figures of one table come from one run, each program in turn, several times, so that a busy machine disturbs all alike.
"""

import contextlib
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

# A shell that starts this script in the background lets it and its children ignore SIGINT, which ends receivers.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRATCH = ROOT / ".build" / "benchmarks"


def build(*options, product="jitterbug", scratch=SCRATCH):
    """Builds a product for release, and returns its path."""
    command = ["swift", "build", "-c", "release", "--scratch-path", str(scratch), *options]
    subprocess.run([*command, "--product", product], cwd=ROOT, check=True, stdout=sys.stderr)
    place = subprocess.run([*command, "--show-bin-path"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return pathlib.Path(place.stdout.strip()) / product


class Process:
    """A program at work, and in the end what it used: processor seconds and the most memory at once."""

    def __init__(self, *command, output=subprocess.DEVNULL, errors=subprocess.DEVNULL):
        self.started = time.monotonic()
        self.command = [str(word) for word in command]
        self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        self.is_over = False
        self.memory = 0

    def finish(self, limit, beside=()):
        """Waits for the end; after `limit` seconds asks for it (SIGINT), and insists three seconds later.

        Looks meanwhile at the processes `beside` it, too.
        """
        deadline = time.monotonic() + limit
        signals = [signal.SIGINT, signal.SIGKILL]
        while True:
            pid, status, usage = os.wait4(self.child.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline and signals:
                self.child.send_signal(signals.pop(0))
                deadline = time.monotonic() + 3
            for process in (self, *beside):
                process.look()
            # Often enough that a short run isn't measured longer than it is.
            time.sleep(min(0.05, max(0.002, (time.monotonic() - self.started) / 50)))
        self.is_over = True
        self.child.returncode = os.waitstatus_to_exitcode(status)
        self.elapsed = time.monotonic() - self.started
        self.cpu = usage.ru_utime + usage.ru_stime
        return self

    def look(self):
        """Notes the most memory resident so far, in MiB; what wait4 says of it includes this script's, before exec."""
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.memory = max(self.memory, int(line.split()[1]) / 1024)

    def end(self):
        if not self.is_over:
            self.finish(0)


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="jitterbug-bench-") as name:
        yield pathlib.Path(name)


def median(values):
    return statistics.median(values)


def table(rows):
    """Prints rows of equal length, the first being the heads; numbers to the right."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) if column == 0 else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip())
