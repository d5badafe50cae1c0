"""What the checks know about the tree: its layers, its files, and C text with comments and strings blanked."""

import os
import re
import sys

LAYERS = ["core", "io", "log", "producers", "sinks", "flow", "recovery", "controller", "cli"]
SKIPPED_FOLDERS = {".git", "build", "node_modules", "__pycache__"}

_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def files(root, extensions, folders=None):
    """Paths below root (relative, sorted) that end in one of the extensions; folders limits the first part."""
    found = []
    for start in folders or ["."]:
        for folder, names, entries in os.walk(os.path.join(root, start)):
            names[:] = [n for n in names if n not in SKIPPED_FOLDERS and not n.startswith("build-")]
            for entry in entries:
                if entry.endswith(tuple(extensions)):
                    found.append(os.path.relpath(os.path.join(folder, entry), root))
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
        return f.read()


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text, keep_strings=True):
    """The same text, line for line and column for column, with comments (and strings if asked) turned into blanks."""

    def replace(match):
        token = match.group(0)
        if token[0] == "/":
            return _blank(token)
        return token if keep_strings else token[0] + _blank(token[1:-1]) + token[-1]

    return _TOKEN.sub(replace, text)


def without_directives(text):
    """The same text with preprocessor lines, continuations included, turned into blanks."""
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: _blank(m.group(0)), text, flags=re.M)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def functions(text):
    """(name, line, parameters, body) of each function of a formatted C file: its braces stand in the first column."""
    clean = without_directives(without_comments(text, keep_strings=False))
    pattern = re.compile(r"^(?P<head>[A-Za-z_][^;{}=]*?\([^;{}]*\)[^;{}()]*)\n\{\n(?P<body>.*?)^\}", re.S | re.M)
    for match in pattern.finditer(clean):
        head = match.group("head")
        name = re.search(r"([A-Za-z_]\w*)\s*\(", re.sub(r"__attribute__\s*\(\(.*?\)\)", "", head, flags=re.S))
        if name:
            parameters = head[head.index(name.group(0)) + len(name.group(0)):]
            yield name.group(1), line_of(clean, match.start()), parameters, match.group("body")


def root_argument():
    """The tree to check: the first argument, else the one that this file belongs to."""
    if len(sys.argv) > 1:
        return sys.argv[1]
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def finish(what, problems, checked):
    """Prints the problems and ends the program: 1 if there are any, or if nothing was there to check."""
    for problem in problems:
        print(problem)
    if not checked:
        print(f"{what}: nothing to check, which cannot be right")
        sys.exit(1)
    print(f"{what}: {checked} files, {len(problems)} problems")
    sys.exit(1 if problems else 0)
