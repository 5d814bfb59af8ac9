#!/usr/bin/env python3
"""Publishes the same program with Longshore, Docker, buildah, skopeo and crane to the
same registry, in turns, and prints tables: time, ratio, and the processor time of what was
started (what daemons do for it is not in there).

    bench/publish/compare.py                      # builds longshore, prepares, compares
    bench/publish/compare.py --longshore PROGRAM  # with a longshore that is there already
    bench/publish/compare.py --prepare DIRECTORY  # compiles and packs there, and stops
    bench/publish/compare.py --prepared DIRECTORY # measures what lies there: no compiler runs

`--rows link` puts a relay before the registry, which delays each way by 10 ms and
passes 100 Mbit/s in each direction; opening a connection takes no time there.

Needs Linux, git, cargo, zstd and docker-registry, and of Docker, buildah, skopeo and
crane whatever is to be compared. Nothing is compiled while anything is measured.
"""

import argparse
import asyncio
import collections
import concurrent.futures
import functools
import hashlib
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
CORES = os.cpu_count()
DATA_BYTES = 7_700_000
LAYER_BYTES, LAYERS = 50_000_000, 20
COMMITTER = {f"GIT_{who}_{key}": value for who in ("AUTHOR", "COMMITTER")
             for key, value in (("NAME", "Ada"), ("EMAIL", "ada@example.com"))}
MAIN = """static DATA: &[u8] = include_bytes!("data");
fn main() {{
    println!("{number} {{}}", std::hint::black_box(DATA)[0]);
}}
"""
DOCKERFILE = "FROM scratch\nCOPY service /usr/bin/service\nCOPY public /srv\nENTRYPOINT [\"/usr/bin/service\"]\n"


# Seconds, and seconds of a processor.
Cost = collections.namedtuple("Cost", "wall processor")


def run(command, **more):
    """Seconds of a command, and what it said."""
    started = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    wall = time.monotonic() - started
    if done.returncode:
        sys.exit(f"{command}\n{done.stdout}{done.stderr}")
    return wall, done.stdout


def cost(command, **more):
    """What a command takes."""
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


class Registry:
    """Debian's docker-registry on a free port, with a directory of its own."""

    def __init__(self, scratch):
        self.place = pathlib.Path(tempfile.mkdtemp(dir=scratch))
        file = self.place / "config.yml"
        file.write_text("version: 0.1\nlog: {level: info, accesslog: {disabled: true}}\n"
                        f"storage: {{filesystem: {{rootdirectory: {self.place}/data}}}}\n"
                        "http: {addr: '127.0.0.1:0'}\n")
        log = self.place / "log"
        with log.open("w") as output:
            self.process = subprocess.Popen(["docker-registry", "serve", file], stderr=output, stdout=output)
        while "listening on " not in log.read_text():
            if self.process.poll() is not None:
                sys.exit(log.read_text())
            time.sleep(0.02)
        self.host = log.read_text().split("listening on ")[1].split('"')[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.place)


class Link:
    """A relay to `host`: each way takes `delay` seconds, and all connections share
    `rate` bytes a second in each direction."""

    def __init__(self, host, delay=0.010, rate=12_500_000):
        self.target, self.delay, self.rate = host.rsplit(":", 1), delay, rate
        self.free = [0.0, 0.0]
        self.loop, ready = asyncio.new_event_loop(), threading.Event()
        threading.Thread(target=self.serve, args=(ready,), daemon=True).start()
        ready.wait()

    def serve(self, ready):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.relay, "127.0.0.1", 0))
        self.host = "127.0.0.1:%d" % server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    async def relay(self, reader, writer):
        there, back = await asyncio.open_connection(*self.target)
        await asyncio.gather(self.way(0, reader, back), self.way(1, there, writer), return_exceptions=True)

    async def way(self, direction, reader, writer):
        # What is on its way: as much as a window of 1 MiB lets be.
        line = asyncio.Queue(maxsize=16)

        async def arrive():
            while (piece := await line.get())[1]:
                await asyncio.sleep(piece[0] - self.loop.time())
                writer.write(piece[1])
                await writer.drain()
            writer.close()

        arriving = asyncio.ensure_future(arrive())
        while data := await reader.read(65536):
            begin = max(self.loop.time(), self.free[direction])
            self.free[direction] = begin + len(data) / self.rate
            await line.put((self.free[direction] + self.delay, data))
        await line.put((0, b""))
        await arriving


