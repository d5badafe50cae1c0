#!/usr/bin/env python3
"""zk_compare.py DUMP DUMP [--least N] [--but REGEX] [--ahead REGEX]: whether two trees as zk_tool dumps them are equal.

Data, null data, ACL and the next sequential number of every node count, and no node may be there on one side only. Ephemeral
nodes of the first do not count, nor what is below /zookeeper, nor (--but) paths in which the regular expression is found.
A node whose path --ahead matches may have a higher next number in the second: a copy's number is never lowered, not even
when the source's node was deleted and made anew. Prints what differs, 20 lines at most; exit code 0 if nothing does and at least N nodes were compared.
"""
import argparse
import json
import re
import sys

COUNTED = ("text", "hex", "acl", "next", "error")


def read(path, but):
    nodes = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            node = json.loads(line)
            servers_own = node["path"] == "/zookeeper" or node["path"].startswith("/zookeeper/")
            if not node.get("owner") and not servers_own and not (but and re.search(but, node["path"])):
                nodes[node["path"]] = {name: node.get(name) for name in COUNTED}
    return nodes


def is_ahead(one, two, name):
    return name == "next" and two["next"] > one["next"]


def differences(here, there, ahead):
    for path in sorted(here.keys() | there.keys()):
        one, two = here.get(path), there.get(path)
        if one is None or two is None:
            yield "%s: only in the %s" % (path, "second" if one is None else "first")
            continue
        for name in COUNTED:
            may = ahead and is_ahead(one, two, name) and re.search(ahead, path)
            if one[name] != two[name] and not may:
                yield "%s: %s %.80r is not %.80r" % (path, name, one[name], two[name])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("first")
    parser.add_argument("second")
    parser.add_argument("--least", type=int, default=1)
    parser.add_argument("--but")
    parser.add_argument("--ahead")
    args = parser.parse_args()
    here, there = read(args.first, args.but), read(args.second, args.but)
    found = list(differences(here, there, args.ahead))
    print("\n".join(found[:20]))
    if len(here) < args.least:
        found.append("too few")
        print("%d nodes, at least %d are expected" % (len(here), args.least))
    sys.exit(1 if found else 0)


main()
