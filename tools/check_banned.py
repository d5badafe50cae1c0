#!/usr/bin/env python3
"""check_banned.py [ROOT]: calls that docs/STYLE.md forbids, everywhere or outside of the folders where they belong."""

import re

import source_tree as tree

# names, folders in which they are allowed, what to do instead
RULES = [
    ("strcpy strcat sprintf vsprintf strtok gets stpcpy", (), "it does not know the size of its target: use struct buf or snprintf"),
    ("atoi atol atoll atof", (), "it cannot report an error: use strtol and friends, or core/"),
    ("alloca", (), "the stack is small: allocate"),
    ("system popen", ("tests/",), "no shell: fork and exec in cli/"),
    ("time gettimeofday clock_gettime localtime gmtime", ("io/", "cli/", "tests/"), "the clock comes by struct env"),
    ("rand srand random srandom drand48 getrandom", ("io/", "cli/", "tests/"), "chance comes by struct env"),
    ("getenv secure_getenv", ("io/", "cli/", "tests/"), "the environment is read in cli/ and io/ alone"),
    ("usleep sleep nanosleep clock_nanosleep", ("io/", "cli/", "tests/"), "a step never waits"),
    ("exit _exit _Exit quick_exit abort", ("cli/", "tests/"), "return enum rc"),
    ("printf vprintf puts putchar perror", ("cli/", "tests/"), "say it by core/diag.h, or return it in struct err"),
    ("pthread_create thrd_create", ("controller/", "cli/", "tests/"), "threads exist in controller/ and cli/ alone"),
    ("fork vfork posix_spawn execve execv execvp", ("io/", "cli/", "tests/"), "processes are made in cli/ and io/ alone"),
    ("setjmp longjmp", ("tests/",), "return enum rc"),
]
# One file each, with the reason.
EXCEPTIONS = {
    ("core/digest.c", "abort"),  # a hash that cannot be computed leaves nothing that could be trusted
    ("io/rng_sys.c", "abort"),  # no entropy: the same
    ("log/segment_check.c", "fork"),  # a damaged LMDB file may kill whoever reads it: a child reads it first
    ("log/segment_check.c", "posix_spawn"),
    ("log/segment_check.c", "_exit"),
}
PRINT_TO = re.compile(r"\b(?:fprintf|fputs|fwrite|fputc)\s*\([^;]*?\b(?:stdout|stderr)\b", re.S)


def check_file(path, text):
    for names, allowed, reason in RULES:
        if path.startswith(allowed):
            continue
        # A call, not a member (`x->time(`, `x.time(`) and not part of a longer name.
        pattern = r"(?<![\w.>])(" + "|".join(names.split()) + r")\s*\("
        for match in re.finditer(pattern, text):
            if (path, match.group(1)) not in EXCEPTIONS:
                yield match.start(), f"{match.group(1)}() is not allowed here: {reason}"
    if not path.startswith(("cli/", "tests/")):
        for match in PRINT_TO.finditer(text):
            yield match.start(), "printing is not allowed here: say it by core/diag.h, or return it in struct err"


def main():
    root = tree.root_argument()
    paths = tree.files(root, [".c", ".h"])
    problems = []
    for path in paths:
        text = tree.without_comments(tree.read(root, path), keep_strings=False)
        for position, problem in check_file(path, text):
            problems.append(f"{path}:{tree.line_of(text, position)}: {problem}")
    tree.finish("banned calls", problems, len(paths))


main()
