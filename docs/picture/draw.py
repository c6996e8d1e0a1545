#!/usr/bin/env python3
"""Draws a run of the demo as an SVG picture.

    citizen-wallet demo --dir D --json > report.json
    docs/picture/draw.py D report.json > docs/picture/demo.svg

Everything in the picture is read from the run: steps, verdicts, facts and times from the report, who spoke with whom and the two QR codes from
D/record. Only the Python standard library is used. A test (tests/python/test_picture.py) holds the committed picture against a fresh run.
"""

import base64
import html
import json
import pathlib
import re
import sys

WIDTH = 1004
ROW = 25
TOP = 176
NAMES = 44  # where names of steps begin
LANES = 352  # where the first device's lane stands
GAP = 27  # between lanes
FACTS = 548
SQUARE = 5  # one fact, with the space after it
PER_LINE = 27
VERDICT = 704
MILLIS = WIDTH - 16
CENTRAL = "central"

STYLE = """
text { font: 12.5px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace; fill: #1f2328 }
.head { font-size: 16px; font-weight: bold } .soft { fill: #59636e } .small { font-size: 11px }
.paper { fill: #ffffff; stroke: #d1d9e0 } .stripe { fill: #f6f8fa } .lane { stroke: #d1d9e0 }
.on { fill: #ddf4ff; stroke: #54aeff } .net, .hand { stroke: #0969da; fill: #0969da } .qr { stroke: #1f2328; fill: #1f2328 }
.card { fill: #8250df } .wide { stroke-width: 1.4 }
.good { fill: #1a7f37 } .open { fill: #9a6700 } .bad { fill: #cf222e } path.mark { fill: none; stroke-width: 2.2 }
path.good { stroke: #1a7f37 } path.bad { stroke: #cf222e } rect.unknown { fill: none; stroke: #9a6700 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .soft { fill: #9198a1 } .paper { fill: #0d1117; stroke: #3d444d } .stripe { fill: #151b23 } .lane { stroke: #3d444d }
  .on { fill: #121d2f; stroke: #1f6feb } .net, .hand { stroke: #58a6ff; fill: #58a6ff } .qr { stroke: #f0f6fc; fill: #f0f6fc } .card { fill: #ab7df8 }
  .good { fill: #3fb950 } .open { fill: #d29922 } .bad { fill: #f85149 }
  path.good { stroke: #3fb950 } path.bad { stroke: #f85149 } rect.unknown { stroke: #d29922 }
}
"""


class Canvas:
    """Collects SVG elements."""

    def __init__(self):
        self.parts = []

    def add(self, text):
        self.parts.append(text)

    def text(self, x, y, words, classes="", extra=""):
        kind = f' class="{classes}"' if classes else ""
        self.add(f'<text x="{x}" y="{y}"{kind}{extra}>{html.escape(str(words), quote=False)}</text>')

    def line(self, x1, x2, y, classes, dashes=""):
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.add(f'<line x1="{x1}" x2="{x2}" y1="{y}" y2="{y}" class="{classes}"{dash}/>')

    def square(self, x, y, size, classes):
        self.add(f'<rect x="{x - size / 2:g}" y="{y - size / 2:g}" width="{size}" height="{size}" class="{classes}"/>')

    def dot(self, x, y, radius, classes):
        self.add(f'<circle cx="{x}" cy="{y}" r="{radius}" class="{classes}"/>')


def verdict_in_words(verdict):
    """`rejected:credential.status` as the picture says it."""
    return verdict.replace(":", ": ", 1)


def mark(canvas, x, y, verdict):
    """A sign for a verdict, told by shape as well as by colour."""
    kind = verdict.split(":")[0]
    if kind == "verified":
        canvas.add(f'<path class="good mark" d="M{x - 5} {y}l4 4l7 -8"/>')
    elif kind == "undetermined":
        canvas.text(x - 4, y + 5, "?", "open", ' font-weight="bold"')
    else:
        canvas.add(f'<path class="bad mark" d="M{x - 5} {y - 4}l9 9m0 -9l-9 9"/>')
    return {"verified": "good", "undetermined": "open"}.get(kind, "bad")


def ways(events):
    """Who reached whom in a step: sets of (kind, from, to), in the order in which they happened first."""
    found, drawn = {}, {}
    given = None
    for event in events:
        kind, device = event["kind"], event.get("device")
        if kind == "http":
            found[("net", device, CENTRAL)] = None
        elif kind == "apdu":
            found[("card", device, device)] = None
        elif kind == "admin":
            found[("admin", CENTRAL, CENTRAL)] = None
        elif kind == "picture":
            drawn[event["file"]] = device
        elif kind == "seen" and event["file"] in drawn:
            found[("qr", drawn[event["file"]], device)] = None
        elif kind == "carried" and event["what"] == "given":
            given = device
        elif kind == "carried":
            found[("hand", given, device)] = None
    return list(found)


