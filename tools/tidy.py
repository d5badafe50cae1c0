#!/usr/bin/env python3
"""tidy.py [--all] [-j N] BUILD-FOLDER [FILE...]: clang-tidy over the program's sources, as BUILD-FOLDER compiles them.

A source that was clean is not looked at again until it, a header of ours that it includes, or .clang-tidy changes: the hash of all
these names an empty file in BUILD-FOLDER/tidy. --all forgets what was clean.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time

import source_tree as tree

NOT_MODELLED = ["core/err.c"]  # defines what the model redefines
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MODEL = os.path.join(ROOT, "tools", "analyzer_model.h")


def entries(build, wanted):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        for entry in json.load(f):
            path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), ROOT)
            if path.split("/")[0] in tree.LAYERS and (not wanted or path in wanted):
                yield path, entry


def key_of(entry):
    """The hash of everything of ours that decides what clang-tidy says; None if the preprocessor fails."""
    words = shlex.split(entry["command"])
    kept = [w for i, w in enumerate(words) if w not in ("-c", "-o") and words[i - 1] != "-o"]
    found = subprocess.run(kept + ["-MM"], cwd=entry["directory"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        return None
    hasher = hashlib.sha256(entry["command"].encode())
    paths = found.stdout.split(":", 1)[1].replace("\\\n", " ").split()
    for path in sorted(paths) + [os.path.join(ROOT, ".clang-tidy"), MODEL]:
        with open(os.path.join(entry["directory"], path), "rb") as f:
            hasher.update(f.read())
    return hasher.hexdigest()


def check(build, stamps, path, entry):
    """None if the file is unchanged since it was clean, else (path, output, passed)."""
    key = key_of(entry)
    stamp = os.path.join(stamps, key) if key else None
    if stamp and os.path.exists(stamp):
        return None
    model = [] if path in NOT_MODELLED else ["--extra-arg=-include", "--extra-arg=" + MODEL]
    run = subprocess.run(["clang-tidy", "--quiet", "-p", build, "--extra-arg=-Wno-unknown-warning-option", *model, os.path.join(ROOT, path)],
                         capture_output=True, text=True, check=False)
    if run.returncode == 0 and stamp:
        with open(stamp, "w", encoding="utf-8"):
            pass
    return path, run.stdout + (run.stderr if run.returncode else ""), run.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--all", action="store_true")
    parser.add_argument("-j", type=int, default=os.cpu_count())
    parser.add_argument("build")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    stamps = os.path.join(build, "tidy")
    if options.all:
        shutil.rmtree(stamps, ignore_errors=True)
    os.makedirs(stamps, exist_ok=True)
    work = dict(entries(build, set(options.files)))
    if not work:
        print("clang-tidy: nothing to check, which cannot be right")
        return 1
    begin, done, failed = time.monotonic(), 0, 0
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        jobs = [pool.submit(check, build, stamps, path, entry) for path, entry in sorted(work.items())]
        for job in concurrent.futures.as_completed(jobs):
            result = job.result()
            if result is None:
                continue
            done += 1
            failed += not result[2]
            if not result[2]:
                print(f"{result[0]}:\n{result[1]}", flush=True)
            elif done % 20 == 0:
                print(f"  {done} checked, {time.monotonic() - begin:.0f} s", flush=True)
    print(f"clang-tidy: {len(work)} files, {done} of them changed, {failed} with problems")
    return 1 if failed else 0


sys.exit(main())
