"""What the machine allows: nobody can be faster. Probed in the same run."""

import concurrent.futures
import hashlib
import http.client
import os
import ssl
import subprocess
import time
import urllib.parse

CORES = os.cpu_count()
# Of the relay: seconds of a round trip, and bytes a second.
ROUND_TRIP, LINK_RATE = 0.020, 12_500_000


def hashing(files):
    """Seconds that hashing takes on all processors, and how fast one is."""
    size, seconds = sum(file.stat().st_size for file in files), []
    for _ in range(2):
        took = 0.0
        for file in files:
            content = file.read_bytes()
            started = time.monotonic()
            hashlib.sha256(content).digest()
            took += time.monotonic() - started
        seconds.append(took)
    return min(seconds) / CORES, f"hashing {size:,} bytes ({size / min(seconds) / 1e6:,.0f} MB/s a processor)"


def packing(files):
    """Seconds that hashing and compressing take on all processors, and the bytes that
    come of it."""
    hashed, what = hashing(files)
    compressed, packed = [], 0
    for _ in range(3):
        started = time.monotonic()
        packed = len(subprocess.run(["zstd", "-q", "-3", f"-T{CORES}", "-B2M", "-c", *map(str, files)],
                                    stdout=subprocess.PIPE, check=True).stdout)
        compressed.append(time.monotonic() - started)
    return hashed + min(compressed), f"{what} and `zstd -3 -T{CORES}`", packed


def round_trip(host):
    """Seconds of one request that is answered at once, on a connection that is open."""
    connection = http.client.HTTPConnection(host)
    seconds = []
    for _ in range(5):
        started = time.monotonic()
        connection.request("GET", "/v2/")
        connection.getresponse().read()
        seconds.append(time.monotonic() - started)
    return min(seconds)


def sending(files, registry):
    """Seconds that a registry takes for the files, sent as they are on four
    connections by senders who only copy from file to socket, or encrypt."""
    login = registry.login.get(registry.host, {}).get("auth")
    headers = {"Authorization": f"Basic {login}"} if login else {}
    trusted = ssl.create_default_context(cafile=registry.authority) if registry.authority else None

    def send(file):
        connection = http.client.HTTPConnection(registry.host)
        if trusted:
            connection = http.client.HTTPSConnection(registry.host, context=trusted)
        connection.request("POST", "/v2/large/blobs/uploads/", headers=headers | {"Content-Length": "0"})
        answer = connection.getresponse()
        answer.read()
        place = urllib.parse.urlsplit(answer.headers["Location"])
        query = f"{place.query}&" if place.query else ""
        connection.putrequest("PUT", f"{place.path}?{query}digest=sha256:{file.name}")
        for name, value in (headers | {"Content-Length": str(file.stat().st_size),
                                       "Content-Type": "application/octet-stream"}).items():
            connection.putheader(name, value)
        connection.endheaders()
        with file.open("rb") as content:
            connection.sock.sendfile(content)
        answer = connection.getresponse()
        assert answer.status == 201, answer.read()

    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        started = time.monotonic()
        list(threads.map(send, files))
        return time.monotonic() - started
