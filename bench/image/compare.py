#!/usr/bin/env python3
"""Packs the same files with Longshore, with pipes of tar and a compressor, and
with skopeo, in turns, and prints a table.

    bench/image/compare.py                 # builds the bench, makes the files, compares
    bench/image/compare.py --rounds 9      # more turns; the best of each counts
    bench/image/compare.py --bench PROGRAM # with a bench that is built already

Needs bash, tar, zstd, gzip, openssl and skopeo, and a Rust toolchain of rustup: its
programs, libraries and pages are the files.
"""

import argparse
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
CORES = os.cpu_count()
PROGRAM_BYTES = 8_400_000
LAYER_BYTES, LAYERS = 50_000_000, 20

# Two hashes and a file, as a registry needs them: of the tar and of the layer.
PIPE = """set -eo pipefail
for layer in {source}/*; do
  name=$(basename $layer)
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - -C {source} $name \\
    | tee >({hash} > {place}/$name.diff) | {compressor} | tee {place}/$name.layer | {hash} > {place}/$name.digest
done
wait"""


def toolchain_bytes(root):
    """Bytes of the toolchain: programs, libraries and pages, in turns."""
    kinds = [sorted((root / kind).rglob("*")) for kind in ("bin", "lib", "share/doc/rust/html")]
    for files in zip(*[iter_forever(kind) for kind in kinds]):
        for file in files:
            if file.is_file() and not file.is_symlink():
                yield file.read_bytes()[: 4 << 20]


def iter_forever(files):
    while True:
        yield from files


def make_files(place, root):
    program = place / "program"
    program.mkdir()
    (program / "usr-bin-program").write_bytes((root / "bin/cargo").read_bytes()[:PROGRAM_BYTES])
    layers = place / "layers"
    pieces = toolchain_bytes(root)
    for number in range(LAYERS):
        directory = layers / f"layer{number:02}"
        directory.mkdir(parents=True)
        left, count = LAYER_BYTES, 0
        while left > 0:
            piece = next(pieces)[:left]
            (directory / f"file{count:05}").write_bytes(piece)
            left, count = left - len(piece), count + 1
    return program, layers


def run(command):
    """Wall and processor seconds of a command and all that it starts, and what it said."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wall = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{command}\n{done.stdout}{done.stderr}")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, spent, done.stdout


def contenders(bench, source):
    """Name, and what makes the command for a fresh place; some need a finished layout."""
    def pack(compression, threads):
        return lambda place: [bench, "pack", source, place, compression, str(threads)]

    def pipe(compressor, hash_):
        def command(place):
            script = PIPE.format(source=source, place=place, compressor=compressor, hash=hash_)
            return ["bash", "-c", script]
        return command

    fast = "openssl dgst -sha256 -r"
    return {
        "longshore, zstd": pack("zstd", CORES),
        "longshore, zstd, one thread": pack("zstd", 1),
        "longshore, gzip": pack("gzip", CORES),
        f"tar, zstd -3 -T{CORES}, sha256sum": pipe(f"zstd -q -3 -T{CORES} -c", "sha256sum"),
        f"tar, zstd -3 -T{CORES}, openssl": pipe(f"zstd -q -3 -T{CORES} -c", fast),
        "tar, gzip -1, openssl": pipe("gzip -1 -n", fast),
    }


def size_of(place):
    layers = list(place.glob("*.layer")) or list((place / "layout/blobs/sha256").glob("*"))
    return sum(layer.stat().st_size for layer in layers)


def compare(bench, source, rounds, scratch):
    rows = {}

    def turn(name, command, place):
        wall, spent, said = run(command)
        best = rows.setdefault(name, [wall, spent, 0, ""])
        best[0], best[1] = min(best[0], wall), min(best[1], spent)
        best[2] = size_of(place) or best[2]
        if name.startswith("longshore"):
            best[3] = f"{int(said.split()[-1]) / 1024:.0f} MiB"

    for _ in range(rounds):
        for name, command in contenders(bench, source).items():
            place = scratch / "place"
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            turn(name, command(place), place)
            if name == "longshore, zstd":
                turn("longshore, nothing changed", command(place), place)
                copy = ["skopeo", "copy", "-q", f"oci:{place}/layout", f"oci:{scratch}/copy"]
                shutil.rmtree(scratch / "copy", ignore_errors=True)
                turn("skopeo copy of the finished layout", copy, place)
    return rows


def limit(bench, source, packed, scratch):
    """Seconds that hashing and compressing alone take on all processors."""
    sample = scratch / "sample"
    everything = b"".join(f.read_bytes() for f in sorted(source.rglob("*")) if f.is_file())
    step = max(1, len(everything) // (32 << 20))
    blocks = [everything[at : at + (2 << 20)] for at in range(0, len(everything), step * (2 << 20))]
    sample.write_bytes(b"".join(blocks))
    hash_, compress = map(float, run([bench, "probe", sample])[2].split())
    size = len(everything) / 1e6
    return (size / hash_ + size / compress + packed / 1e6 / hash_) / CORES, hash_, compress


def table(title, rows, least, hash_, compress):
    print(f"\n### {title}\n")
    print("| | time | ratio | processor | ratio | bytes | memory |")
    print("|---|---|---|---|---|---|---|")
    own = rows["longshore, zstd"]
    for name, (wall, spent, size, memory) in rows.items():
        print(f"| {name} | {wall * 1000:,.0f} ms | {wall / own[0]:.2f} "
              f"| {spent * 1000:,.0f} ms | {spent / own[1]:.2f} | {size:,} "
              f"| {memory} |")
    spent = least * CORES
    print(f"| the limit | {least * 1000:,.0f} ms | {least / own[0]:.2f} "
          f"| {spent * 1000:,.0f} ms | {spent / own[1]:.2f} | | |")
    print(f"\nThe limit is hashing ({hash_:,.0f} MB/s) and compressing ({compress:,.0f} MB/s) "
          f"at the speed of one processor in the same run, on {CORES} of them.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bench", type=pathlib.Path)
    arguments = parser.parse_args()
    bench = arguments.bench
    if not bench:
        subprocess.run(["cargo", "build", "--release", "--manifest-path", HERE / "Cargo.toml"], check=True)
        bench = HERE / "target/release/image-bench"
    root = pathlib.Path(subprocess.check_output(["rustc", "--print", "sysroot"], text=True).strip())
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as scratch:
        scratch = pathlib.Path(scratch)
        program, layers = make_files(scratch, root)
        for title, source in (("A program of 8.4 MB", program), ("1 GB in 20 layers", layers)):
            rows = compare(bench, source, arguments.rounds, scratch)
            table(title, rows, *limit(bench, source, rows["longshore, zstd"][2], scratch))


if __name__ == "__main__":
    main()
