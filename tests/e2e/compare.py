#!/usr/bin/env python3
"""compare.py SOURCE-KUBECONFIG DESTINATION-KUBECONFIG --resource GROUP/VERSION/RESOURCE... [OPTIONS]

Reads two API servers and says whether the destination holds what the source holds, byte for byte in every member
that is copied. What the copy rules leave out is removed from both sides first: server-made metadata, status,
marks, addresses and ports that the API server chose, what controllers write. The rules are written down here a
second time on purpose: a comparison that used resilog's own table would not notice a mistake in it.

  --resource G/V/R ...      which kinds; the core group is empty: /v1/configmaps
  --namespaces NS ...       only objects of these namespaces, and cluster-scoped ones
  --names REGEX             only objects whose name matches
  --patch G/V/R=JSON        the transformation of that kind (a list of add, replace and remove); may be repeated
  --effects                 Jobs and CronJobs arrive as they are, not suspended
  --least N                 fail if fewer than N objects were compared (default 1)

In place of a kubeconfig a folder may be given that holds what the server would answer: api/v1/configmaps.json and so on.

Objects of the destination that carry no mark of resilog are nobody's business unless the source has them, too.
Exit code 0: equal; 1: different, with a line for each difference; 2: cannot tell.
"""
import argparse
import base64
import json
import os
import re
import ssl
import sys
import urllib.request

PAGE = 500
OWNER = "sync.resilog.io/owner"
MARKS = "sync.resilog.io/"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
TOKEN = re.compile(r'\s*("[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+)')

# Paths that are never copied: segments, "*" for all, a final "x*" for what begins so.
META = ["uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
        "selfLink", "managedFields", "generateName", "ownerReferences", "finalizers"]
COMMON = ["status"] + ["metadata " + m for m in META] + ["metadata annotations " + MARKS + "*"]
JOB = ["spec selector"] + [
    place + " " + label
    for place in ("metadata labels", "spec template metadata labels")
    for label in ("controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name")]
CUTS = {
    "/namespaces": ["spec finalizers"],
    "/services": ["spec healthCheckNodePort"],
    "/persistentvolumeclaims": ["spec volumeName", "metadata annotations pv.kubernetes.io/*",
                                "metadata annotations volume.kubernetes.io/selected-node",
                                "metadata annotations volume.kubernetes.io/storage-provisioner"],
    "/persistentvolumes": ["metadata annotations pv.kubernetes.io/*", "spec claimRef uid",
                           "spec claimRef resourceVersion"],
    "apps/deployments": ["metadata annotations deployment.kubernetes.io/*"],
    "apps/replicasets": ["metadata annotations deployment.kubernetes.io/*"],
    "apps/daemonsets": ["metadata annotations deprecated.daemonset.template.generation"],
    "batch/jobs": ["metadata annotations batch.kubernetes.io/job-tracking", "spec ttlSecondsAfterFinished"],
    "/pods": ["spec nodeName", "spec priority", "spec ephemeralContainers"],
}
SUSPENDED = ("batch/jobs", "batch/cronjobs")
# Objects that every cluster makes for itself: (group/resource, test of the object).
RBAC = "rbac.authorization.k8s.io/"
OWN = {
    "/configmaps": lambda o: name_of(o) in ("kube-root-ca.crt", "extension-apiserver-authentication", "cluster-info",
                                            "kube-apiserver-legacy-service-account-token-tracking") or is_noted(
                                                o, "control-plane.alpha.kubernetes.io/leader"),
    "/services": lambda o: name_of(o) == "kubernetes",
    "/endpoints": lambda o: name_of(o) == "kubernetes" or is_noted(o, "endpoints.kubernetes.io/last-change-trigger-time"),
    "discovery.k8s.io/endpointslices": lambda o: name_of(o) == "kubernetes" or text((
        dig(o, "metadata", "labels") or {}).get('"endpointslice.kubernetes.io/managed-by"')).endswith("controller.k8s.io"),
    "networking.k8s.io/servicecidrs": lambda o: name_of(o) == "kubernetes",
    "apiregistration.k8s.io/apiservices": lambda o: '"kube-aggregator.kubernetes.io/automanaged"' in (
        dig(o, "metadata", "labels") or {}),
    "flowcontrol.apiserver.k8s.io/flowschemas": lambda o: is_noted(o, "apf.kubernetes.io/autoupdate-spec"),
    "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations": lambda o: is_noted(o, "apf.kubernetes.io/autoupdate-spec"),
    "/secrets": lambda o: text(o.get('"type"')) in ("kubernetes.io/service-account-token",
                                                    "bootstrap.kubernetes.io/token"),
    "scheduling.k8s.io/priorityclasses": lambda o: name_of(o).startswith("system-"),
    "batch/jobs": lambda o: any(text(c.get('"type"')) in ("Complete", "Failed")
                                for c in dig(o, "status", "conditions") or []),
    RBAC + "roles": lambda o: is_system(o), RBAC + "rolebindings": lambda o: is_system(o),
    RBAC + "clusterroles": lambda o: is_system(o), RBAC + "clusterrolebindings": lambda o: is_system(o),
}