def commit(project):
    environment = os.environ | COMMITTER
    run(["git", "-C", project, "add", "--all"])
    run(["git", "-C", project, "commit", "--quiet", "--message=everything"], env=environment)


def make_project(place, data, number, assets):
    """A service without dependencies: its program holds `data`."""
    (place / "src").mkdir(parents=True)
    (place / "src/data").write_bytes(data)
    (place / "src/main.rs").write_text(MAIN.format(number=number))
    (place / "Cargo.toml").write_text('[package]\nname = "service"\nversion = "0.1.0"\nedition = "2024"\n')
    (place / "Cargo.lock").write_text('version = 4\n\n[[package]]\nname = "service"\nversion = "0.1.0"\n')
    (place / ".gitignore").write_text("/target\n")
    tables = "".join(f'\n[[image.assets]]\nfrom = "{name}"\nto = "/srv/{name}"\n' for name in assets)
    (place / "longshore.toml").write_text('[image]\npackage = "service"\n' + tables)
    for name, content in assets.items():
        (place / name).mkdir()
        (place / name / "file").write_bytes(content)
    run(["git", "init", "--quiet", place])
    commit(place)


def toolchain_bytes():
    """Bytes of the Rust toolchain's own programs and libraries."""
    root = pathlib.Path(subprocess.check_output(["rustc", "--print", "sysroot"], text=True).strip())
    files = [root / "bin/cargo"] + sorted((root / "lib").rglob("*.so")) + sorted((root / "lib").rglob("*.rlib"))
    return b"".join(file.read_bytes() for file in files)


def prepare(longshore, place, rounds):
    everything = toolchain_bytes()
    for number in range(rounds):
        project = place / f"service{number}"
        # No program of an earlier run: Docker and buildah remember those.
        make_project(project, everything[:DATA_BYTES], time.time_ns(), {"public": b"page\n" * 20_000})
        run([longshore, "build"], cwd=project)
        programs = [file for file in (project / "target").rglob("service") if file.is_file()]
        context = place / f"context{number}"
        context.mkdir()
        shutil.copy(max(programs, key=lambda file: file.stat().st_mtime), context / "service")
        shutil.copytree(project / "public", context / "public")
        (context / "Dockerfile").write_text(DOCKERFILE)
    pieces = {}
    for number in range(LAYERS):
        at = number * LAYER_BYTES % (len(everything) - LAYER_BYTES)
        pieces[f"layer{number:02}"] = everything[at:at + LAYER_BYTES]
    make_project(place / "large", everything[:1000], 0, pieces)
    digest = run([longshore, "build"], cwd=place / "large")[1]
    (place / "large.digest").write_text(digest.strip())


def publishers(longshore, project, context, host):
    """What makes an image of a program and its files and pushes it: name and commands."""
    rows = {"longshore publish": [([longshore, "publish", "--to", f"{host}/longshore"], project)]}
    if shutil.which("docker"):
        image = f"{host}/docker:latest"
        push = (["docker", "push", "-q", image], None)
        rows["docker build, push (classic)"] = [(["env", "DOCKER_BUILDKIT=0", "docker", "build", "-q", "-t", image, context], None), push]
        if buildkit():
            rows["docker build, push (BuildKit)"] = [(["env", "DOCKER_BUILDKIT=1", "docker", "build", "-q", "-t", image, context], None), push]
    if shutil.which("buildah"):
        image = f"{host}/buildah:latest"
        build = ["buildah", "bud", "-q", "--layers", "--isolation", "chroot", "-t", image, context]
        rows["buildah bud, buildah push"] = [(build, None), (["buildah", "push", "-q", "--tls-verify=false", image], None)]
    return rows