def facts_of(canvas, y, facts):
    """One small square for each fact: full when it passed, hollow when it was not checked, large and red when it failed."""
    lines = [facts[start : start + PER_LINE] for start in range(0, len(facts), PER_LINE)]
    top = y - (len(lines) - 1) * SQUARE / 2
    canvas.add('<g class="facts">')
    for row, line in enumerate(lines):
        for column, fact in enumerate(line):
            x = FACTS + column * SQUARE
            if fact["result"] == "passed":
                canvas.square(x, top + row * SQUARE, 3.6, "open" if fact["caution"] else "good")
            elif fact["result"] == "failed":
                canvas.square(x, top + row * SQUARE, 5, "bad")
            else:
                canvas.square(x, top + row * SQUARE, 3, "unknown")
    canvas.add("</g>")


def step_row(canvas, number, step, told, lanes):
    y = TOP + number * ROW
    counts = [sum(fact["result"] == result for fact in step["facts"]) for result in ("passed", "failed", "not-checked")]
    canvas.add(f'<g data-step="{html.escape(step["name"])}" data-verdict="{html.escape(step["verdict"])}" data-facts="{"/".join(map(str, counts))}">')
    canvas.text(16, y + 4, f"{number + 1:>2}", "soft")
    canvas.text(NAMES, y + 4, step["name"])
    for kind, first, second in ways(told["events"]):
        if first not in lanes or second not in lanes:
            continue
        start, end = lanes[first], lanes[second]
        if kind == "net":
            canvas.line(start, end, y, "net wide")
            canvas.dot(start, y, 3, "net")
        elif kind == "qr":
            canvas.line(start, end, y, "qr wide", "2 3")
            canvas.square(start, y, 7, "qr")
            canvas.square(end, y, 7, "qr")
        elif kind == "hand":
            canvas.line(start, end, y, "hand wide", "7 3")
            canvas.dot(start, y, 4, "hand")
            canvas.dot(end, y, 4, "hand")
        elif kind == "card":
            canvas.add(f'<rect x="{start - 7}" y="{y - 5}" width="14" height="10" rx="2" class="card"/>')
        else:
            canvas.dot(start, y, 4, "hand")
    facts_of(canvas, y, step["facts"])
    colour = mark(canvas, VERDICT, y, step["verdict"])
    canvas.text(VERDICT + 12, y + 4, verdict_in_words(step["verdict"]), colour)
    canvas.text(MILLIS, y + 4, f'{step["millis"]} ms', "soft time", ' text-anchor="end"')
    canvas.add("</g>")


def service_times(steps):
    """Rows in which central ran, as (first, last) with parts of a row: a change in a step counts from its middle."""
    bands, since = [], None
    for number, step in enumerate(steps):
        for event in step["events"]:
            if event["kind"] == "central" and event["what"] == "started" and since is None:
                since = number - 0.4
            elif event["kind"] == "central" and event["what"] == "stopped" and since is not None:
                bands.append((since, number - 0.5))
                since = None
    if since is not None:
        bands.append((since, len(steps) - 0.6))
    return bands


def frame(canvas, steps, lanes, names):
    for number in range(0, len(steps), 2):
        canvas.add(f'<rect x="8" y="{TOP + number * ROW - ROW / 2:g}" width="{WIDTH - 16}" height="{ROW}" class="stripe"/>')
    bottom = TOP + len(steps) * ROW - ROW / 2
    for device, x in lanes.items():
        canvas.add(f'<line x1="{x}" x2="{x}" y1="{TOP - 18}" y2="{bottom:g}" class="lane"/>')
        canvas.text(x - 2, TOP - 24, names[device], "small", f' transform="rotate(-34 {x - 2} {TOP - 24})"')
    for first, last in service_times(steps):
        x, y = lanes[CENTRAL], TOP + first * ROW
        canvas.add(f'<rect x="{x - 6}" y="{y:g}" width="12" height="{(last - first) * ROW:g}" rx="5" class="on"/>')


def picture_of(record, step, what):
    """One QR code of a step, as PNG, with its width."""
    files = [event["file"] for event in step["events"] if event["kind"] == "picture" and event["what"] == what]
    return (record / files[0]).read_bytes() if files else None


