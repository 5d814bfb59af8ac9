"""Runs longshore, Checkov and zizmor on one directory, each as its users would."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import asdict, dataclass
from pathlib import Path

# What the published table was made with. A new version may find more: raise the
# pin, run the script, and look at what changed.
PINS = {"checkov": "3.3.30", "zizmor": "1.32.0"}


@dataclass(frozen=True)
class Finding:
    """What a tool reports: the id of its check, and how loud it is."""

    check: str
    level: str
    file: str


@dataclass
class Run:
    """One tool on one setup."""

    findings: list[Finding]
    seconds: float


def install(repository: Path) -> Path:
    """A virtual environment with the pinned tools; returns its programs."""
    place = repository / "target" / "check-comparison-venv"
    programs = place / ("Scripts" if os.name == "nt" else "bin")
    stamp = place / "pins.json"
    if stamp.is_file() and json.loads(stamp.read_text()) == PINS:
        return programs
    print("installing", ", ".join(f"{name} {pin}" for name, pin in PINS.items()), file=sys.stderr)
    venv.create(place, with_pip=True)
    wanted = [f"{name}=={pin}" for name, pin in PINS.items()]
    subprocess.run([programs / "python", "-m", "pip", "install", "--quiet", *wanted], check=True)
    stamp.write_text(json.dumps(PINS))
    return programs


def run(command: list, directory: Path) -> tuple[str, str, float]:
    """Standard output, standard error, seconds. Exit codes mean findings."""
    # Without the machine's own tokens and settings, and without a network: what
    # the table says must not depend on who runs it.
    names = ("PATH", "HOME", "SYSTEMROOT", "LANG")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    environment |= {"LOG_LEVEL": "CRITICAL", "NO_COLOR": "1"}
    start = time.monotonic()
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
    seconds = time.monotonic() - start
    if not done.stdout.strip():
        raise RuntimeError(f"{command[0]} said nothing in {directory}: {done.stderr[-2000:]}")
    return done.stdout, done.stderr, seconds


def longshore(program: Path, directory: Path) -> Run:
    """Alone: without the zizmor that it would run where that is installed."""
    command = [program, "check", "--format", "json", "--no-zizmor", "--directory", directory]
    text, _, seconds = run(command, directory)
    found = [
        Finding(each["rule"], each["severity"], (each["location"] or {}).get("file", ""))
        for each in json.loads(text)["findings"]
    ]
    return Run(found, seconds)


def checkov(programs: Path, directory: Path) -> Run:
    """With the three frameworks that look at what a setup holds."""
    command = [
        programs / "checkov", "--directory", directory, "--output", "json", "--compact",
        "--quiet", "--skip-download", "--enable-secret-scan-all-files",
        "--framework", "terraform", "github_actions", "secrets",
    ]  # fmt: skip
    text, _, seconds = run(command, directory)
    reports = json.loads(text)
    found = []
    for report in reports if isinstance(reports, list) else [reports]:
        for each in report.get("results", {}).get("failed_checks", []):
            file = each["file_path"].lstrip("/")
            found.append(Finding(each["check_id"], "failed", file))
    return Run(found, seconds)


def zizmor(programs: Path, directory: Path) -> Run:
    """With the pedantic findings, marked as such: they may help and cannot hurt."""
    command = [
        programs / "zizmor", "--offline", "--no-config", "--no-progress", "--no-exit-codes",
        "--persona", "pedantic", "--format", "json-v1", directory,
    ]  # fmt: skip
    text, remarks, seconds = run(command, directory)
    found = []
    for each in json.loads(text):
        determinations = each["determinations"]
        level = determinations["severity"].lower()
        if determinations["persona"] != "Regular":
            level = "pedantic"
        file = primary_file(each, directory)
        found.append(Finding(each["ident"], level, file))
    if "failed to parse input" in remarks:
        # A warning on standard error only, but whoever looks for it finds it.
        found.append(Finding("cannot-parse", "pedantic", ""))
    return Run(found, seconds)


def primary_file(finding: dict, directory: Path) -> str:
    """The file of the location that zizmor calls primary."""
    for location in finding["locations"]:
        symbolic = location["symbolic"]
        if symbolic["kind"] == "Primary" and "Local" in symbolic["key"]:
            path = Path(symbolic["key"]["Local"]["verbatim_path"])
            return path.relative_to(directory).as_posix() if path.is_absolute() else path.as_posix()
    return ""


class Cache:
    """Keeps what the other tools said of a setup, by its content and their versions."""

    def __init__(self, repository: Path, fresh: bool):
        self.place = repository / "target" / "check-comparison-cache"
        self.fresh = fresh
        self.place.mkdir(parents=True, exist_ok=True)

    def run(self, name: str, tool, setup: Path, directory: Path) -> Run:
        digest = hashlib.sha256(f"{name} {PINS[name]}".encode())
        digest.update(Path(__file__).read_bytes())
        for file in files_of(setup):
            digest.update(file.relative_to(setup).as_posix().encode() + b"\0" + file.read_bytes())
        kept = self.place / f"{name}-{digest.hexdigest()[:24]}.json"
        if kept.is_file() and not self.fresh:
            said = json.loads(kept.read_text())
            return Run([Finding(**each) for each in said["findings"]], said["seconds"])
        found = tool(directory)
        kept.write_text(json.dumps(asdict(found)))
        return found


def files_of(setup: Path) -> list[Path]:
    """The files of a setup, without the answers."""
    return sorted(file for file in setup.rglob("*") if file.is_file() and file.name != "expected.json")


def copied(setup: Path) -> tempfile.TemporaryDirectory:
    """A copy of a setup that no repository and no configuration stands around."""
    directory = tempfile.TemporaryDirectory(prefix="setup-")
    for file in files_of(setup):
        target = Path(directory.name) / file.relative_to(setup)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return directory
