#!/usr/bin/env python3
"""live_report.py EVENTS DIAGNOSTICS BARE-P50 BARE-P99 BARE-MOST: where the time of each copied change went.

EVENTS are those of `resilog log show -o jsonl`: an event's time is that at which its bytes had been read from the watch. DIAGNOSTICS
are those of `run --log-level debug`; both are of the same clock. Bare: milliseconds of a GET and its PUT.
"""
import datetime
import json
import sys


def ms(text):  # RFC 3339 with nanoseconds, more than datetime takes
    whole, fraction = text.rstrip("Z").split(".")
    seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
    return seconds * 1e3 + int(fraction.ljust(9, "0")) / 1e6


def read_diagnostics(path):
    """{offset: when it was durable}, {(name, version): when it was asked for}, {...: when its PUT was answered}"""
    durable, asked, answered = {}, {}, {}
    with open(path, encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            at, what = ms(line["timestamp"]), line["msg"]
            if what == "rlog append":
                durable.update((line["first"] + i, at) for i in range(line["events"]))
            times = {"reading object from cluster": asked, "object updated in cluster": answered}.get(what)
            if times is not None:
                of = line["sourceObject"]
                times.setdefault((of["name"], of["resourceVersion"]), at)
    return durable, asked, answered


def percentiles(times):
    times = sorted(times)
    n = len(times)
    return times[n // 2], times[n - 1 - n // 100], times[-1]


def main():
    durable, asked, answered = read_diagnostics(sys.argv[2])
    bare = [float(a) for a in sys.argv[3:6]]
    stages = {"watch read -> durable": [], "durable -> GET sent": [], "GET sent -> PUT answered": [],
              "durable -> PUT answered": [], "watch read -> PUT answered": []}
    with open(sys.argv[1], encoding="utf-8") as events:
        for ev in map(json.loads, events):
            of = (ev["key"].rsplit("/", 1)[1], ev["resourceVersion"])
            if of not in answered:
                continue
            t = ms(ev["time"]), durable[ev["offset"]], asked[of], answered[of]
            for stage, took in zip(stages.values(), (t[1] - t[0], t[2] - t[1], t[3] - t[2], t[3] - t[1], t[3] - t[0])):
                stage.append(took)
    print(f"{len(stages['durable -> PUT answered'])} changes; milliseconds: p50, p99, most")
    for name, times in stages.items():
        print("  %-28s %7.2f %7.2f %7.2f" % (name, *percentiles(times)))
    print("  %-28s %7.2f %7.2f %7.2f" % ("bare client: GET and PUT", *bare))
    print("ratio of the p99 (durable -> PUT answered): %.2f" % (percentiles(stages["durable -> PUT answered"])[1] / bare[1]))


main()
