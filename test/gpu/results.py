"""The page of one card for docs/gpu-results, from the files that first-light.sh left.

    results.py <out> > docs/gpu-results/<card>.md

Where a stage ran several times the last run counts.
"""

import json
import os
import re
import sys

# What `framepack doctor` says about the device.
DEVICE = re.compile(r"name ([^,\n]+), architecture (\w+), driver ([^,\n]+)(?:, diagnostics \d+)?, memory ([^,\n]+), tier ([^\n]+)")
COMMIT = re.compile(r"^commit ([0-9a-f]{7,40})$", re.MULTILINE)


def lines(file):
    if not os.path.exists(file):
        return []
    with open(file) as text:
        return [json.loads(line) for line in text]


def latest(rows, *keys):
    """The last row of each value of the keys, in the order in which these first came."""
    found = {}
    for row in rows:
        found[tuple(row.get(key) for key in keys)] = row
    return list(found.values())


def table(titles, rows):
    yield "| " + " | ".join(titles) + " |"
    yield "|" + "---|" * len(titles)
    for row in rows:
        yield "| " + " | ".join("" if cell is None else str(cell) for cell in row) + " |"


def number(value, digits):
    return None if value is None else f"{value:.{digits}f}"


def timing(row):
    name = f"{row['suite']}: {row['name']}"
    own = [name, row["dtype"], number(row["median_ms"], 3), f"{100 * row['spread']:.0f} %"]
    rates = [number(row["tflops"], 1), number(row["gbytes_per_s"], 0)]
    rival = row["compare"].get("torch")
    if rival is None:
        return [*own, *rates, None, None]
    verdict = "wrong" if rival["is_inexact"] else rival["variant"]
    return [*own, *rates, number(rival["ratio"], 2), verdict]


def page(out):
    log = ""
    if os.path.exists(f"{out}/all.log"):
        with open(f"{out}/all.log", errors="replace") as file:
            log = file.read()
    device = DEVICE.search(log)
    if device is None:
        sys.exit(f"{out}/all.log: expected the stage doctor with an open device, got none")
    name, architecture, driver, memory, tier = device.groups()
    commit = COMMIT.search(log)
    yield f"# {name}"
    yield ""
    facts = [["architecture", architecture], ["driver", driver], ["memory", memory], ["tier", tier]]
    yield from table(["", ""], [*facts, ["commit", commit and commit[1]]])
    yield "\n## Stages\n"
    stages = latest(lines(f"{out}/summary.jsonl"), "stage")
    keys = ["stage", "status", "seconds", "failures", "last"]
    titles = ["stage", "status", "s", "failures", "last line"]
    yield from table(titles, [[stage.get(key) for key in keys] for stage in stages])
    yield "\n## Results with the bits of the virtual driver\n"
    families = latest(lines(f"{out}/hashes.jsonl"), "family")
    keys = ["family", "same", "different", "virtual only", "real only"]
    yield from table(keys, [[family.get(key, 0) for key in keys] for family in families])
    yield "\n## Times\n"
    rows = latest(lines(f"{out}/timings.jsonl"), "suite", "name", "dtype")
    if not rows:
        yield "None were taken."
        return
    titles = ["what", "dtype", "ms", "spread", "TFLOP/s", "GB/s", "PyTorch / ours", "of PyTorch"]
    yield from table(titles, map(timing, rows))


print("\n".join(page(sys.argv[1])))
