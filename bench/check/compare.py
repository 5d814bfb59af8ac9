#!/usr/bin/env python3
"""Puts `longshore check` beside Checkov and zizmor on the setups of fixtures/setups.

    bench/check/compare.py [--longshore PROGRAM] [--fresh] [--jobs N]

Writes docs/check-comparison.md and prints the run times. Needs Python 3.10, cargo
(or --longshore), and PyPI on the first run; nothing but its standard library.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

sys.dont_write_bytecode = True

import page  # noqa: E402
import tools  # noqa: E402
from judge import Mapping, Setup, judge  # noqa: E402

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent


def main() -> None:
    arguments = parsed_arguments()
    longshore = arguments.longshore or build()
    programs = tools.install(REPOSITORY)
    cache = tools.Cache(REPOSITORY, arguments.fresh)
    mapping = Mapping.read(HERE / "mapping.json")
    setups = Setup.read_all(REPOSITORY / "fixtures" / "setups")

    def look(setup: Setup) -> dict[str, tools.Run]:
        with tools.copied(setup.directory) as name:
            directory = Path(name).resolve()
            return {
                "longshore": tools.longshore(longshore, directory),
                "checkov": cache.run(
                    "checkov", lambda at: tools.checkov(programs, at), setup.directory, directory
                ),
                "zizmor": cache.run(
                    "zizmor", lambda at: tools.zizmor(programs, at), setup.directory, directory
                ),
            }

    with ThreadPoolExecutor(arguments.jobs) as pool:
        runs = list(pool.map(look, setups))
    verdicts = [judge(setup, run, mapping) for setup, run in zip(setups, runs)]
    target = REPOSITORY / "docs" / "check-comparison.md"
    target.write_text(page.written(verdicts, mapping, tools.PINS), encoding="utf-8")
    print(f"wrote {target.relative_to(REPOSITORY)}")
    for name in runs[0]:
        print(f"{name}: median {median(run[name].seconds for run in runs):.2f} s for one setup")


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--longshore", type=lambda text: Path(text).resolve(), help="this program instead of a build")
    parser.add_argument("--fresh", action="store_true", help="run the other tools again where nothing changed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="setups at a time")
    return parser.parse_args()


def build() -> Path:
    """The release build of this checkout."""
    command = ["cargo", "build", "--release", "--locked", "--package", "longshore", "--message-format", "json"]
    done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
    for line in reversed(done.stdout.splitlines()):
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "longshore":
            return Path(message["executable"])
    raise RuntimeError("cargo built no longshore")


if __name__ == "__main__":
    main()
