#!/usr/bin/env python3
"""Publishes the same programs with Longshore, Docker, buildah, skopeo and crane to the
same registry, in turns, and writes the tables of docs/benchmarks.md and docs/publish.svg.

    bench/publish/compare.py                      # builds longshore, prepares, compares all
    bench/publish/compare.py --rows services --registry emulator
    bench/publish/compare.py --longshore PROGRAM  # with a longshore that is there already
    bench/publish/compare.py --prepare DIRECTORY  # compiles and packs there, and stops
    bench/publish/compare.py --prepared DIRECTORY # measures what lies there
    bench/publish/compare.py --page               # writes the page of what was measured

The registries are Debian's docker-registry, the same behind a relay that delays each way
by 10 ms and passes 100 Mbit/s in each direction (`link`; opening a connection takes no
time there), the same by https (`tls`, for `large`: Docker's daemon would have to be told
of its certificate), and our emulator. What was measured is kept in target/bench-publish.json, a
table for each of rows and registry: a run replaces those that it measures.

Needs Linux, git, cargo, zstd and docker-registry, and of Docker, buildah, skopeo and
crane whatever is to be compared. But for `backend`, where one line is compiled between
two rows, nothing is compiled while anything is measured.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import contenders
import page
import probe
import projects
from measure import Cost, cost, machine, memory
from registries import REGISTRIES

HERE = pathlib.Path(__file__).resolve().parent
RESULTS = HERE.parent.parent / "target/bench-publish.json"


class Bench:
    """What all rows need."""

    def __init__(self, arguments, longshore, place, scratch):
        self.rounds, self.longshore, self.place, self.scratch = arguments.rounds, longshore, place, scratch
        self.without, self.quiet = set(arguments.without), arguments.quiet
        self.kind = REGISTRIES[arguments.registry]
        # Nobody's logins but those of the registry.
        self.logins = scratch / "docker"
        self.logins.mkdir()
        self.environment = os.environ | {"DOCKER_CONFIG": str(self.logins),
                                         "REGISTRY_AUTH_FILE": str(self.logins / "config.json")}

    def registry(self, repositories):
        registry = self.kind(self.scratch, self.longshore, repositories)
        (self.logins / "config.json").write_text(json.dumps({"auths": registry.login}))
        if registry.authority:
            self.environment["SSL_CERT_FILE"] = str(registry.authority)
        return registry

    def turn(self, commands, table):
        """Runs each contender once; the fastest of its runs counts."""
        for name, whole in self.each(commands, cost):
            whole = Cost(sum(one.wall for one in whole), sum(one.processor for one in whole))._asdict()
            before = table.setdefault(name, whole)
            if whole["wall"] < before["wall"]:
                before |= whole

    def memory_turn(self, commands, table):
        for name, whole in self.each(commands, memory):
            table[name] |= {"own": max(one.own for one in whole), "daemons": max(one.daemons for one in whole)}

    def each(self, commands, what):
        for name, whole in commands.items():
            if not any(name.startswith(one) for one in self.without):
                with self.quieted():
                    spent = [what(command, cwd=where, env=self.environment) for command, where in whole]
                yield name, spent

    @contextlib.contextmanager
    def quieted(self):
        """Keeps the machine quiet, where there is a program for that."""
        if not self.quiet:
            yield
            return
        with subprocess.Popen([self.quiet, "cat"], stdin=subprocess.PIPE) as keeper:
            time.sleep(1)
            yield
            keeper.stdin.close()

    def limit(self, files, host):
        """What packing these files and sending the result takes at least."""
        with self.quieted():
            seconds, what, packed = probe.packing(files) if files else (0, "", 0)
            trip = probe.round_trip(host)
        what = f"{what} and one request ({trip * 1000:.1f} ms)".removeprefix(" and ")
        if self.kind.name == "link" and packed:
            # What is packed can be on its way while the rest is.
            sent = packed / probe.LINK_RATE
            seconds, what = max(seconds, sent), f"{what}, or {packed:,} bytes over the link ({sent * 1000:,.0f} ms)"
        return {"seconds": seconds + trip, "what": what}


def unpack(project):
    """What was compiled stays, what was packed does not."""
    shutil.rmtree(project / "target/longshore/layers", ignore_errors=True)


def compare_services(bench):
    changed, same, asset = {}, {}, {}
    contexts = [bench.place / "context0"]
    with bench.registry(contenders.repositories(contexts)) as registry:
        for number in range(bench.rounds + 1):
            project, context = bench.place / f"service{number}", bench.place / f"context{number}"
            both = [project, projects.alone(project)]
            for one in both:
                unpack(one)
            work = contenders.Work(project, [context], registry.host)
            commands = contenders.builders(bench.longshore, work, "longshore")
            turn = bench.turn if number < bench.rounds else bench.memory_turn
            turn(commands, changed)
            turn(commands, same)
            text = f"another page {number} {time.time()}\n".encode() * 5_000
            for one in both:
                (one / "public/file").write_bytes(text + one.name.encode())
                projects.commit(one)
            projects.change_asset(context, text)
            turn(commands, asset)
        first = bench.place / "context0-classic"
        limits = [bench.limit([first / "service"], registry.host), bench.limit([], registry.host),
                  bench.limit([first / "public/file"], registry.host)]
    titles = ["another program", "nothing changed", "a file of the assets changed"]
    return [row(*one) for one in zip(titles, (changed, same, asset), limits)]


def compare_large(bench):
    layout, digest = bench.place / "large/target/longshore/layout", (bench.place / "large.digest").read_text()
    table, files = {}, list((layout / "blobs/sha256").iterdir())
    for number in range(bench.rounds + 1):
        turn = bench.turn if number < bench.rounds else bench.memory_turn
        for name in contenders.copiers(bench.longshore, layout, digest, ""):
            # A registry for each: what another turn has sent must not be there.
            with bench.registry(["large"]) as registry:
                secure = registry.authority is not None
                commands = contenders.copiers(bench.longshore, layout, digest, registry.host, secure)
                turn({name: commands[name]}, table)
    seconds = []
    for _ in range(3):
        with bench.registry(["large"]) as registry, bench.quieted():
            seconds.append(probe.sending(files, registry))
    with bench.quieted():
        hashed, what = probe.hashing(files)
    what = f"{what}; the registry itself takes {min(seconds) * 1000:,.0f} ms for the bytes"
    title = f"1 GB in {projects.LAYERS} layers, a finished layout"
    return [row(title, table, {"seconds": max(hashed, min(seconds)), "what": what})]


def compare_fifty(bench):
    project = bench.place / "fifty"
    names = [file.parent.name for file in sorted(project.glob("*/Cargo.toml"))]
    contexts = [bench.place / f"fifty-{name}" for name in names]
    changed, same = {}, {}
    own = [f"{base}/{name}" for base in ("longshore", "longshore-alone") for name in names]
    with bench.registry(own + contenders.repositories(contexts)) as registry:
        for one in (project, projects.alone(project)):
            unpack(one)
        work = contenders.Work(project, contexts, registry.host)
        commands = contenders.builders(bench.longshore, work, "longshore")
        # Docker and buildah remember what they have built: only one turn is new to them.
        bench.turn(commands, changed)
        bench.turn(commands, same)
        programs = [context.with_name(f"{context.name}-classic") / "service" for context in contexts]
        limits = [bench.limit(programs, registry.host), bench.limit([], registry.host)]
    bench.rounds = 1
    return [row(f"{projects.FIFTY} services of one workspace, all new", changed, limits[0]),
            row(f"{projects.FIFTY} services, nothing changed", same, limits[1])]


def compare_backend(bench):
    project, context = bench.place / "backend", bench.place / "context-backend"
    cold, line, compiled = {}, {}, []
    for number in range(bench.rounds + 1):
        turn = bench.turn if number < bench.rounds else bench.memory_turn
        with bench.registry(contenders.repositories([context])) as registry:
            work = contenders.Work(project, [context], registry.host)
            commands = contenders.builders(bench.longshore, work, "longshore")
            unpack(project)
            turn(commands, cold)
            projects.change_a_line(bench.place)
            compiled.append(projects.build_backend(bench.longshore, bench.place))
            unpack(project)
            turn(commands, line)
            limit = bench.limit([bench.place / "context-backend-classic/service"], registry.host)
    title = f"the backend, one line changed, beyond the {min(compiled):.1f} s of `cargo build`"
    return [row("the backend to an empty registry, compiled before", cold, limit), row(title, line, limit)]


def row(title, table, limit):
    return {"title": title, "contenders": table, "limit": limit}


COMPARED = {"services": compare_services, "large": compare_large, "fifty": compare_fifty, "backend": compare_backend}


def keep(bench, rows, tables):
    """Replaces what was measured before of the same rows and registry."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kept[f"{rows}, {bench.kind.name}"] = {
        "rows": tables, "rounds": bench.rounds, "machine": machine(),
        "date": datetime.date.today().isoformat(), "versions": contenders.versions(bench.longshore)}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=1))


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="timed turns; one more looks at memory")
    parser.add_argument("--rows", choices=[*COMPARED, "all"], default="all")
    parser.add_argument("--registry", choices=list(REGISTRIES), default="docker-registry")
    parser.add_argument("--without", action="append", default=[], help="leave this contender out")
    parser.add_argument("--quiet", help="a program that keeps the machine quiet while the one that it runs does")
    parser.add_argument("--longshore", type=pathlib.Path)
    parser.add_argument("--docker", help="its client, where another than the first is meant")
    parser.add_argument("--crane", help="where it is not in the PATH")
    parser.add_argument("--prepare", type=pathlib.Path)
    parser.add_argument("--prepared", type=pathlib.Path)
    parser.add_argument("--page", action="store_true")
    arguments = parser.parse_args()
    if arguments.registry == "tls" and arguments.rows != "large":
        parser.error("--registry tls is for --rows large")
    return arguments


def main():
    arguments = options()
    if arguments.page:
        return page.write(RESULTS)
    longshore = arguments.longshore
    if not longshore:
        subprocess.run(["cargo", "build", "--release", "-p", "longshore"], check=True, cwd=HERE)
        longshore = HERE.parent.parent / "target/release/longshore"
    longshore = longshore.resolve()
    contenders.PROGRAMS |= {name: program for name in ("docker", "crane") if (program := getattr(arguments, name))}
    wanted = list(COMPARED) if arguments.rows == "all" else [arguments.rows]
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as scratch:
        scratch = pathlib.Path(scratch)
        place = arguments.prepare or arguments.prepared or scratch / "prepared"
        if not arguments.prepared:
            for rows in wanted:
                projects.PREPARED[rows](longshore, place.resolve(), arguments.rounds)
        if arguments.prepare:
            return
        bench = Bench(arguments, longshore, place.resolve(), scratch)
        for rows in wanted:
            keep(bench, rows, COMPARED[rows](bench))
    page.write(RESULTS)


if __name__ == "__main__":
    main()