def parse(source):
    """JSON as dict, list and str, where keys, numbers, strings and words stay the text that the server sent."""
    root, stack, key = [], [], None
    top = root
    for found in TOKEN.finditer(source):
        token = found.group(1)
        if token in ",:":
            continue
        if token in "}]":
            top, key = stack.pop()
            continue
        if isinstance(top, dict) and key is None:
            key = token if token not in top else token + " again"
            continue
        value = {} if token == "{" else [] if token == "[" else token
        if isinstance(top, dict):
            top[key] = value
        else:
            top.append(value)
        if token in "{[":
            stack.append((top, None))
            top = value
        key = None
    return root[0]


def text(scalar):
    return json.loads(scalar) if isinstance(scalar, str) else ""


def dig(node, *names):
    for name in names:
        if not isinstance(node, dict):
            return None
        node = node.get('"%s"' % name)
    return node


def name_of(obj):
    return text(dig(obj, "metadata", "name"))


def full_name(obj):
    namespace = text(dig(obj, "metadata", "namespace"))
    return namespace + "/" + name_of(obj)


def is_noted(obj, annotation):
    return '"%s"' % annotation in (dig(obj, "metadata", "annotations") or {})


def is_system(obj):
    labels = dig(obj, "metadata", "labels") or {}
    return name_of(obj).startswith("system:") or text(labels.get('"kubernetes.io/bootstrapping"')) == "rbac-defaults"


class Server:
    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            config = f.read()
        self.url = re.search(r'server: "?([^",}\s]+)', config).group(1)
        self.token = re.search(r'token: "?([^",}\s]+)', config).group(1)
        authority = base64.b64decode(re.search(r"certificate-authority-data: ([^,}\s]+)", config).group(1))
        self.tls = ssl.create_default_context(cadata=authority.decode())
        self.tls.check_hostname = False  # the test servers' certificates name localhost only
        self.opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=self.tls),
                                                  urllib.request.ProxyHandler({}))

    def get(self, path):
        request = urllib.request.Request(self.url + path, headers={
            "Authorization": "Bearer " + self.token, "Accept": "application/json"})
        with self.opener.open(request, timeout=20) as answer:
            return parse(answer.read().decode("utf-8"))

    def list(self, resource):
        """All objects of "group/version/resource", and their kind."""
        group, version, plural = resource.split("/")
        base = ("/apis/%s/%s/%s" % (group, version, plural)) if group else "/api/%s/%s" % (version, plural)
        items, more = [], ""
        while True:
            page = self.get("%s?limit=%d%s" % (base, PAGE, "&continue=" + more if more else ""))
            items += page.get('"items"') if isinstance(page.get('"items"'), list) else []
            more = text(dig(page, "metadata", "continue"))
            if not more:
                return items, text(page['"kind"'])[:-len("List")]


class Folder(Server):
    def __init__(self, path):
        self.path = path

    def get(self, path):
        with open(self.path + path.partition("?")[0] + ".json", encoding="utf-8") as f:
            return parse(f.read())


def server_of(path):
    return Folder(path) if os.path.isdir(path) else Server(path)


def cut(node, path):
    """Removes a path; what it leaves empty goes, too, as the API server drops it."""
    if not isinstance(node, dict):
        return
    first, _, rest = path.partition(" ")
    for key in list(node):
        name = text(key.split(" again")[0])
        if name != first and not (first.endswith("*") and name.startswith(first[:-1])):
            continue
        if not rest:
            del node[key]
        elif node[key]:
            cut(node[key], rest)
            if not node[key]:
                del node[key]


