#!/usr/bin/env python3
"""stored.py ETCD-URL [AT-LEAST SECONDS]: how many objects of the four kinds of bench_posts.c a cluster holds.

Asks etcd itself, over one connection: counting by way of the API server takes from the two cores what it counts.
With AT-LEAST it waits until there are so many, and fails when there are not within SECONDS.
"""
import base64
import http.client
import json
import sys
import time

KINDS = ("configmaps", "secrets", "deployments", "serviceaccounts")
EVERY_S = 0.02


def text(key):
    return base64.b64encode(key.encode()).decode()


def count_of(kind):  # "0" is the byte after "/"
    return {"requestRange": {"key": text(f"/registry/{kind}/"), "range_end": text(f"/registry/{kind}0"), "count_only": True}}


QUESTION = json.dumps({"success": [count_of(kind) for kind in KINDS]})


def stored(etcd):
    etcd.request("POST", "/v3/kv/txn", QUESTION)
    answer = json.load(etcd.getresponse())
    return sum(int(r["response_range"].get("count", 0)) for r in answer["responses"])


def main():
    etcd = http.client.HTTPConnection(sys.argv[1].removeprefix("http://"), timeout=30)
    at_least, seconds = (int(sys.argv[2]), float(sys.argv[3])) if len(sys.argv) > 2 else (0, 0)
    end = time.monotonic() + seconds
    while (n := stored(etcd)) < at_least:
        if time.monotonic() > end:
            sys.exit(f"stored.py: {n} objects of {at_least} after {seconds:.0f} s")
        time.sleep(EVERY_S)
    print(n)


main()
