"""Whether a rehearsal on the virtual driver went as it must.

    check_rehearsal.py <out> <stage> ...

Every stage ended with status 0, every hash is that of the packed run, the output is valid, and the card's page can be
made of it. Ends with
`N passed, N failed, N skipped`.
"""

import json
import os
import subprocess
import sys

MAX_FILES = 6


def lines(file):
    with open(file) as text:
        return [json.loads(line) for line in text]


def faults(out, stages):
    """Yields what is wrong, or nothing, once for every statement."""
    ended = {line["stage"]: line for line in lines(f"{out}/summary.jsonl")}
    for stage in stages:
        status = ended.get(stage, {}).get("status")
        yield "" if status == 0 else f"stage {stage}: expected status 0, got {status}"
    families = [stage.removeprefix("kernels-") for stage in stages if stage.startswith("kernels-")]
    hashes = {line["family"]: line for line in lines(f"{out}/hashes.jsonl")}
    for family in families:
        counts = {k: v for k, v in hashes.get(family, {}).items() if isinstance(v, int)}
        yield "" if set(counts) == {"same"} else f"hashes of {family}: expected same only, got {counts}"
    files = os.listdir(out)
    yield "" if len(files) <= MAX_FILES else f"expected at most {MAX_FILES} files, got {files}"
    frame = b""
    if "frame.png" in files:
        with open(f"{out}/frame.png", "rb") as file:
            frame = file.read(8)
    maker = os.path.join(os.path.dirname(__file__), "results.py")
    page = subprocess.run([sys.executable, maker, out], capture_output=True, text=True)
    wanted = ["# CUDA simulator", *(f"| {name} |" for name in [*stages, *families])]
    missing = [start for start in wanted if not any(x.startswith(start) for x in page.stdout.split("\n"))]
    yield "" if not missing else f"page of the card: expected {missing}, got {page.stdout}{page.stderr}"
    yield "" if frame == b"\x89PNG\r\n\x1a\n" else "frame.png: expected a PNG file"


def main():
    found = list(faults(sys.argv[1], sys.argv[2:]))
    failed = [fault for fault in found if fault]
    for fault in failed:
        print(f"FAIL {fault}")
    print(f"{len(found) - len(failed)} passed, {len(failed)} failed, 0 skipped")
    sys.exit(1 if failed else 0)


main()