@functools.cache
def buildkit():
    """Whether `docker build` can use BuildKit: newer clients need the plugin buildx."""
    with tempfile.TemporaryDirectory() as context:
        (pathlib.Path(context) / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
        command = ["env", "DOCKER_BUILDKIT=1", "docker", "build", "-q", context]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            print(f"left out, BuildKit: {done.stderr.strip()[:200]}", file=sys.stderr)
        return done.returncode == 0


def turn(rows, table, environment):
    """Runs each row once; the fastest of its runs counts."""
    for name, commands in rows.items():
        costs = [cost(command, cwd=place, env=environment) for command, place in commands]
        whole = Cost(sum(one.wall for one in costs), sum(one.processor for one in costs))
        table[name] = min(table.get(name, whole), whole)


def compare_services(longshore, place, scratch, rounds, environment, slow=False):
    tables = {"Another program": {}, "Nothing changed": {}, "A file of the assets changed": {}}
    changed, same, asset = tables.values()
    with Registry(scratch) as registry:
        if slow:
            registry.host = Link(registry.host).host
        for number in range(rounds):
            project, context = place / f"service{number}", place / f"context{number}"
            # What was compiled stays, what was packed does not.
            shutil.rmtree(project / "target/longshore/layers", ignore_errors=True)
            rows = publishers(longshore, project, context, registry.host)
            turn(rows, changed, environment)
            turn(rows, same, environment)
            page = f"another page {number} {time.time()}\n".encode() * 5_000
            (project / "public/file").write_bytes(page)
            (context / "public/file").write_bytes(page)
            commit(project)
            turn(rows, asset, environment)
    return tables


def compare_large(longshore, crane, place, scratch, rounds, environment):
    layout, digest = place / "large/target/longshore/layout", (place / "large.digest").read_text()
    table = {}
    for _ in range(rounds):
        for name in ("longshore publish --layout", "skopeo copy", "crane push"):
            # A registry for each: what another turn has sent must not be there.
            with Registry(scratch) as registry:
                image = f"{registry.host}/large"
                command = {
                    "longshore publish --layout":
                        [longshore, "publish", "--layout", layout, "--digest", digest, "--to", image],
                    "skopeo copy": shutil.which("skopeo") and
                        ["skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{layout}", f"docker://{image}:latest"],
                    "crane push": crane and [crane, "push", "--insecure", layout, f"{image}:latest"],
                }[name]
                if command:
                    turn({name: [(command, place / "large")]}, table, environment)
    return table, layout


def probe(files, packed):
    """Seconds that hashing the files, and compressing and hashing them where they are
    not `packed`, takes on all processors."""
    size = sum(file.stat().st_size for file in files)
    hashed = min(hash_seconds(files) for _ in range(2))
    if packed:
        return hashed / CORES, f"hashing {size:,} bytes at {size / hashed / 1e6:,.0f} MB/s on each of {CORES} processors"
    compress = min(run(["zstd", "-q", "-3", f"-T{CORES}", "-B2M", "-c", *map(str, files)],
                       errors="replace")[0] for _ in range(3))
    return hashed / CORES + compress, (f"hashing {size:,} bytes at {size / hashed / 1e6:,.0f} MB/s on each of {CORES} "
                                       f"processors and `zstd -3 -T{CORES}`")


def registry_seconds(files, scratch):
    """Seconds that the registry takes for the files, sent as they are on four
    connections by senders who only copy from file to socket."""

    def send(file, host):
        connection = http.client.HTTPConnection(host)
        connection.request("POST", "/v2/probe/blobs/uploads/", headers={"Content-Length": "0"})
        answer = connection.getresponse()
        answer.read()
        place = urllib.parse.urlsplit(answer.headers["Location"])
        path = f"{place.path}?{place.query}&digest=sha256:{file.name}"
        connection.putrequest("PUT", path)
        connection.putheader("Content-Length", str(file.stat().st_size))
        connection.putheader("Content-Type", "application/octet-stream")
        connection.endheaders()
        with file.open("rb") as content:
            connection.sock.sendfile(content)
        assert connection.getresponse().status == 201

    def once():
        with Registry(scratch) as registry, concurrent.futures.ThreadPoolExecutor(4) as threads:
            started = time.monotonic()
            list(threads.map(lambda file: send(file, registry.host), files))
            return time.monotonic() - started

    return min(once() for _ in range(3))


def hash_seconds(files):
    seconds = 0.0
    for file in files:
        content = file.read_bytes()
        started = time.monotonic()
        hashlib.sha256(content).digest()
        seconds += time.monotonic() - started
    return seconds


def show(title, rows, limit=None):
    print(f"\n### {title}\n\n| | time | ratio | processor |\n|---|---|---|---|")
    own = next(iter(rows.values())).wall
    for name, (wall, processor) in rows.items():
        print(f"| {name} | {wall * 1000:,.0f} ms | {wall / own:.2f} | {processor * 1000:,.0f} ms |")
    if limit:
        print(f"| the limit | {limit[0] * 1000:,.0f} ms | {limit[0] / own:.2f} | |")
        print(f"\nThe limit: {limit[1]}.")


def show_all(arguments, longshore, place, scratch, environment):
    rows, rounds = arguments.rows, arguments.rounds
    if rows in ("services", "all"):
        limit = probe([place / "context0/service"], False)
        for title, table in compare_services(longshore, place, scratch, rounds, environment).items():
            show(title, table, limit if title == "Another program" else None)
    if rows in ("link", "all"):
        tables = compare_services(longshore, place, scratch, rounds, environment, slow=True)
        for title, table in tables.items():
            show(f"{title}, over a link", table)
    if rows in ("large", "all"):
        table, layout = compare_large(longshore, arguments.crane, place, scratch, rounds, environment)
        files = list((layout / "blobs/sha256").iterdir())
        hashing, registry = probe(files, True), registry_seconds(files, scratch)
        what = f"{hashing[1]}; the registry itself takes {registry * 1000:,.0f} ms for the bytes"
        show(f"1 GB in {LAYERS} layers, a finished layout", table, (max(hashing[0], registry), what))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--longshore", type=pathlib.Path)
    parser.add_argument("--crane", default=shutil.which("crane"))
    parser.add_argument("--prepare", type=pathlib.Path)
    parser.add_argument("--prepared", type=pathlib.Path)
    parser.add_argument("--rows", choices=["services", "large", "link", "all"], default="all")
    arguments = parser.parse_args()
    longshore = arguments.longshore
    if not longshore:
        subprocess.run(["cargo", "build", "--release", "-p", "longshore"], check=True, cwd=HERE)
        longshore = HERE.parent.parent / "target/release/longshore"
    longshore = longshore.resolve()
    if arguments.prepare:
        return prepare(longshore, arguments.prepare, arguments.rounds)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as scratch:
        scratch = pathlib.Path(scratch)
        place = arguments.prepared or scratch / "prepared"
        if not arguments.prepared:
            prepare(longshore, place, arguments.rounds)
        # Nobody's logins, and an engine that needs no plugin.
        environment = os.environ | {"DOCKER_CONFIG": str(scratch / "docker"), "DOCKER_BUILDKIT": "0"}
        (scratch / "docker").mkdir()
        (scratch / "docker/config.json").write_text("{}")
        show_all(arguments, longshore, place, scratch, environment)


if __name__ == "__main__":
    main()
