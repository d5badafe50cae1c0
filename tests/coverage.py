#!/usr/bin/env python3
"""coverage.py BUILD: line coverage by folder, from what the programs of a build with preset coverage left when they ran.

What no program of the run links counts as lines that did not run."""

import collections
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import source_tree as tree  # noqa: E402


def objects(build):
    """The .gcno files below build: one for each object that was compiled."""
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(build) for name in names if name.endswith(".gcno"))


def add_lines(path, seen):
    """Adds to seen[file][line] whether it ran, for the sources of the layers."""
    text = subprocess.run(["gcov", "--json-format", "--stdout", path], check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        report = json.loads(line)
        for source in report["files"]:
            name = os.path.relpath(os.path.join(report["current_working_directory"], source["file"]), ROOT)
            if name.split(os.sep)[0] in tree.LAYERS:
                for entry in source["lines"]:
                    seen[name][entry["line_number"]] |= entry["count"] > 0


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    seen = collections.defaultdict(lambda: collections.defaultdict(bool))
    for path in objects(sys.argv[1]):
        add_lines(path, seen)
    if not any(any(lines.values()) for lines in seen.values()):
        sys.exit(f"coverage: nothing has run in {sys.argv[1]}: build it with preset coverage and run its tests")
    folders = collections.defaultdict(lambda: [0, 0])
    for name, lines in seen.items():
        for key in (name.split(os.sep)[0], "all"):
            folders[key][0] += sum(lines.values())
            folders[key][1] += len(lines)
    for key in [*tree.LAYERS, "all"]:
        ran, total = folders.get(key, (0, 0))
        if total:
            print(f"{key:12} {100 * ran / total:5.1f} %  {ran} of {total} lines")


main()
