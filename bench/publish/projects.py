"""What is published: services, a workspace of fifty, the backend, a large layout."""

import json
import os
import pathlib
import shutil
import subprocess
import time

from measure import run

DATA_BYTES = 7_700_000
LAYER_BYTES, LAYERS = 50_000_000, 20
FIFTY, SMALL_BYTES = 50, 100_000
# Who builds Dockerfiles, as contexts and repositories are called.
BUILDERS = ("classic", "buildkit", "buildah")
COMMITTER = {f"GIT_{who}_{key}": value for who in ("AUTHOR", "COMMITTER")
             for key, value in (("NAME", "Ada"), ("EMAIL", "ada@example.com"))}
MAIN = """static DATA: &[u8] = include_bytes!("data");
fn main() {{
    println!("{number} {{}}", std::hint::black_box(DATA)[0]);
}}
"""
DOCKERFILE = "FROM scratch\nCOPY service /usr/bin/service\nCOPY public /srv\nENTRYPOINT [\"/usr/bin/service\"]\n"
PROGRAM_ONLY = "FROM scratch\nCOPY service /usr/bin/service\nENTRYPOINT [\"/usr/bin/service\"]\n"
REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
# A line of the backend that is in its program.
LINE = "Serves a portfolio over HTTP"


def commit(project):
    run(["git", "-C", project, "add", "--all"])
    run(["git", "-C", project, "commit", "--quiet", "--message=everything"], env=os.environ | COMMITTER)


def make_package(place, name, data, number):
    """A service without dependencies: its program holds `data`."""
    (place / "src").mkdir(parents=True)
    (place / "src/data").write_bytes(data)
    (place / "src/main.rs").write_text(MAIN.format(number=number))
    (place / "Cargo.toml").write_text(f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n')


def locked(names):
    packages = "".join(f'\n[[package]]\nname = "{name}"\nversion = "0.1.0"\n' for name in names)
    return f"version = 4\n{packages}"


def make_project(place, data, number, assets):
    make_package(place, "service", data, number)
    (place / "Cargo.lock").write_text(locked(["service"]))
    tables = "".join(f'\n[[image.assets]]\nfrom = "{name}"\nto = "/srv/{name}"\n' for name in assets)
    (place / "longshore.toml").write_text('[image]\npackage = "service"\n' + tables)
    for name, content in assets.items():
        (place / name).mkdir()
        (place / name / "file").write_bytes(content)
    under_git(place)


def alone(project):
    """The same beside which nothing is pushed, where there is one."""
    return project.with_name(f"{project.name}-alone")


def attests_nothing(project):
    with (project / "longshore.toml").open("a") as file:
        file.write("\n[publish]\nattest = false\n")


def under_git(place):
    (place / ".gitignore").write_text("/target\n")
    run(["git", "init", "--quiet", place])
    commit(place)


def toolchain_bytes():
    """Bytes of the Rust toolchain's own programs and libraries."""
    root = pathlib.Path(subprocess.check_output(["rustc", "--print", "sysroot"], text=True).strip())
    files = [root / "bin/cargo"] + sorted((root / "lib").rglob("*.so")) + sorted((root / "lib").rglob("*.rlib"))
    return b"".join(file.read_bytes() for file in files)


def program(project, name):
    """The program that was compiled last."""
    programs = [file for file in (project / "target").rglob(name) if file.is_file() and os.access(file, os.X_OK)]
    return max(programs, key=lambda file: file.stat().st_mtime)


def make_contexts(context, file, public=None):
    """What those who build Dockerfiles are given: the finished program, and files. Each
    gets bytes of its own, so that none finds what another has built or pushed."""
    for builder in BUILDERS:
        place = context.with_name(f"{context.name}-{builder}")
        place.mkdir(exist_ok=True)
        shutil.copy(file, place / "service")
        with (place / "service").open("ab") as program:
            program.write(f"{builder} {time.time_ns()}".encode())
        (place / "Dockerfile").write_text(DOCKERFILE if public else PROGRAM_ONLY)
        if public:
            (place / "public").mkdir(exist_ok=True)
    if public:
        change_asset(context, (public / "file").read_bytes())


def change_asset(context, content):
    for builder in BUILDERS:
        file = context.with_name(f"{context.name}-{builder}") / "public/file"
        file.write_bytes(content + builder.encode())


def prepare_services(longshore, place, rounds):
    everything = toolchain_bytes()
    for number in range(rounds + 1):
        project = place / f"service{number}"
        for one in (project, alone(project)):
            # No program of an earlier run: Docker and buildah remember those.
            make_project(one, everything[:DATA_BYTES], time.time_ns(), {"public": b"page\n" * 20_000})
        attests_nothing(alone(project))
        commit(alone(project))
        for one in (project, alone(project)):
            run([longshore, "build"], cwd=one)
        make_contexts(place / f"context{number}", program(project, "service"), project / "public")


def prepare_large(longshore, place):
    everything, pieces = toolchain_bytes(), {}
    for number in range(LAYERS):
        at = number * LAYER_BYTES % (len(everything) - LAYER_BYTES)
        pieces[f"layer{number:02}"] = everything[at:at + LAYER_BYTES]
    make_project(place / "large", everything[:1000], 0, pieces)
    digest = run([longshore, "build"], cwd=place / "large")
    (place / "large.digest").write_text(digest.strip())


def prepare_fifty(longshore, place):
    everything, project = toolchain_bytes(), place / "fifty"
    names = [f"service{number:02}" for number in range(FIFTY)]
    for one in (project, alone(project)):
        for number, name in enumerate(names):
            at = number * SMALL_BYTES
            make_package(one / name, name, everything[at:at + SMALL_BYTES], time.time_ns())
        members = ", ".join(f'"{name}"' for name in names)
        (one / "Cargo.toml").write_text(f'[workspace]\nresolver = "3"\nmembers = [{members}]\n')
        (one / "Cargo.lock").write_text(locked(names))
        images = "".join(f'[[image]]\npackage = "{name}"\nrepository = "team/{name}"\n\n' for name in names)
        (one / "longshore.toml").write_text(images)
        if one != project:
            attests_nothing(one)
        under_git(one)
        run([longshore, "build"], cwd=one)
    for name in names:
        make_contexts(place / f"fifty-{name}", program(project, name))


def prepare_backend(longshore, place):
    """This repository at its last commit, with everything compiled."""
    run(["git", "clone", "--quiet", "--no-local", REPOSITORY, place / "backend"])
    build_backend(longshore, place)


def build_backend(longshore, place):
    """Compiles what is missing; the seconds that cargo takes."""
    project = place / "backend"
    report = json.loads(run([longshore, "build", "--format", "json"], cwd=project))
    make_contexts(place / "context-backend", program(project, "backend"))
    return report["compile_milliseconds"] / 1000


def change_a_line(place):
    """Another text in the backend's program."""
    project = place / "backend"
    file = project / "backend/src/main.rs"
    lines = file.read_text().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.startswith(LINE))
    lines[at] = f"{LINE}, {time.time_ns()}.\n"
    file.write_text("".join(lines))
    commit(project)


PREPARED = {
    "services": prepare_services,
    "large": lambda longshore, place, _: prepare_large(longshore, place),
    "fifty": lambda longshore, place, _: prepare_fifty(longshore, place),
    "backend": lambda longshore, place, _: prepare_backend(longshore, place),
}