def legend(canvas, y, record, story):
    rows = [
        ("net", "over the network, with central"),
        ("qr", "by QR code: drawn to pixels, read from pixels"),
        ("hand", "public lists carried by hand; a command at central"),
        ("card", "a chip card held to the phone"),
        ("on", "central runs; outside of it its process is gone"),
    ]
    for number, (kind, words) in enumerate(rows):
        at = y + number * 22
        if kind == "net":
            canvas.line(24, 52, at, "net wide")
            canvas.dot(24, at, 3, "net")
        elif kind == "qr":
            canvas.line(24, 52, at, "qr wide", "2 3")
            canvas.square(24, at, 7, "qr")
            canvas.square(52, at, 7, "qr")
        elif kind == "hand":
            canvas.line(24, 52, at, "hand wide", "7 3")
            canvas.dot(24, at, 4, "hand")
            canvas.dot(52, at, 4, "hand")
        elif kind == "card":
            canvas.add(f'<rect x="31" y="{at - 5}" width="14" height="10" rx="2" class="card"/>')
        else:
            canvas.add(f'<rect x="32" y="{at - 8}" width="12" height="16" rx="5" class="on"/>')
        canvas.text(66, at + 4, words, "small")
    for number, (kind, size, words) in enumerate([("good", 3.6, "a fact that passed"), ("unknown", 3, "not checked: never counts as passed"), ("bad", 5, "failed")]):
        at = y + number * 22
        canvas.square(452, at, size * 1.6, kind)
        canvas.text(466, at + 4, words, "small")
    canvas.text(446, y + 70, "undetermined: portrait.match =", "small")
    canvas.text(446, y + 88, "nobody compared a signed portrait yet", "small")
    check = next((step for step in story["steps"] if step["name"] == "roadside check"), None)
    if check:
        for x, what in ((VERDICT + 4, "request"), (VERDICT + 148, "answer")):
            png = picture_of(record, check, what)
            if png:
                data = base64.b64encode(png).decode()
                canvas.add(f'<image x="{x}" y="{y - 12}" width="136" height="136" style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>')
                canvas.text(x, y + 140, f"{what} of step {story['steps'].index(check) + 1}", "small soft")


def names_of(story):
    """The devices of the story by lane, in words."""
    names = {}
    for device in story["devices"]:
        kind, name = device["kind"], device["id"]
        if kind == "wallet":
            names[name] = f"{name} (a citizen's phone)"
        elif kind == "officer":
            names[name] = f"{device['organisation']} ({device['role']})"
        else:
            names[name] = name
    names[CENTRAL] = "central service"
    return names


def draw(folder, report):
    """The picture of one run as text. `folder` is the demo's folder, `report` what `--json` printed."""
    record = pathlib.Path(folder) / "record"
    story = json.loads((record / "story.json").read_text(encoding="utf-8"))
    steps = report["steps"]
    if [step["name"] for step in steps] != [step["name"] for step in story["steps"]]:
        raise ValueError("report and record are not of the same run")
    names = names_of(story)
    lanes = {device: LANES + GAP * number for number, device in enumerate(names)}
    height = TOP + len(steps) * ROW + 176
    facts = sum(len(step["facts"]) for step in steps)
    seconds = sum(step["millis"] for step in steps) / 1000
    expected = all(step["verdict"] == step["expected"] for step in steps) and report["ok"]
    canvas = Canvas()
    canvas.add(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">')
    canvas.add("<title>A run of the Citizen Wallet demo</title>")
    canvas.add("<desc>" + html.escape("; ".join(f"{s['name']}: {s['verdict']}" for s in steps), quote=False) + "</desc>")
    canvas.add(f"<style>{STYLE}</style>")
    canvas.add(f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8" class="paper"/>')
    canvas.text(16, 34, "$ citizen-wallet demo", "head")
    canvas.text(16, 56, f"{len(steps)} steps, {facts} facts, {seconds:.1f} s", "time")
    canvas.text(16, 74, "every verdict as expected" if expected else "NOT every verdict as expected", "good" if expected else "bad")
    for x, words in ((NAMES, "step"), (FACTS, "facts"), (VERDICT - 6, "verdict")):
        canvas.text(x, TOP - 24, words, "soft")
    frame(canvas, story["steps"], lanes, names)
    for number, (step, told) in enumerate(zip(steps, story["steps"])):
        step_row(canvas, number, step, told, lanes)
    legend(canvas, TOP + len(steps) * ROW + 22, record, story)
    canvas.add("</svg>")
    return "\n".join(canvas.parts) + "\n"


def unchanging(svg):
    """The picture without what differs from run to run: times, the pixels of the QR codes, and how many facts passed (copies of a batch may stand in
    two or three status lists, as the days of the week have it). What failed or was not checked stays."""
    svg = re.sub(r'(<text[^>]*class="[^"]*\btime\b[^"]*"[^>]*>)[^<]*', r"\1", svg)
    svg = re.sub(r'data-facts="\d+/', 'data-facts="/', svg)
    svg = re.sub(r'<g class="facts">.*?</g>', "", svg, flags=re.S)
    return re.sub(r"base64,[A-Za-z0-9+/=]+", "base64,", svg)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(draw(sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))))
