"""The tables and the plot of what was measured, in docs/."""

import json
import pathlib

DOCS = pathlib.Path(__file__).resolve().parent.parent.parent / "docs"
BEGIN, END = "<!-- written by bench/publish/compare.py -->\n", "<!-- end -->\n"
PLACES = {"docker-registry": "to `docker-registry` on loopback",
          "tls": "to the same by https",
          "link": "to the same over a link of 20 ms and 100 Mbit/s",
          "emulator": "to the emulator, as ECR"}
ROWS = ["services", "fifty", "backend", "large"]
ORDER = ["longshore publish", "longshore, nothing attested", "docker build, push", "with BuildKit",
         "buildah bud, push", "skopeo copy", "crane push"]
COLOURS = ["#1b6ca8", "#5a9bd4", "#b5651d", "#d9a05b", "#7a8b3c", "#8c5a9e", "#5b9e9a"]


def write(results):
    kept = json.loads(results.read_text())
    tables = sorted(kept.items(), key=lambda one: (list(PLACES).index(place_of(one[0])), ROWS.index(rows_of(one[0]))))
    file = DOCS / "benchmarks.md"
    before, _, rest = file.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    text = "\n".join(section(*one) for one in tables)
    file.write_text(f"{before}{BEGIN}\n{text}\n{memories(tables)}\n![Time of each, as a multiple of ours]"
                    f"(publish.svg)\n\n{END}{after}")
    (DOCS / "publish.svg").write_text(plot([(place_of(key), row) for key, table in tables for row in table["rows"]]))


def place_of(key):
    return key.split(", ")[1]


def rows_of(key):
    return key.split(", ")[0]


def names_of(rows):
    return [name for name in ORDER if any(name in row["contenders"] for row in rows)]


def head(columns):
    return f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n"


def section(key, table):
    rows, names = table["rows"], names_of(table["rows"])
    turns = f"best of {table['rounds']} turns" if table["rounds"] > 1 else "one turn"
    text = f"**`{rows_of(key)}` {PLACES[place_of(key)]}** ({turns}, {table['date']}, {table['machine']})\n\n"
    text += head(["row", *names, "the limit"])
    for row in rows:
        own = row["contenders"]["longshore publish"]["wall"]
        cells = [cell(row["contenders"].get(name), own) for name in names]
        limit = row["limit"]["seconds"]
        cells.append(f"{milliseconds(limit)}, {limit / own:.2f}")
        text += f"| {row['title']} | {' | '.join(cells)} |\n"
    limits = "; ".join(f"{row['title']}: {row['limit']['what']}" for row in rows)
    return f"{text}\nThe limit: {limits}.\n"


def cell(one, own):
    if not one:
        return ""
    return f"{milliseconds(one['wall'])}, {one['wall'] / own:.2f}"


def milliseconds(seconds):
    return f"{seconds * 1000:,.{1 if seconds < 0.01 else 0}f} ms"


def memories(tables):
    """Processor time and memory of what is not over the link."""
    tables = [one for one in tables if place_of(one[0]) == "docker-registry"]
    names = names_of([row for _, table in tables for row in table["rows"]])
    text = "Processor time, and memory at the peak (MB; of Docker, its client and its daemons):\n\n"
    text += head(["row", *names])
    for _, table in tables:
        for row in table["rows"]:
            cells = [spent(name, row["contenders"].get(name)) for name in names]
            text += f"| {row['title']} | {' | '.join(cells)} |\n"
    return text


def spent(name, one):
    if not one:
        return ""
    text = f"{one['processor'] * 1000:,.0f} ms"
    if "own" in one:
        with_daemons = name in ("docker build, push", "with BuildKit")
        text += f", {one['own'] / 1e6:.0f}" + (f" + {one['daemons'] / 1e6:.0f}" if with_daemons else "")
    return text


def plot(rows):
    """Bars of the time of each as a multiple of ours, as SVG without a program."""
    scale, left, height = 24, 420, 14
    lines, y = [], 34
    for place, row in rows:
        own = row["contenders"]["longshore publish"]["wall"]
        label = f"{row['title']} ({place})".replace("`", "").replace("&", "&amp;").replace("<", "&lt;")
        lines.append(f'<text x="8" y="{y + 11}" font-weight="bold">{label}</text>')
        y += height + 4
        for name, colour in zip(ORDER, COLOURS):
            if name not in row["contenders"]:
                continue
            ratio = row["contenders"][name]["wall"] / own
            width = min(ratio, 20) * scale
            lines.append(f'<text x="{left - 8}" y="{y + 11}" text-anchor="end">{name}</text>'
                         f'<rect x="{left}" y="{y}" width="{width:.1f}" height="{height - 2}" fill="{colour}"/>'
                         f'<text x="{left + width + 6:.1f}" y="{y + 11}">{ratio:.2f}</text>')
            y += height
        y += 8
    top = '<text x="8" y="18" font-size="14">Time of each, as a multiple of longshore (bars end at 20)</text>'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="980" height="{y + 8}" '
            f'viewBox="0 0 980 {y + 8}" font-family="sans-serif" font-size="11">'
            f'<rect width="100%" height="100%" fill="white"/>{top}{"".join(lines)}</svg>\n')
