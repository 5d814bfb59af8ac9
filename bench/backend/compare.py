#!/usr/bin/env python3
"""Loads the backend beside the least that axum can do, and prints tables.

Needs wrk (apt-get install wrk). Both programs and wrk share the machine's processors.
"""

import argparse
import contextlib
import os
import pathlib
import re
import resource
import socket
import statistics
import subprocess
import tempfile
import threading
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
LIST = "/api/v1/projects"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(command, port, path, environment=None):
    """The process, ended at the end; with the time from its start to its first 200."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(OSError):
                if ask(port, path)[0] == 200:
                    break
            if process.poll() is not None:
                raise SystemExit(f"{command[0]} ended with {process.returncode}")
            time.sleep(0.0005)
        process.ready = time.perf_counter() - begun
        yield process
    finally:
        process.terminate()
        process.wait()


def ask(port, path):
    """The status of one request on a connection of its own, and the seconds it took."""
    begun = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return int(answer[9:12] or 0), time.perf_counter() - begun


def backend(program, directory):
    port = free_port()
    environment = {
        "PORTFOLIO_LISTEN": f"127.0.0.1:{port}",
        "PORTFOLIO_DATABASE": f"{directory}/{port}.sqlite",
    }
    return running([program], port, "/readyz", environment), port


def wrk(port, path, seconds, connections):
    """Requests a second, the 99th percentile in milliseconds, and what failed."""
    text = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{port}{path}"],
        check=True, capture_output=True, text=True,
    ).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", text).groups()
    failed = re.findall(r"Non-2xx or 3xx responses: \d+|Socket errors: .*", text)
    return rate, float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit], failed


def memory(process, name):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+)", status)[1]) / 1024


def latencies(port, requests=300):
    times = []
    for _ in range(requests):
        status, seconds = ask(port, LIST)
        assert status == 200, status
        times.append(seconds * 1000)
    times.sort()
    return f"{statistics.median(times):.2f} ms, {times[-1 - requests // 100]:.2f} ms"


def throughput(arguments, directory):
    rows = {"hello": [], "list": []}
    for _ in range(arguments.rounds):
        port = free_port()
        with running([arguments.hello, f"127.0.0.1:{port}"], port, "/"):
            rows["hello"].append(wrk(port, "/", arguments.seconds, 64))
        process, port = backend(arguments.backend, directory)
        with process as program:
            rows["list"].append(wrk(port, LIST, arguments.seconds, 64))
            peak = memory(program, "VmHWM")
    best = {name: max(row) for name, row in rows.items()}
    for name, (rate, slowest, failed) in best.items():
        print(f"| {name} | {rate:,.0f} | {rate / best['hello'][0]:.2f} | {slowest:.2f} ms | {failed or ''} |")
    print(f"memory at the peak: {peak:.0f} MiB; all turns: {rows}")


def crowd(arguments, directory):
    process, port = backend(arguments.backend, directory)
    with process as program:
        print(f"ready after {program.ready * 1000:.1f} ms, {memory(program, 'VmRSS'):.0f} MiB")
        print(f"| alone | {latencies(port)} |")
        idle = []
        for _ in range(arguments.idle):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            connection.recv(4096)
            idle.append(connection)
        print(f"| beside {len(idle)} idle connections | {latencies(port)} |")
        print(f"{open_files(program)} files open, {memory(program, 'VmRSS'):.0f} MiB")
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(arguments.slow)]
        done = threading.Event()
        dripping = threading.Thread(target=drip, args=(slow, done))
        dripping.start()
        time.sleep(2)
        print(f"| beside them and {len(slow)} that send a byte a second | {latencies(port)} |")
        done.set()
        dripping.join()
        print(f"{memory(program, 'VmHWM'):.0f} MiB at the peak")


def drip(connections, done):
    """A byte a second: half of them of a head, half of a body."""
    head = f"GET {LIST} HTTP/1.1\r\nHost: a\r\nX-Long: ".encode()
    body = b"POST /api/v1/contact HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 600\r\n\r\n"
    for number, connection in enumerate(connections):
        connection.sendall(body if number % 2 else head)
    while not done.wait(1):
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.sendall(b"a")


def open_files(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", help="a backend that is built already")
    parser.add_argument("--hello", help="the other one")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--slow", type=int, default=500)
    parser.add_argument("--only", choices=["throughput", "crowd"])
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if not arguments.backend:
        subprocess.run(["cargo", "build", "--release", "--locked", "-p", "backend"], cwd=REPOSITORY, check=True)
        arguments.backend = str(REPOSITORY / "target/release/backend")
    if not arguments.hello:
        manifest = REPOSITORY / "bench/backend/Cargo.toml"
        subprocess.run(["cargo", "build", "--release", "--manifest-path", manifest], check=True)
        arguments.hello = str(manifest.parent / "target/release/hello")
    with tempfile.TemporaryDirectory() as directory:
        if arguments.only != "crowd":
            throughput(arguments, directory)
        if arguments.only != "throughput":
            crowd(arguments, directory)


if __name__ == "__main__":
    main()
