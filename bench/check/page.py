"""Writes the comparison as Markdown. The same verdicts give the same bytes."""

from __future__ import annotations

from statistics import median

from judge import Mapping, Verdict

TOOLS = ("longshore", "checkov", "zizmor")
TITLES = {"longshore": "`longshore check`", "checkov": "Checkov", "zizmor": "zizmor"}

INTRODUCTION = """\
# `longshore check` beside Checkov and zizmor

Written by `bench/check/compare.py`; do not edit. Compared: this checkout,
Checkov {checkov} and zizmor {zizmor}, on the {setups} setups of `fixtures/setups`:
{flawed} that hold {flaws} flaws, and {sound} that are sound.

How it is counted:

- A flaw is found if any finding in its setup is about it: for `longshore` one of the
  rules that the setup's `expected.json` names, for the others a check that
  `bench/check/mapping.json` puts beside one of those rules. The mapping is generous:
  a check counts for every rule that it could be read as.
- A false alarm is a sound setup with a finding that is about identity, permissions,
  the registry or the workflow. Notes do not count, nor zizmor's informational and
  pedantic findings (its pedantic findings do count as found), nor what the mapping
  calls a matter of opinion.
- The setups were written with `longshore`, so they hold what it looks for. What the
  others look for besides is at the end of this page.
- Checkov judges a subject only where the ARN of the provider is written out, not where
  it is a reference to the provider's block. The setups do both, as people do; where
  Checkov knows the flaw, they write it out.
- `longshore` runs alone here. Where zizmor is installed, `longshore check` runs it and
  reports its findings too.
"""


def written(verdicts: list[Verdict], mapping: Mapping, pins: dict[str, str]) -> str:
    """The whole page."""
    flawed = [verdict for verdict in verdicts if not verdict.setup.sound]
    sound = [verdict for verdict in verdicts if verdict.setup.sound]
    flaws = sum(len(verdict.setup.flaws) for verdict in flawed)
    introduction = INTRODUCTION.format(
        **pins, setups=len(verdicts), flawed=len(flawed), sound=len(sound), flaws=flaws
    )
    parts = [
        introduction,
        summary(flawed, sound, flaws),
        flawed_setups(flawed),
        sound_setups(sound),
        missed_by_us(flawed),
        what_others_say(verdicts, mapping),
    ]
    return "\n".join(parts)


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def summary(flawed: list[Verdict], sound: list[Verdict], flaws: int) -> str:
    rows = []
    for tool in TOOLS:
        found = sum(bool(checks) for verdict in flawed for checks in verdict.found[tool])
        whole = sum(all(verdict.found[tool]) for verdict in flawed)
        alarms = sum(bool(verdict.alarms[tool]) for verdict in sound)
        rows.append(
            [
                TITLES[tool],
                f"{found} of {flaws}",
                str(flaws - found),
                f"{whole} of {len(flawed)}",
                f"{alarms} of {len(sound)}",
                magnitude(median(verdict.seconds[tool] for verdict in flawed + sound)),
            ]
        )
    either = sum(
        bool(verdict.found["checkov"][index] or verdict.found["zizmor"][index])
        for verdict in flawed
        for index in range(len(verdict.setup.flaws))
    )
    both_alarm = sum(bool(verdict.alarms["checkov"] or verdict.alarms["zizmor"]) for verdict in sound)
    whole = sum(
        all(a or b for a, b in zip(verdict.found["checkov"], verdict.found["zizmor"]))
        for verdict in flawed
    )
    rows.append(
        [
            "Checkov and zizmor together",
            f"{either} of {flaws}",
            str(flaws - either),
            f"{whole} of {len(flawed)}",
            f"{both_alarm} of {len(sound)}",
            "",
        ]
    )
    head = [
        "",
        "flaws found",
        "missed",
        "setups with every flaw found",
        "sound setups with a false alarm",
        "time for one setup",
    ]
    return "## Summary\n\n" + table(head, rows)


def magnitude(seconds: float) -> str:
    """A power of ten above: enough to compare, and the same on most machines."""
    bounds = (0.01, 0.1, 1, 10)
    above = [bound for bound in bounds if seconds < bound]
    return f"under {above[0]:g} s" if above else "over 10 s"


def flawed_setups(verdicts: list[Verdict]) -> str:
    rows = []
    for verdict in verdicts:
        for index, flaw in enumerate(verdict.setup.flaws):
            found = [cell(verdict.found[tool][index]) for tool in TOOLS]
            name = f"`{verdict.setup.name}`" if index == 0 else ""
            rows.append([name, flaw.what.replace("|", "\\|"), *found])
    head = ["setup", "flaw", *(TITLES[tool] for tool in TOOLS)]
    return "## Flawed setups\n\nEmpty: missed.\n\n" + table(head, rows)


def sound_setups(verdicts: list[Verdict]) -> str:
    rows = [
        [f"`{verdict.setup.name}`", verdict.setup.description, *(cell(verdict.alarms[tool]) for tool in TOOLS)]
        for verdict in verdicts
    ]
    head = ["setup", "what it is", *(TITLES[tool] for tool in TOOLS)]
    return "## Sound setups\n\nEmpty: no false alarm.\n\n" + table(head, rows)


def cell(checks: list[str]) -> str:
    return ", ".join(f"`{check}`" for check in checks)


def missed_by_us(flawed: list[Verdict]) -> str:
    rows = []
    for verdict in flawed:
        for index, flaw in enumerate(verdict.setup.flaws):
            if verdict.found["longshore"][index]:
                continue
            others = [TITLES[tool] for tool in TOOLS[1:] if verdict.found[tool][index]]
            why = flaw.missed or "not found yet"
            rows.append([f"`{verdict.setup.name}`", flaw.what, ", ".join(others) or "nobody", why])
    if not rows:
        return "## What `longshore check` misses\n\nOf these setups, nothing.\n"
    head = ["setup", "flaw", "found by", "why"]
    return "## What `longshore check` misses\n\n" + table(head, rows)


def what_others_say(verdicts: list[Verdict], mapping: Mapping) -> str:
    """Every check of the others that said something, and where the mapping puts it."""
    parts = ["## What the others look for\n\nEvery check that said something of these setups.\n"]
    for tool in TOOLS[1:]:
        count: dict[str, int] = {}
        for verdict in verdicts:
            for check in verdict.said[tool]:
                count[check] = count.get(check, 0) + 1
        rows = [
            [f"`{check}`", mapping.about(tool, check), mapping.counts_for(tool, check), str(count[check])]
            for check in sorted(count)
        ]
        head = ["check", "what it is about", "counts for", "setups"]
        parts.append(f"### {TITLES[tool]}\n\n" + table(head, rows))
    unused = [
        f"`{check}` ({TITLES[tool]})"
        for tool in TOOLS[1:]
        for check in sorted(mapping.checks[tool])
        if not any(check in verdict.said[tool] for verdict in verdicts)
    ]
    if unused:
        parts.append("In the mapping, and silent here: " + ", ".join(unused) + ".\n")
    return "\n".join(parts)
