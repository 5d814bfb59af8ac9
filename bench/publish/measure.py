"""What a command takes: time, processor, and memory."""

import collections
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

# Seconds, and seconds of a processor.
Cost = collections.namedtuple("Cost", "wall processor")
# Bytes at the peak: of what was started, and of the daemons that work for it.
Memory = collections.namedtuple("Memory", "own daemons")

DAEMONS = ("dockerd", "containerd")


def run(command, **more):
    """What a command says; one that fails ends everything."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    if done.returncode:
        sys.exit(f"{command}\n{done.stdout}{done.stderr}")
    return done.stdout


def cost(command, **more):
    """What a command takes, its children included."""
    with tempfile.TemporaryFile("w+") as said:
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=said, stderr=said, **more)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"{command}\n{said.read()}")
    return Cost(wall, usage.ru_utime + usage.ru_stime)


def memory(command, **more):
    """The memory of a command, looked at while it runs: not to be timed."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    own, daemons, roots = 0, 0, running_daemons()
    ended = threading.Event()
    threading.Thread(target=lambda: (process.wait(), ended.set()), daemon=True).start()
    while not ended.is_set():
        own = max(own, resident([process.pid]))
        daemons = max(daemons, resident(roots))
        ended.wait(0.003)
    if process.returncode:
        sys.exit(f"{command} failed while its memory was looked at")
    return Memory(own, daemons)


def resident(roots):
    """Bytes of these processes and all below them that are in memory now."""
    total, left = 0, list(roots)
    while left:
        place = pathlib.Path(f"/proc/{left.pop()}")
        try:
            pages = int((place / "statm").read_text().split()[1])
            total += pages * os.sysconf("SC_PAGE_SIZE")
            for task in (place / "task").iterdir():
                left += (task / "children").read_text().split()
        except OSError:
            pass  # It has just ended.
    return total


def running_daemons():
    """Those of Docker whose parents are not."""
    found = []
    for place in pathlib.Path("/proc").glob("[0-9]*/comm"):
        try:
            if place.read_text().strip() == DAEMONS[0]:
                found.append(place.parent.name)
        except OSError:
            pass
    return found


def machine():
    """The processor and how many there are."""
    text = pathlib.Path("/proc/cpuinfo").read_text()
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")]
    return f"{os.cpu_count()} × {names[0] if names else 'unknown processor'}"
