#!/usr/bin/env python3
"""send.py KUBECONFIG < LINES: sends requests over one connection, faster than one kubectl each.

A line is "METHOD PATH BODY"; the body is sent as it is. Prints how many were answered with 2xx, and the others; exit code 1
if there were others.
"""
import http.client
import sys
import urllib.parse

import compare


def main():
    server = compare.Server(sys.argv[1])
    address = urllib.parse.urlsplit(server.url)
    connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=30, context=server.tls)
    done, refused = 0, 0
    for line in sys.stdin:
        method, path, body = line.rstrip("\n").split(" ", 2)
        connection.request(method, path, body.encode(), {
            "Authorization": "Bearer " + server.token,
            "Content-Type": "application/merge-patch+json" if method == "PATCH" else "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        if answer.status < 300:
            done += 1
        else:
            refused += 1
            print("%s %s: %d %s" % (method, path, answer.status, text[:300].strip()))
    print("%d done, %d refused" % (done, refused))
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
