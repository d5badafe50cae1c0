#!/usr/bin/env python3
"""check_docs.py [ROOT]: a README in each code folder that names its files, a comment at each function of a header, clean texts,
and each test that the documentation names."""

import os
import re

import source_tree as tree

README_LINES = 40
CODE = (".c", ".h", ".py", ".sh", ".bats", ".bash", ".go")
TEXT = CODE + (".md", ".txt", ".cmake", ".yaml", ".yml", ".json", ".html", ".css", ".js", "run", "Dockerfile")
TOP_LINES = 15
# docs/STYLE.md gives these one meaning for the whole tree: end of life, NULL is allowed.
DESTRUCTORS = ("_free", "_close", "_done", "_unref")

# Spelled so that this file does not find itself.
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
# In a table's cell: the file below tests/ and the test's name, of a unit test with blanks for underscores.
NAMED_TEST = re.compile(r"`((?:e2e|unit)/[\w/]+\.(?:bats|c))`: ([^;|]+?)(?= *[;|])")
TESTED_BY = "| tested by |"
WORKPLACE = re.compile(r"(?<![\w.*-])/(?:work|root)/")


def code_folders(root):
    """Every folder that holds code; tests/unit mirrors the tree and is described once, in tests/README.md."""
    folders = {os.path.dirname(path) for path in tree.files(root, CODE)}
    return sorted(f for f in folders if f and not f.startswith("tests/unit/") and "/corpus" not in f)


def readme_problems(root, folder):
    path = f"{folder}/README.md"
    if not os.path.exists(os.path.join(root, path)):
        yield f"{folder}/: no README.md"
        return
    text = tree.read(root, path)
    if text.count("\n") > README_LINES:
        yield f"{path}: {text.count(chr(10))} lines, at most {README_LINES} are allowed"
    stems = {}
    for name in sorted(os.listdir(os.path.join(root, folder))):
        if name.endswith(CODE):
            stems.setdefault(name.rsplit(".", 1)[0], name)
    for stem, name in stems.items():
        if not re.search(r"(?<!\w)" + re.escape(stem) + r"(?!\w)", text):
            yield f"{path}: does not name {name}"


def declarations(text):
    """(name, line) of each function that a header declares or defines, from blanked text."""
    clean = tree.without_directives(tree.without_comments(text, keep_strings=False))
    depth, start = 0, 0
    for position, char in enumerate(clean):
        if char in "{(":
            depth += 1
        elif char in "})":
            depth -= 1
        if depth == 0 and char in ";}":
            statement = clean[start:position + 1]
            begin = start + len(statement) - len(statement.lstrip())
            start = position + 1
            head = re.sub(r"__attribute__\s*\(\(.*?\)\)", " ", statement, flags=re.S).split("{")[0]
            match = re.match(r"\s*(?:[A-Za-z_]\w*[\s*]+)+\**([A-Za-z_]\w*)\s*\(", head)
            if match and not re.match(r"\s*typedef\b|.*=", head.split("(")[0], re.S):
                yield match.group(1), tree.line_of(clean, begin)


def header_problems(path, text):
    """A declaration is documented by a comment on its own lines, or above it without an empty line between.

    What unit tests share is no interface: there a name has to say it all.
    """
    if path.startswith("tests/unit/"):
        return
    lines = text.split("\n")
    for name, line in declarations(text):
        if name.endswith(DESTRUCTORS):
            continue
        row = line - 1
        end = row
        while end < len(lines) - 1 and not re.search(r"[;{]", lines[end]):
            end += 1
        documented = any("/*" in lines[i] or "//" in lines[i] for i in range(row, end + 1))
        while not documented and row > 0 and lines[row - 1].strip():
            row -= 1
            documented = "*/" in lines[row] or lines[row].lstrip().startswith("//")
        if not documented:
            yield f"{path}:{line}: {name} has no comment that says what it does"


def top_problems(path, text):
    """A unit test's path says what it is about."""
    if path.startswith("tests/unit/"):
        return
    match = re.match(r"/\*.*?\*/", text, re.S)
    if not match:
        yield f"{path}:1: begins without a comment that says what it is"
    elif path.endswith(".c") and match.group(0).count("\n") >= TOP_LINES:
        yield f"{path}:1: the comment at the top is longer than {TOP_LINES} lines"


def text_problems(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if UNFINISHED.search(line):
            yield f"{path}:{number}: unfinished work is not left in the text: do it, or file an issue"
        if WORKPLACE.search(line):
            yield f"{path}:{number}: names a folder of somebody's machine"


def named_test_problems(root, path, text):
    """Each row of a table with a column "tested by" names a test, and each named test is there."""
    wanted = False
    for number, line in enumerate(text.split("\n"), 1):
        wanted = line.startswith("|") and (wanted or line.endswith(TESTED_BY))
        found = NAMED_TEST.findall(line)
        if wanted and not found and not line.endswith(TESTED_BY) and not line.startswith("|---"):
            yield f"{path}:{number}: names no test"
        for file, name in found:
            begin = f'@test "{name}"' if file.endswith(".bats") else f"static void {name.replace(' ', '_')}("
            if not os.path.exists(os.path.join(root, "tests", file)) or begin not in tree.read(root, "tests/" + file):
                yield f"{path}:{number}: tests/{file} has no test '{name}'"


def main():
    root = tree.root_argument()
    problems = []
    for folder in code_folders(root):
        problems += readme_problems(root, folder)
    for path in tree.files(root, (".c", ".h")):
        text = tree.read(root, path)
        problems += top_problems(path, text)
        if path.endswith(".h"):
            problems += header_problems(path, text)
    paths = tree.files(root, TEXT)
    for path in paths:
        problems += text_problems(path, tree.read(root, path))
        if path.startswith("docs/"):
            problems += named_test_problems(root, path, tree.read(root, path))
    tree.finish("docs", problems, len(paths))


main()
