#!/usr/bin/env python3
"""count_tests.py [--none-skipped] FILE...: sums JUnit reports of ctest and bats; prints "PASSED FAILED SKIPPED", and names what
failed or was skipped on stderr. --none-skipped: a skip is a failure. A file that is missing or broken counts as one failure."""

import sys
import xml.etree.ElementTree as ElementTree


def first(case, *tags):
    for tag in tags:
        found = case.find(tag)
        if found is not None:
            return found
    return None


def count(path, totals, none_skipped):
    try:
        cases = list(ElementTree.parse(path).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError) as problem:
        print(f"failed: no report: {problem}", file=sys.stderr)
        totals[1] += 1
        return
    for case in cases:
        name = case.get("name", "?")
        skipped = first(case, "skipped")
        if first(case, "failure", "error") is not None or case.get("status") == "fail":
            totals[1] += 1
            print(f"failed: {name}", file=sys.stderr)
        elif skipped is not None or case.get("status") in ("notrun", "disabled"):
            totals[1 if none_skipped else 2] += 1
            reason = (skipped.get("message") or skipped.text or "").strip() if skipped is not None else ""
            word = f"failed: {name}: skipped" if none_skipped else f"skipped: {name}"
            print(f"{word}{': ' if reason else ''}{reason}", file=sys.stderr)
        else:
            totals[0] += 1


def main():
    totals = [0, 0, 0]
    none_skipped = sys.argv[1:2] == ["--none-skipped"]
    for path in sys.argv[1 + none_skipped:]:
        count(path, totals, none_skipped)
    print(*totals)


main()
