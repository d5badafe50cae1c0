#!/usr/bin/env python3
"""check_sizes.py [ROOT]: the size limits of docs/STYLE.md. Hard limits fail; what is above a soft limit is listed."""

import re

import source_tree as tree

FILE_SOFT, FILE_HARD = 500, 700
HEADER_HARD = 150
FUNCTION_SOFT, FUNCTION_HARD = 60, 100
PARAMETERS_SOFT, PARAMETERS_HARD = 6, 7  # the seventh may only be the struct err
NESTING_HARD = 3
WIDTH_SOFT, WIDTH_HARD = 120, 160  # of comments; clang-format holds code to 100

TOKEN = re.compile(r"[A-Za-z_]\w*|\S")


class Nesting:
    """Finds how deep the control statements of a function body stand in each other; `else if` is one level, not two."""

    def __init__(self, body):
        self.tokens = TOKEN.findall(body)
        self.at = 0
        self.deepest = 0
        while self.at < len(self.tokens):
            self.statement(0)

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def skip_brackets(self, opening, closing):
        depth = 0
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            depth += (token == opening) - (token == closing)
            if depth == 0:
                return

    def inner(self, depth):
        self.deepest = max(self.deepest, depth + 1)
        self.statement(depth + 1)

    def statement(self, depth):
        word = self.peek()
        self.at += 1
        if word == "{":
            while self.peek() not in ("}", ""):
                self.statement(depth)
            self.at += 1
        elif word == "if":
            self.skip_brackets("(", ")")
            self.inner(depth)
            if self.peek() == "else":
                self.at += 1
                self.statement(depth) if self.peek() == "if" else self.inner(depth)
        elif word in ("for", "while", "switch"):
            self.skip_brackets("(", ")")
            self.inner(depth)
        elif word == "do":
            self.inner(depth)
            self.at += 1
            self.skip_brackets("(", ")")
        elif word in ("case", "default"):
            while self.peek() not in (":", ""):
                self.at += 1
            self.at += 1
        elif word != ";":
            self.simple()

    def simple(self):
        while self.at < len(self.tokens):
            token = self.peek()
            if token == ";":
                self.at += 1
                return
            if token in "({[":
                self.skip_brackets(token, {"(": ")", "{": "}", "[": "]"}[token])
            elif token == "}":
                return
            else:
                self.at += 1


def parameter_count(parameters):
    """The text behind the opening bracket of a declaration's parameter list."""
    depth, count = 0, 1
    for position, char in enumerate(parameters):
        if char == ")" and depth == 0:
            return 0 if parameters[:position].strip() in ("", "void") else count
        depth += (char in "([{") - (char in ")]}")
        count += char == "," and depth == 0
    return count


def check_file(path, text, problems, notes):
    lines = text.count("\n")
    # A header under tests/unit is what its tests share, bodies included.
    limit = HEADER_HARD if path.endswith(".h") and not path.startswith("tests/unit/") else FILE_HARD
    if lines > limit:
        problems.append(f"{path}: {lines} lines, at most {limit} are allowed: split it")
    elif path.endswith(".c") and lines > FILE_SOFT:
        notes.append(f"{path}: {lines} lines, more than {FILE_SOFT}")
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > WIDTH_HARD:
            problems.append(f"{path}:{number}: {len(line)} columns, at most {WIDTH_HARD} are allowed")
    wide = sum(len(line) > WIDTH_SOFT for line in text.split("\n"))
    if wide:
        notes.append(f"{path}: {wide} lines of more than {WIDTH_SOFT} columns")
    for name, line, parameters, body in tree.functions(text):
        where, size = f"{path}:{line}: {name}", body.count("\n")
        if size > FUNCTION_HARD:
            problems.append(f"{where}: {size} lines, at most {FUNCTION_HARD} are allowed")
        elif size > FUNCTION_SOFT:
            notes.append(f"{where}: {size} lines, more than {FUNCTION_SOFT}")
        count = parameter_count(parameters)
        if count > PARAMETERS_HARD or (count == PARAMETERS_HARD and "struct err *" not in parameters):
            problems.append(f"{where}: {count} parameters, at most {PARAMETERS_SOFT} and a struct err are allowed: use an opts struct")
        elif count > PARAMETERS_SOFT:
            notes.append(f"{where}: {count} parameters, more than {PARAMETERS_SOFT}")
        deepest = Nesting(body).deepest
        if deepest > NESTING_HARD:
            problems.append(f"{where}: nested {deepest} deep, at most {NESTING_HARD} is allowed")


def main():
    root = tree.root_argument()
    paths = tree.files(root, [".c", ".h"])
    problems, notes = [], []
    for path in paths:
        check_file(path, tree.read(root, path), problems, notes)
    for note in notes:
        print("note: " + note)
    tree.finish("sizes", problems, len(paths))


main()