def chosen_ports(service):
    """(port, protocol) of the ports whose nodePort a person asked for."""
    chosen = set()
    applied = dig(service, "metadata", "annotations", LAST_APPLIED)
    for port in json.loads(text(applied)).get("spec", {}).get("ports", []) if applied else []:
        if port.get("nodePort"):
            chosen.add((str(port["port"]), port.get("protocol", "TCP")))
    for entry in dig(service, "metadata", "managedFields") or []:
        for key, fields in (dig(entry, "fieldsV1", "f:spec", "f:ports") or {}).items():
            if text(key).startswith("k:") and '"f:nodePort"' in fields:
                port = json.loads(text(key)[2:])
                chosen.add((str(port["port"]), port.get("protocol", "TCP")))
    return chosen


def cut_service(service, chosen):
    spec = service['"spec"']
    for name in ('"clusterIP"', '"clusterIPs"'):
        if spec.get(name) not in ('"None"', ['"None"']):
            spec.pop(name, None)
    for port in spec.get('"ports"', []):
        if (port.get('"port"'), text(port.get('"protocol"', '"TCP"'))) not in chosen:
            port.pop('"nodePort"', None)


def cut_tokens(account):
    name = name_of(account)
    for member in ('"secrets"', '"imagePullSecrets"'):
        own = re.compile(re.escape(name) + "-(token|dockercfg)-")
        kept = [s for s in account.get(member, []) if not own.match(text(s.get('"name"', '""')))]
        if kept:
            account[member] = kept
        else:
            account.pop(member, None)


def cut_token_mounts(pod):
    spec = pod['"spec"']
    for holder in [spec] + spec.get('"containers"', []) + spec.get('"initContainers"', []):
        for member in ('"volumes"', '"volumeMounts"'):
            kept = [v for v in holder.pop(member, []) if not text(v['"name"']).startswith("kube-api-access-")]
            if kept:
                holder[member] = kept


def is_injected(obj):
    return any(text(a).startswith(("cert-manager.io/inject", "service.beta.openshift.io/inject"))
               for a in dig(obj, "metadata", "annotations") or {})


def cut_bundles(obj):
    cut(obj, "spec conversion webhook clientConfig caBundle")
    cut(obj, "spec caBundle")
    for webhook in obj.get('"webhooks"', []):
        cut(webhook, "clientConfig caBundle")


def project(obj, kind, chosen):
    """What of the object is copied: kind is "group/resource"."""
    if kind == "/services":
        cut_service(obj, chosen)
    if kind == "/serviceaccounts":
        cut_tokens(obj)
    if kind == "/pods":
        cut_token_mounts(obj)
    if kind == RBAC + "clusterroles" and '"aggregationRule"' in obj:
        cut(obj, "rules")
    if is_injected(obj):
        cut_bundles(obj)
    manual = kind == "batch/jobs" and dig(obj, "spec", "manualSelector") == "true"
    for path in COMMON + CUTS.get(kind, []) + (JOB if kind == "batch/jobs" and not manual else []):
        cut(obj, path)
    obj.pop('"apiVersion"', None)
    obj.pop('"kind"', None)
    return obj


def apply_patch(obj, operations):
    for operation in operations:
        parent, names = obj, [n.replace("~1", "/").replace("~0", "~") for n in operation["path"].split("/")[1:]]
        for name in names[:-1]:
            parent = parent[int(name)] if isinstance(parent, list) else parent.get(json.dumps(name))
            if parent is None:
                break
        last = names[-1]
        value = parse(json.dumps(operation.get("value"), ensure_ascii=False))
        if isinstance(parent, list):
            at = len(parent) if last == "-" else int(last)
            if operation["op"] == "add":
                parent.insert(at, value)
            elif operation["op"] == "remove":
                parent.pop(at)
            else:
                parent[at] = value
        elif parent is not None and operation["op"] == "remove":
            parent.pop(json.dumps(last), None)
        elif parent is not None and (operation["op"] == "add" or json.dumps(last) in parent):
            parent[json.dumps(last)] = value


def short(node, secret):
    if node is None:
        return "nothing"
    if secret:
        return "a value (not shown)"
    shown = node if isinstance(node, str) else json.dumps(node)
    return shown if len(shown) <= 80 else "%s... (%d characters)" % (shown[:80], len(shown))


