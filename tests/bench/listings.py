#!/usr/bin/env python3
"""listings.py DIR pages|plain|stream [PATH]: what one listing costs the API server of a cluster that kube.sh started in DIR.

pages: 500 objects at once, gzip, as resilog asks; plain: the same without gzip; stream: initial events of a watch (WatchList).
PATH is of the resource, /api/v1/configmaps by default. Restart the API server before each: what it took once it keeps.
"""
import http.client
import os
import re
import ssl
import sys
import time
import zlib

SETTLE_S = 5
PAGE = "limit=500"
STREAM = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"


def ask(connection, path, query, zipped):
    headers = {"Authorization": "Bearer admin-token"} | ({"Accept-Encoding": "gzip"} if zipped else {})
    connection.request("GET", f"{path}?{query}", headers=headers)
    answer = connection.getresponse()
    if answer.status != 200:
        sys.exit(f"listings.py: {answer.status} {answer.read()[:200]}")
    return answer


def pages(connection, path, zipped):
    requests, size, token = 0, 0, ""
    while requests == 0 or token:
        answer = ask(connection, path, PAGE + (f"&continue={token}" if token else ""), zipped)
        packed = answer.read()
        head = zlib.decompressobj(31).decompress(packed, 4096) if answer.getheader("Content-Encoding") else packed[:4096]
        found = re.search(rb'"continue":"([^"]+)"', head)
        requests, size, token = requests + 1, size + len(packed), found[1].decode() if found else ""
    return requests, size


def stream(connection, path, _):
    answer = ask(connection, path, STREAM, False)
    size, last = 0, b""
    while b"k8s.io/initial-events-end" not in last:
        piece = answer.read1(1 << 16)
        if not piece:
            sys.exit("listings.py: the stream ended before its listing did")
        size, last = size + len(piece), last[-64:] + piece
    return 1, size


def main():
    folder, way = sys.argv[1:3]
    path = sys.argv[3] if len(sys.argv) > 3 else "/api/v1/configmaps"
    with open(f"{folder}/kubeconfig") as config, open(f"{folder}/apiserver.pid") as number:
        host, proc = re.search(r'server: "https://([^"]*)"', config.read())[1], f"/proc/{number.read().strip()}"
    connection = http.client.HTTPSConnection(host, context=ssl._create_unverified_context())
    ask(connection, path, "limit=1", False).read()
    time.sleep(SETTLE_S)

    def cpu():
        with open(f"{proc}/stat") as stat:
            return sum(map(int, stat.read().rsplit(") ", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")

    def resident(which):
        with open(f"{proc}/status") as status:
            return int(re.search(which + r":\s+(\d+)", status.read())[1]) / 1024

    with open(f"{proc}/clear_refs", "w") as clear:
        clear.write("5")  # the peak begins anew
    before, used, begin = resident("VmRSS"), cpu(), time.monotonic()
    requests, size = (stream if way == "stream" else pages)(connection, path, way == "pages")
    print(f"{way}: {requests} requests, {time.monotonic() - begin:.2f} s, {size / 2**20:.1f} MiB, "
          f"the server's CPU {cpu() - used:.2f} s, its memory {before:.0f} MiB, at most {resident('VmHWM'):.0f}")


main()
