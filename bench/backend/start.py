#!/usr/bin/env python3
"""How long the backend takes to be ready (`/readyz` says 200), as a process and as a container.

    start.py BACKEND [IMAGE]

Each of 20 times has a new database of its own. The container runs as the image's user, with a
root file system that is read-only and without capabilities; Docker Engine's part is told apart
by the process's start, as Linux knows it (in hundredths of a second).
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 20
PORT = 18080
REQUEST = b"GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def ready():
    """Waits for the first answer, which must be 200. Returns when it came."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", PORT)) as connection:
                connection.sendall(REQUEST)
                if connection.recv(12) == b"HTTP/1.1 200":
                    return time.clock_gettime(time.CLOCK_BOOTTIME)
        except OSError:
            pass
    sys.exit("it is not ready after 30 s")


def process(program):
    with tempfile.TemporaryDirectory() as directory:
        environment = {
            "PORTFOLIO_LISTEN": f"127.0.0.1:{PORT}",
            "PORTFOLIO_DATABASE": f"{directory}/portfolio.sqlite",
        }
        start = time.clock_gettime(time.CLOCK_BOOTTIME)
        child = subprocess.Popen([program], env=environment, stdout=subprocess.DEVNULL)
        end = ready()
        child.terminate()
        child.wait()
        return end - start


def docker(*arguments):
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def container(image):
    """The time since `docker start`, and since its process began."""
    name = docker(
        "create", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--network=host",
        "--volume=/data", f"--env=PORTFOLIO_LISTEN=127.0.0.1:{PORT}", image,
    )
    start = time.clock_gettime(time.CLOCK_BOOTTIME)
    starting = subprocess.Popen(["docker", "start", name], stdout=subprocess.DEVNULL)
    end = ready()
    starting.wait()
    pid = json.loads(docker("inspect", name))[0]["State"]["Pid"]
    with open(f"/proc/{pid}/stat") as stat:
        ticks = int(stat.read().rsplit(") ", 1)[1].split()[19])
    docker("rm", "--force", "--volumes", name)
    return end - start, end - ticks / os.sysconf("SC_CLK_TCK")


def show(what, seconds):
    milliseconds = sorted(1000 * second for second in seconds)
    print(f"{what}: median {statistics.median(milliseconds):.0f} ms, most {milliseconds[-1]:.0f} ms")


show("process", [process(sys.argv[1]) for _ in range(RUNS)])
if len(sys.argv) > 2:
    times = [container(sys.argv[2]) for _ in range(RUNS)]
    show("container, since docker start", [told for told, _ in times])
    show("container, since its process began", [began for _, began in times])
