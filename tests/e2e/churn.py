#!/usr/bin/env python3
"""churn.py KUBECONFIG NAMESPACE SEED STOP-FILE [--all] [--most N] [--names N] [--pause SECONDS]

Creates, changes and deletes objects of a namespace in a seeded random order, until STOP-FILE is there or N requests were
sent: ConfigMaps and Secrets, with --all objects of every kind below. A server that is away is tried again. Prints how many
requests were answered; exit code 0.
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


def pods(name, value):
    return {"metadata": {"labels": {"app": name}},
            "spec": {"restartPolicy": "Always", "containers": [
                {"name": "main", "image": "example.org/none", "env": [{"name": "VALUE", "value": value[:200]}]}]}}


def workload(name, value, number):
    return {"spec": {"replicas": number % 3, "selector": {"matchLabels": {"app": name}}, "template": pods(name, value)}}


def stateful(name, value, number):
    return {"spec": dict(workload(name, value, number)["spec"], serviceName=name)}


def daemon(name, value, number):
    return {"spec": {"selector": {"matchLabels": {"app": name}}, "template": pods(name, value)}}


def cron(name, value, number):
    template = pods(name, value)
    template["spec"]["restartPolicy"] = "Never"
    return {"spec": {"schedule": "%d 3 29 2 *" % (number % 60), "jobTemplate": {"spec": {"template": template}}}}


def service(name, value, number):
    return {"spec": {"selector": {"app": name}, "ports": [{"port": 80 + number % 7, "name": "web"}]}}


def ingress(name, value, number):
    backend = {"service": {"name": name, "port": {"number": 80 + number % 7}}}
    return {"spec": {"rules": [{"host": name + ".example.org", "http": {"paths": [
        {"path": "/%d" % (number % 5), "pathType": "Prefix", "backend": backend}]}}]}}


def policy(name, value, number):
    return {"spec": {"podSelector": {"matchLabels": {"app": name}}, "policyTypes": ["Ingress", "Egress"][:1 + number % 2]}}


def binding(name, value, number):
    return {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "churn-%d" % (number % 3)},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "churn"}]}


def widget(name, value, number):
    return {"spec": {"size": number, "exact": 9007199254740993, "list": [None, {}, [], value]}, "ratio": 1.0}


# kind: (API, plural, method of a change, the members beside metadata). A custom resource is not replaced without a version.
SMALL = {
    "ConfigMap": ("/api/v1", "configmaps", "PUT", lambda name, value, number: {"data": {"value": value}}),
    "Secret": ("/api/v1", "secrets", "PUT", lambda name, value, number: {"stringData": {"value": "MARKER-" + value}}),
}
ALL = dict(SMALL, **{
    "Service": ("/api/v1", "services", "PUT", service),
    "ServiceAccount": ("/api/v1", "serviceaccounts", "PUT",
                       lambda name, value, number: {"automountServiceAccountToken": number % 2 == 0}),
    "Deployment": ("/apis/apps/v1", "deployments", "PUT", workload),
    "StatefulSet": ("/apis/apps/v1", "statefulsets", "PUT", stateful),
    "DaemonSet": ("/apis/apps/v1", "daemonsets", "PUT", daemon),
    "CronJob": ("/apis/batch/v1", "cronjobs", "PUT", cron),
    "Ingress": ("/apis/networking.k8s.io/v1", "ingresses", "PUT", ingress),
    "NetworkPolicy": ("/apis/networking.k8s.io/v1", "networkpolicies", "PUT", policy),
    "Role": ("/apis/rbac.authorization.k8s.io/v1", "roles", "PUT", lambda name, value, number: {
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"][:1 + number % 3]}]}),
    "RoleBinding": ("/apis/rbac.authorization.k8s.io/v1", "rolebindings", "PUT", binding),
    "Widget": ("/apis/example.com/v1", "widgets", "PATCH", widget),
})
PATCH_TYPE = "application/merge-patch+json"


class Churn:
    def __init__(self, args):
        self.args = args
        self.server = compare.Server(args.kubeconfig)
        self.random = random.Random(args.seed)
        self.kinds = ALL if args.all else SMALL
        self.counts = {"POST": 0, "PUT": 0, "PATCH": 0, "DELETE": 0, "refused": 0, "away": 0}

    def send(self, method, path, body=None):
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self.server.url + path, data=data, method=method, headers={
            "Authorization": "Bearer " + self.server.token,
            "Content-Type": PATCH_TYPE if method == "PATCH" else "application/json"})
        try:
            with self.server.opener.open(request, timeout=5):
                self.counts[method] += 1
        except urllib.error.HTTPError:
            self.counts["refused"] += 1  # it exists already, or does not: the next roll of the dice
        except OSError:
            self.counts["away"] += 1
            time.sleep(0.1)

    def step(self, number):
        kind = self.random.choice(list(self.kinds))
        api, plural, change, members = self.kinds[kind]
        name = "churn-%d" % self.random.randrange(self.args.names)
        base = "%s/namespaces/%s/%s" % (api, self.args.namespace, plural)
        body = {"apiVersion": api.removeprefix("/apis/").removeprefix("/api/"), "kind": kind, "metadata": {"name": name}}
        body.update(members(name, "%d-%s" % (number, "x" * self.random.randrange(2000)), number))
        method = self.random.choices(["POST", change, "DELETE"], [4, 4, 2])[0]
        if method == "POST":
            self.send(method, base, body)
        else:
            self.send(method, base + "/" + name, body if method == change else None)

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
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--most", type=int, default=20000)
    parser.add_argument("--names", type=int, default=60)
    parser.add_argument("--pause", type=float, default=0.005)
    Churn(parser.parse_args()).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
