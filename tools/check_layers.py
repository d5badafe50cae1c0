#!/usr/bin/env python3
"""check_layers.py [ROOT]: the include rules of docs/LAYERS.md.

Fails on an include that its folder may not make, on a cycle of files or folders, on a header that another folder keeps for itself,
on a library's header outside its door, and on a CMake layer that links what its folder may not include.
"""

import os
import re

import source_tree as tree

# What each folder may include beside itself: whole folders, or single headers.
MAY_INCLUDE = {
    "core": [],
    "io": ["core/"],
    "log": ["core/"],
    "producers": ["core/", "io/"],
    "sinks": ["core/", "io/"],
    "flow": ["core/", "log/rlog.h", "log/ckpt.h", "producers/producer.h", "sinks/sink.h"],
    "recovery": ["core/", "log/rlog.h", "log/ckpt.h", "sinks/sink.h", "flow/filter.h", "flow/transform.h"],
    "controller": ["core/", "io/", "log/", "producers/", "sinks/", "flow/", "recovery/"],
    "cli": [layer + "/" for layer in tree.LAYERS],
    "tests": [layer + "/" for layer in tree.LAYERS],
}

# Where the headers of a library may be included: one file (or the few that begin so), or a folder where DESIGN says so.
# Never in a header of ours, but for a private one of the door.
DOORS = {
    "yaml.h": ["core/yaml.c"],
    "openssl/": ["core/digest.c"],
    "nmmintrin.h": ["core/digest.c"],  # CRC32C in one instruction
    "zstd.h": ["core/compress.c"],
    "zstd_errors.h": ["core/compress.c"],
    "pcre2.h": ["core/regex.c"],
    "curl/": ["io/http_curl", "io/zk_conn.c"],
    "lmdb.h": ["log/"],
    "libsmartcols": ["cli/"],
    "cmocka.h": ["tests/"],
    "zookeeper/zookeeper.h": ["tests/bench/"],
    "cjson/": ["tests/bench/"],  # measured there as the alternatives to core/json.c
    "yajl/": ["tests/bench/"],
}

# The C library, POSIX and Linux; anything else needs a door.
SYSTEM = set("""
assert ctype dirent dlfcn endian errno fcntl float ftw getopt glob inttypes iso646 langinfo limits locale malloc math netdb
poll pthread pwd regex sched semaphore setjmp signal spawn stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib
stdnoreturn string strings sysexits syslog termios threads time tgmath uchar unistd wchar wctype
""".split())
SYSTEM_FOLDERS = ("sys/", "arpa/", "net/", "netinet/", "linux/")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^>"]+)[>"]', re.M)


def includes(root, path):
    text = tree.without_comments(tree.read(root, path))
    return [(tree.line_of(text, m.start()), m.group(1), m.group(2)) for m in INCLUDE.finditer(text)]


def system_problem(path, header):
    if header.startswith(SYSTEM_FOLDERS) or (header.endswith(".h") and header[:-2] in SYSTEM):
        return None
    for library, doors in DOORS.items():
        if header == library or (not library.endswith(".h") and header.startswith(library)):
            if path.startswith("tests/"):
                return None
            if path.startswith(tuple(doors)):
                inside = path.endswith((".c", "_priv.h"))
                return None if inside else f"<{header}> belongs in a .c file, not in a header"
            return f"<{header}> may be included only in {' '.join(doors)}"
    return f"<{header}> is neither the C library's nor has a door in docs/LAYERS.md"


def own_problem(root, path, header):
    if not os.path.exists(os.path.join(root, header)):
        return f'"{header}" does not exist: includes are written from the root'
    source, target = path.split("/")[0], header.split("/")[0]
    if source == target:
        return None
    if not any(header == rule or (rule.endswith("/") and header.startswith(rule)) for rule in MAY_INCLUDE[source]):
        return f'{source}/ may not include "{header}"'
    if source != "tests" and header.endswith(("_priv.h", "_ops.h")):
        return f'"{header}" is for {target}/ and the tests alone'
    return None


def cycles(edges):
    """Each cycle of a graph {node: [node]} once, as a list of its nodes."""
    done, stack, found = set(), [], []

    def visit(node):
        if node in stack:
            found.append(stack[stack.index(node):] + [node])
            return
        if node in done:
            return
        stack.append(node)
        for target in sorted(edges.get(node, [])):
            visit(target)
        stack.pop()
        done.add(node)

    for node in sorted(edges):
        visit(node)
    return found


def cmake_problems(root):
    for layer in tree.LAYERS:
        path = f"{layer}/CMakeLists.txt"
        if not os.path.exists(os.path.join(root, path)):
            continue
        call = re.search(r"\blayer\(NAME\s+\w+(.*?)\)", re.sub(r"#.*", "", tree.read(root, path)), re.S)
        deps = re.search(r"\bDEPS\s+([a-z\s]+)", call.group(1)) if call else None
        for dep in deps.group(1).split() if deps else []:
            if not any(rule.startswith(dep + "/") for rule in MAY_INCLUDE[layer]):
                yield f"{path}: the layer links {dep}, which {layer}/ may not include"


def main():
    root = tree.root_argument()
    paths = tree.files(root, [".c", ".h"], [f for f in MAY_INCLUDE if os.path.isdir(os.path.join(root, f))])
    problems, between_files, between_folders = [], {}, {}
    for path in paths:
        for line, kind, header in includes(root, path):
            problem = system_problem(path, header) if kind == "<" else own_problem(root, path, header)
            if problem:
                problems.append(f"{path}:{line}: {problem}")
            if kind == '"':
                between_files.setdefault(path, set()).add(header)
                source, target = path.split("/")[0], header.split("/")[0]
                if source != target:
                    between_folders.setdefault(source, set()).add(target)
    for cycle in cycles(between_files) + cycles(between_folders):
        problems.append("circular include: " + " -> ".join(cycle))
    problems += cmake_problems(root)
    tree.finish("layers", problems, len(paths))


main()
