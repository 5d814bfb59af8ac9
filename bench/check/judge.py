"""Decides what of a tool's findings is a flaw found, and what is a false alarm."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tools import Run

# Levels that say themselves that nothing is wrong.
MILD = {"longshore": {"note"}, "checkov": set(), "zizmor": {"informational", "pedantic", "unknown"}}


@dataclass(frozen=True)
class Flaw:
    """Something that is wrong with a setup."""

    what: str
    rules: tuple[str, ...]
    where: str
    missed: str | None


@dataclass(frozen=True)
class Setup:
    """A setup and what its expected.json says of it."""

    directory: Path
    name: str
    sound: bool
    description: str
    flaws: tuple[Flaw, ...]
    allowed: frozenset[str]

    @staticmethod
    def read(directory: Path) -> "Setup":
        expected = json.loads((directory / "expected.json").read_text(encoding="utf-8"))
        flaws = tuple(
            Flaw(each["what"], tuple(each["rules"]), each["where"], each.get("missed"))
            for each in expected["flaws"]
        )
        return Setup(
            directory,
            directory.name,
            directory.parent.name == "sound",
            expected["description"],
            flaws,
            frozenset(expected.get("allowed", [])),
        )

    @staticmethod
    def read_all(root: Path) -> "list[Setup]":
        directories = [*sorted((root / "flawed").iterdir()), *sorted((root / "sound").iterdir())]
        return [Setup.read(directory) for directory in directories]


@dataclass(frozen=True)
class Mapping:
    """Which check of another tool is about what a rule of longshore is about."""

    checks: dict[str, dict[str, dict]]

    @staticmethod
    def read(file: Path) -> "Mapping":
        return Mapping(json.loads(file.read_text(encoding="utf-8"))["tools"])

    def rules_of(self, tool: str, check: str) -> set[str]:
        """The rules that a finding of `check` counts for."""
        if tool == "longshore":
            return {check}
        own = {f"{tool}/{check}"}
        return own | set(self.checks[tool].get(check, {}).get("rules", []))

    def can_alarm(self, tool: str, check: str) -> bool:
        """Whether `check` on a sound setup is a false alarm: it is about identity,
        permissions, the registry or workflows, and is not a matter of opinion."""
        if tool == "longshore":
            return True
        known = self.checks[tool].get(check)
        return known is not None and not known.get("opinion", False)

    def about(self, tool: str, check: str) -> str:
        return self.checks[tool].get(check, {}).get("about", "")

    def counts_for(self, tool: str, check: str) -> str:
        """The rules of longshore that a finding of `check` counts for, as text."""
        known = self.checks[tool].get(check)
        if known is None:
            return "nothing here"
        rules = ", ".join(f"`{rule}`" for rule in known["rules"]) or "nothing here"
        return rules + (" (a matter of opinion)" if known.get("opinion") else "")


@dataclass(frozen=True)
class Verdict:
    """What the tools make of one setup."""

    setup: Setup
    # By tool, for each flaw: the checks that found it.
    found: dict[str, list[list[str]]]
    # By tool: the checks that raised a false alarm.
    alarms: dict[str, list[str]]
    # By tool: every check that said something.
    said: dict[str, list[str]]
    # By tool: how long it took.
    seconds: dict[str, float]


def judge(setup: Setup, runs: dict[str, Run], mapping: Mapping) -> Verdict:
    """A finding counts wherever in the setup it is: setups are small."""
    found, alarms, said = {}, {}, {}
    for tool, run in runs.items():
        checks = sorted({each.check for each in run.findings})
        said[tool] = checks
        found[tool] = [
            [check for check in checks if mapping.rules_of(tool, check) & set(flaw.rules)]
            for flaw in setup.flaws
        ]
        loud = {each.check for each in run.findings if each.level not in MILD[tool]}
        alarms[tool] = sorted(
            check
            for check in loud
            if setup.sound and mapping.can_alarm(tool, check) and check not in setup.allowed
        )
    seconds = {tool: run.seconds for tool, run in runs.items()}
    return Verdict(setup, found, alarms, said, seconds)
