#!/usr/bin/env python3
"""churn.py KUBECONFIG NAMESPACE SEED STOP-FILE [--most N] [--names N] [--pause SECONDS]

Creates, changes and deletes ConfigMaps and Secrets of a namespace in a seeded random order, until STOP-FILE is there or N
requests were sent. A server that is away is tried again. Prints how many requests were answered; exit code 0.
"""
import argparse
import json
import os
import random
import sys
import time
import urllib.error
import urllib.request

import compare


class Churn:
    def __init__(self, args):
        self.args = args
        self.server = compare.Server(args.kubeconfig)
        self.random = random.Random(args.seed)
        self.counts = {"POST": 0, "PUT": 0, "DELETE": 0, "refused": 0, "away": 0}

    def send(self, method, path, body=None):
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self.server.url + path, data=data, method=method, headers={
            "Authorization": "Bearer " + self.server.token, "Content-Type": "application/json"})
        try:
            with self.server.opener.open(request, timeout=5):
                self.counts[method] += 1
        except urllib.error.HTTPError:
            self.counts["refused"] += 1  # it exists already, or does not: the next roll of the dice
        except OSError:
            self.counts["away"] += 1
            time.sleep(0.1)

    def step(self, number):
        kind, plural = self.random.choice([("ConfigMap", "configmaps"), ("Secret", "secrets")])
        name = "churn-%d" % self.random.randrange(self.args.names)
        base = "/api/v1/namespaces/%s/%s" % (self.args.namespace, plural)
        value = "%d-%s" % (number, "x" * self.random.randrange(2000))
        body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name},
                "data" if kind == "ConfigMap" else "stringData": {"value": value}}
        method = self.random.choices(["POST", "PUT", "DELETE"], [4, 4, 2])[0]
        if method == "POST":
            self.send(method, base, body)
        else:
            self.send(method, base + "/" + name, body if method == "PUT" else None)

    def run(self):
        number = 0
        while number < self.args.most and not os.path.exists(self.args.stop):
            self.step(number)
            number += 1
            time.sleep(self.args.pause)
        print("churn:", ", ".join("%s %d" % pair for pair in self.counts.items()))


def main():
    parser = argparse.ArgumentParser(description="changes objects at random")
    parser.add_argument("kubeconfig")
    parser.add_argument("namespace")
    parser.add_argument("seed", type=int)
    parser.add_argument("stop")
    parser.add_argument("--most", type=int, default=20000)
    parser.add_argument("--names", type=int, default=60)
    parser.add_argument("--pause", type=float, default=0.005)
    Churn(parser.parse_args()).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