def differences(a, b, path, secret):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in list(a) + [k for k in b if k not in a]:
            yield from differences(a.get(key), b.get(key), path + "/" + text(key.split(" again")[0]), secret)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, pair in enumerate(zip(a, b)):
            yield from differences(*pair, "%s/%d" % (path, i), secret)
    elif a != b:
        yield "%s: source %s, destination %s" % (path, short(a, secret), short(b, secret))


class Comparison:
    def __init__(self, args):
        self.args = args
        self.source, self.destination = server_of(args.source), server_of(args.destination)
        self.identity = text(dig(self.destination.get("/api/v1/namespaces/kube-system"), "metadata", "uid"))
        self.patches = {p.split("=", 1)[0]: json.loads(p.split("=", 1)[1]) for p in args.patch}
        self.lists = {r: self.source.list(r) for r in args.resource}
        self.kinds = {kind for _, kind in self.lists.values()}
        self.compared = 0

    def selected(self, obj, kind):
        namespace = text(dig(obj, "metadata", "namespace"))
        if self.args.namespaces and namespace and namespace not in self.args.namespaces:
            return False
        if kind == "/namespaces" and self.args.namespaces and name_of(obj) not in self.args.namespaces:
            return False
        return not self.args.names or re.search(self.args.names, name_of(obj))

    def copied(self, obj, kind):
        if kind in OWN and OWN[kind](obj) or dig(obj, "metadata", "deletionTimestamp"):
            return False
        owners = dig(obj, "metadata", "ownerReferences") or []
        return not any(o.get('"controller"') == "true" and text(o['"kind"']) in self.kinds for o in owners)

    def mark_trouble(self, obj, kind):
        mark = text((dig(obj, "metadata", "annotations") or {}).get('"%s"' % OWNER))
        expected = "v1 %s [0-9a-f]{16} %s/%s( adopted)?" % (
            re.escape(self.identity), re.escape(kind), re.escape(full_name(obj)))
        return None if re.fullmatch(expected, mark) else "the owner mark is %s" % (repr(mark) if mark else "missing")

    def pair(self, a, b, resource, kind):
        trouble = self.mark_trouble(b, kind)
        if trouble:
            yield trouble
        chosen = chosen_ports(a) if kind == "/services" else set()
        a, b = project(a, kind, chosen), project(b, kind, chosen)
        apply_patch(a, self.patches.get(resource, []))
        if kind in SUSPENDED and not self.args.effects:
            a['"spec"']['"suspend"'] = "true"
        yield from differences(a, b, "", kind == "/secrets")

    def resource(self, resource):
        group, _, plural = resource.split("/")
        kind = group + "/" + plural
        wanted = {full_name(o): o for o in self.lists[resource][0] if self.selected(o, kind) and self.copied(o, kind)}
        there = {full_name(o): o for o in self.destination.list(resource)[0] if self.selected(o, kind)}
        for name, obj in sorted(there.items()):
            # A controller hands its object's annotations down: only a mark that names the object itself counts.
            ours = not self.mark_trouble(obj, kind) and not dig(obj, "metadata", "deletionTimestamp")
            if ours and name not in wanted:
                yield "%s %s: only in the destination" % (plural, name)
        for name, obj in sorted(wanted.items()):
            self.compared += 1
            if name not in there:
                yield "%s %s: missing in the destination" % (plural, name)
                continue
            for difference in self.pair(obj, there[name], resource, kind):
                yield "%s %s: %s" % (plural, name, difference)


def arguments():
    parser = argparse.ArgumentParser(description="compares two clusters")
    parser.add_argument("source")
    parser.add_argument("destination")
    parser.add_argument("--resource", nargs="+", required=True)
    parser.add_argument("--namespaces", nargs="+")
    parser.add_argument("--names")
    parser.add_argument("--patch", action="append", default=[])
    parser.add_argument("--effects", action="store_true")
    parser.add_argument("--least", type=int, default=1)
    return parser.parse_args()


def main():
    args = arguments()
    try:
        comparison = Comparison(args)
        found = [line for resource in args.resource for line in comparison.resource(resource)]
    except OSError as error:
        print("compare.py: %s" % error, file=sys.stderr)
        return 2
    print("\n".join(found) if found else "%d objects are equal" % comparison.compared)
    if comparison.compared < args.least:
        print("only %d objects were compared, at least %d were expected" % (comparison.compared, args.least))
        return 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
