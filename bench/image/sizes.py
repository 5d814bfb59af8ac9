#!/usr/bin/env python3
"""Builds this repository's backend alone and on bases made of Debian's packages, and
prints a table of sizes.

    bench/image/sizes.py                      # builds longshore, makes the bases, compares
    bench/image/sizes.py --longshore PROGRAM  # with a longshore that is built already

Needs Debian (apt-get, dpkg-deb), mmdebstrap, gzip, zstd and a network. While it runs, longshore.toml
has another base; it is put back at the end.
"""

import argparse
import gzip
import hashlib
import io
import json
import pathlib
import shutil
import subprocess
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACE = pathlib.Path("target/sizes")
SUITE = "bookworm"
# What distroless's `cc` image has for a program that loads libc and libgcc.
DISTROLESS = ["base-files", "ca-certificates", "libc6", "libgcc-s1", "netbase", "tzdata"]
# What Debian leaves out of its slim images, and what it keeps of that.
LEFT_OUT = ["usr/share/doc/", "usr/share/info/", "usr/share/linda/", "usr/share/lintian/", "usr/share/locale/",
            "usr/share/man/", "usr/share/groff/"]
KEPT = ["/copyright", "/locale.alias"]


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, **options).stdout


def slim(path):
    return any(path.startswith(start) for start in LEFT_OUT) and not path.endswith(tuple(KEPT))


def distroless(directory):
    """The tar of a few packages, unpacked and nothing else."""
    packages, root = directory / "packages", directory / "root"
    for place in (packages, root):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
    run("apt-get", "download", "-q", *DISTROLESS, cwd=packages, stderr=subprocess.DEVNULL)
    for package in sorted(packages.glob("*.deb")):
        run("dpkg-deb", "--extract", package, root)
    # The bundle is what the package's script would make.
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    certificates = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    bundle.write_bytes(b"".join(certificate.read_bytes() for certificate in certificates))
    return filtered(run("tar", "-C", root, "--sort=name", "--numeric-owner", "-cf", "-", "."))


def debian_slim(directory):
    """The tar of Debian's smallest system, without what its slim images leave out."""
    system = directory / "system.tar"
    if not system.exists():
        # Without the package that would merge /usr afterwards, and needs all of Perl.
        merged = ["--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", "--include=usr-is-merged"]
        run("mmdebstrap", "--quiet", "--variant=minbase", *merged, SUITE, system)
    return filtered(system.read_bytes())


def filtered(tar):
    """Without documentation, translations, caches and devices."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(tar)) as read, tarfile.open(fileobj=out, mode="w") as written:
        for entry in read:
            entry.name = entry.name.removeprefix("./")
            entry.mtime = 0
            if entry.name in ("", ".") or entry.isdev() or entry.isfile() and slim(entry.name):
                continue
            if entry.name.startswith(("var/lib/apt/lists/", "var/cache/apt/")) and entry.isfile():
                continue
            written.addfile(entry, read.extractfile(entry) if entry.isfile() else None)
    return out.getvalue()


def layout(tar, directory):
    """One layer of gzip, as Debian and distroless publish theirs."""
    blobs = directory / "blobs/sha256"
    shutil.rmtree(directory, ignore_errors=True)
    blobs.mkdir(parents=True)

    def put(kind, content):
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        kind = f"application/vnd.oci.image.{kind}"
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}

    layer = put("layer.v1.tar+gzip", gzip.compress(tar, 6, mtime=0))
    diff = f"sha256:{hashlib.sha256(tar).hexdigest()}"
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [diff]}}
    config = put("config.v1+json", json.dumps(config).encode())
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]}
    manifest = put("manifest.v1+json", json.dumps(manifest).encode())
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    (directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')


def build(longshore, name, base):
    """The image's layout, on `base` or alone; zstd, where the base's layers are not ours."""
    file, lock = ROOT / "longshore.toml", ROOT / "longshore.lock"
    text, pins = file.read_text(), lock.read_bytes() if lock.exists() else None
    built = ROOT / PLACE / f"{name}-image"
    shutil.rmtree(built, ignore_errors=True)
    lines = [line for line in text.splitlines() if not line.startswith("runtimes")]
    if base:
        lines.insert(lines.index("[image]") + 1, f'base = "oci:{PLACE / base}"')
    try:
        file.write_text("\n".join(lines) + "\n")
        if base:
            run(longshore, "base", "update", cwd=ROOT)
        run(longshore, "build", "--allow-dirty", "--layout", built, cwd=ROOT)
    finally:
        file.write_text(text)
        lock.unlink(missing_ok=True)
        if pins is not None:
            lock.write_bytes(pins)
    return built


def read(layout, descriptor):
    return (layout / "blobs/sha256" / descriptor["digest"].removeprefix("sha256:")).read_bytes()


def measure(layout):
    """Bytes in a registry, bytes of files, number of files."""
    index = json.loads((layout / "index.json").read_text())
    manifest = read(layout, index["manifests"][0])
    image = json.loads(manifest)
    stored = len(manifest) + sum(part["size"] for part in [image["config"], *image["layers"]])
    unpacked = files = 0
    for layer in image["layers"]:
        unpack = ["zstd", "-dc"] if layer["mediaType"].endswith("zstd") else ["gzip", "-dc"]
        tar = subprocess.run(unpack, input=read(layout, layer), check=True, stdout=subprocess.PIPE).stdout
        with tarfile.open(fileobj=io.BytesIO(tar)) as entries:
            kept = [entry.size for entry in entries if not entry.isdir()]
        unpacked, files = unpacked + sum(kept), files + len(kept)
    return stored, unpacked, files


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--longshore", type=pathlib.Path)
    longshore = parser.parse_args().longshore
    if longshore is None:
        run("cargo", "build", "--release", "--package", "longshore", cwd=ROOT)
        longshore = ROOT / "target/release/longshore"
    rows = [("longshore, alone", measure(build(longshore.resolve(), "alone", None)))]
    for name, title, make in [
        ("distroless", "on libc6, libgcc, certificates, time zones", distroless),
        ("slim", "on Debian's minbase, slim", debian_slim),
    ]:
        directory = ROOT / PLACE / name
        (ROOT / PLACE / f"{name}-made").mkdir(parents=True, exist_ok=True)
        layout(make(ROOT / PLACE / f"{name}-made"), directory)
        rows.append((title, measure(build(longshore.resolve(), name, name))))
        rows.append(("that base without a program", measure(directory)))
    least = rows[0][1]
    print("| image | in a registry | ratio | unpacked | ratio | files |\n|---|---|---|---|---|---|")
    for title, (stored, unpacked, files) in rows:
        ratios = stored / least[0], unpacked / least[1]
        print(f"| {title} | {stored:,} | {ratios[0]:.1f} | {unpacked:,} | {ratios[1]:.1f} | {files:,} |")


if __name__ == "__main__":
    main()
