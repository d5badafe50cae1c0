#!/usr/bin/env bats
# Each check of tools/ finds what it is there for: a small clean tree passes, and the same tree with one violation does not.
bats_require_minimum_version 1.5.0

setup() {
    TOOLS=$(cd "$BATS_TEST_DIRNAME/../../tools" && pwd)
    TREE=$BATS_TEST_TMPDIR/tree
    mkdir -p "$TREE/core" "$TREE/log" "$TREE/sinks"
    put core/err.h '/* What went wrong. */' '#ifndef ERR_H' '#define ERR_H' '' \
        '/* The name of it. */' 'const char *err_name(int rc);' '' '#endif'
    put core/err.c '/* Names. */' '#include "core/err.h"' '' \
        'const char *err_name(int rc)' '{' '    return rc ? "bad" : "ok";' '}'
    put core/README.md '# core' '- err: what went wrong'
    put log/rlog.h '/* The log. */' '#ifndef RLOG_H' '#define RLOG_H' '#include "core/err.h"' '#endif'
    put log/README.md '# log' '- rlog: the log'
    put sinks/README.md '# sinks'
    cp "$BATS_TEST_DIRNAME/../../.clang-format" "$TREE/"
}
put() { # FILE LINE...
    printf '%s\n' "${@:2}" >"$TREE/$1"
}
passes() { # CHECK
    "$TOOLS/$1" "$TREE"
}
finds() { # CHECK TEXT
    run -1 "$TOOLS/$1" "$TREE"
    [[ $output == *"$2"* ]]
}
function_with_body() { # FILE SIGNATURE LINE...
    put "$1" '/* A function. */' "$2" '{' "${@:3}" '}'
}

@test "the clean tree passes every check" {
    for check in check_layers.py check_sizes.py check_banned.py check_docs.py check_format.sh check_headers.sh; do
        passes $check
    done
}

@test "an empty tree passes no check" {
    TREE=$BATS_TEST_TMPDIR/empty
    mkdir "$TREE"
    for check in check_layers.py check_sizes.py check_banned.py check_docs.py check_format.sh check_headers.sh; do
        finds $check "nothing to check"
    done
}

@test "layers: an include that goes up is found" {
    put core/up.c '/* Up. */' '#include "log/rlog.h"'
    finds check_layers.py 'core/up.c:2: core/ may not include "log/rlog.h"'
}

@test "layers: an include of a sibling is found" {
    put sinks/side.c '/* Side. */' '#include "log/rlog.h"'
    finds check_layers.py 'sinks/ may not include'
}

@test "layers: flow may include the log's interface and nothing else of log/" {
    mkdir "$TREE/flow"
    put log/frame.h '/* Frames. */'
    put flow/pump.c '/* Pump. */' '#include "log/rlog.h"'
    passes check_layers.py
    put flow/pump.c '/* Pump. */' '#include "log/frame.h"'
    finds check_layers.py 'flow/ may not include "log/frame.h"'
}

@test "layers: two headers that include each other are found" {
    put core/a.h '/* A. */' '#include "core/b.h"'
    put core/b.h '/* B. */' '#include "core/a.h"'
    finds check_layers.py 'circular include: core/a.h -> core/b.h -> core/a.h'
}

@test "layers: a library's header outside of its door is found" {
    put log/net.c '/* Net. */' '#include <curl/curl.h>'
    finds check_layers.py '<curl/curl.h> may be included only in io/http_curl'
}

@test "layers: a library's header in a public header is found" {
    put log/db.h '/* Db. */' '#include <lmdb.h>'
    finds check_layers.py 'belongs in a .c file'
}

@test "layers: a library without a door is found" {
    put core/tree.c '/* Tree. */' '#include <glib.h>'
    finds check_layers.py 'nor has a door'
}

@test "layers: a private header of another folder is found" {
    mkdir "$TREE/cli"
    put log/rlog_priv.h '/* Private. */'
    put cli/main.c '/* Main. */' '#include "log/rlog_priv.h"'
    finds check_layers.py 'is for log/ and the tests alone'
}

@test "layers: an include that is not written from the root is found" {
    put core/near.c '/* Near. */' '#include "err.h"'
    finds check_layers.py 'written from the root'
}

@test "layers: a CMake layer that links what its folder may not include is found" {
    put sinks/CMakeLists.txt 'layer(NAME sinks SOURCES sink DEPS core log)'
    finds check_layers.py 'the layer links log'
}

@test "layers: an include in a comment is no include" {
    put core/quiet.c '/* Not' '#include "log/rlog.h"' '*/'
    passes check_layers.py
}

@test "sizes: a file, a header and a function above their limits are found" {
    { echo '/* Long. */'; yes 'extern int x;' | head -n 700; } >"$TREE/core/long.c"
    finds check_sizes.py 'core/long.c: 701 lines, at most 700'
    rm "$TREE/core/long.c"
    { echo '/* Long. */'; yes 'extern int x;' | head -n 150; } >"$TREE/core/long.h"
    finds check_sizes.py 'core/long.h: 151 lines, at most 150'
    rm "$TREE/core/long.h"
    mapfile -t lines < <(yes '    x();' | head -n 101)
    function_with_body core/f.c 'void f(void)' "${lines[@]}"
    finds check_sizes.py 'f: 101 lines, at most 100'
    function_with_body core/f.c 'void f(void)' "${lines[@]:1}"
    passes check_sizes.py
}

@test "sizes: a seventh parameter is found, unless it is the error" {
    function_with_body core/f.c 'void f(int a, int b, int c, int d, int e, int f, int g)' '    x();'
    finds check_sizes.py 'f: 7 parameters'
    function_with_body core/f.c 'void f(int a, int b, int c, int d, int e, int f, struct err *g)' '    x();'
    passes check_sizes.py
}

@test "sizes: a fourth level of nesting is found, and else-if is none" {
    function_with_body core/f.c 'void f(void)' 'if (a)' 'for (;;)' 'while (b)' 'switch (c) {' 'default: x();' '}'
    finds check_sizes.py 'nested 4 deep'
    function_with_body core/f.c 'void f(void)' 'if (a)' 'x();' 'else if (b)' 'x();' 'else if (c)' 'x();' 'else if (d)' 'x();'
    passes check_sizes.py
}

@test "banned: an unsafe call is found, its name in a text is not" {
    function_with_body core/f.c 'void f(void)' '    strcpy(a, b);'
    finds check_banned.py 'core/f.c:4: strcpy() is not allowed here'
    function_with_body core/f.c 'void f(void)' '    x("strcpy(a, b)"); /* strcpy(a, b) */' '    x->time(y);'
    passes check_banned.py
}

@test "banned: the clock, printing and threads are found where they do not belong" {
    function_with_body sinks/f.c 'void f(void)' '    x = time(NULL);'
    finds check_banned.py 'the clock comes by struct env'
    function_with_body sinks/f.c 'void f(void)' '    fprintf(stderr, "x");'
    finds check_banned.py 'printing is not allowed here'
    function_with_body sinks/f.c 'void f(void)' '    pthread_create(&a, NULL, b, NULL);'
    finds check_banned.py 'threads exist in controller/ and cli/ alone'
    mkdir "$TREE/cli"
    mv "$TREE/sinks/f.c" "$TREE/cli/f.c"
    passes check_banned.py
}

@test "docs: a folder without a README, and a README without a file, are found" {
    put core/map.c '/* Map. */'
    finds check_docs.py 'core/README.md: does not name map.c'
    rm "$TREE/core/README.md"
    finds check_docs.py 'core/: no README.md'
}

@test "docs: a README that is too long is found" {
    yes 'err' | head -n 41 >"$TREE/core/README.md"
    finds check_docs.py '41 lines, at most 40'
}

@test "docs: a function without a comment is found, a destructor needs none" {
    put core/err.h '/* What. */' '' 'void err_free(struct err *e);' '' 'void err_do(void);'
    finds check_docs.py 'core/err.h:5: err_do has no comment'
    put core/err.h '/* What. */' '' 'void err_free(struct err *e);' '' '/* Does. */' 'void err_do(void);'
    passes check_docs.py
}

@test "docs: a file without a comment at its top is found" {
    put core/err.c 'int x;'
    finds check_docs.py 'begins without a comment'
}

@test "docs: unfinished work and a folder of somebody's machine are found" {
    put core/README.md 'err' "TO""DO: later"
    finds check_docs.py 'unfinished work'
    put core/README.md 'err' "see /ro""ot/notes"
    finds check_docs.py "somebody's machine"
}

@test "docs: a named test that is not there, and a row that names none, are found" {
    mkdir -p "$TREE/docs" "$TREE/tests/e2e" "$TREE/tests/unit/core"
    put tests/README.md 'a_test, test_err'
    put tests/e2e/README.md 'a_test'
    put tests/e2e/a_test.bats '@test "it works" {' '}'
    put tests/unit/core/test_err.c 'static void an_error_has_a_name(void **state)' '{' '}'
    row() { put docs/rows.md '| pitfall | tested by |' '|---|---|' "| it | $1 |" '' '| other | table |'; }
    row '`e2e/a_test.bats`: it works; `unit/core/test_err.c`: an error has a name'
    passes check_docs.py
    row '`e2e/a_test.bats`: it work'
    finds check_docs.py "docs/rows.md:3: tests/e2e/a_test.bats has no test 'it work'"
    row '`unit/core/test_err.c`: an error'
    finds check_docs.py "tests/unit/core/test_err.c has no test 'an error'"
    row '`unit/core/test_map.c`: an error has a name'
    finds check_docs.py "tests/unit/core/test_map.c has no test"
    row 'nobody'
    finds check_docs.py 'docs/rows.md:3: names no test'
}

@test "format: a badly laid out file is found" {
    put core/f.c '/* F. */' 'int x  =  1 ;'
    finds check_format.sh 'core/f.c: not laid out'
}

@test "headers: one that does not compile alone is found" {
    put core/need.h '/* Needs more. */' 'size_t need_n(void);'
    finds check_headers.sh 'core/need.h: does not compile alone with gcc'
    [[ $output == *'core/need.h: does not compile alone with clang'* ]]
}

@test "globals: mutable state is found, const tables are not" {
    put core/f.c 'int counter;' 'static int hidden(void) { static int n; return n++; }' 'int f(void) { return hidden(); }'
    (cd "$TREE" && gcc -c core/f.c -o f.o && ar rc librl_core.a f.o)
    finds check_globals.sh 'counter is mutable state'
    [[ $output == *'is mutable state that nobody owns'*'2 problems'* ]]
    put core/f.c 'const int table[] = {1, 2};' 'const char *const names[] = {"a", "b"};'
    (cd "$TREE" && gcc -c core/f.c -o f.o && rm librl_core.a && ar rc librl_core.a f.o)
    passes check_globals.sh
}

@test "hardening: a program without it is found, measure by measure" {
    put h.c '#include <string.h>' 'int main(int argc, char **argv)' '{' '    char text[64];' \
        '    strncpy(text, argv[0], (unsigned)argc);' '    return text[0];' '}'
    link() { (cd "$TREE" && gcc -w -O2 -U_FORTIFY_SOURCE h.c -o h "$@"); }
    good="-D_FORTIFY_SOURCE=3 -fstack-protector-strong -fPIE -pie -Wl,-z,relro,-z,now,-z,noexecstack"
    hardened() { run "-$1" "$TOOLS/check_hardening.sh" "$TREE/h"; }
    link $good
    hardened 0
    while IFS='|' read -r flags text; do
        link $good $flags
        hardened 1
        [[ $output == *"$text"*'1 problems' ]]
    done <<'END'
-fno-pie -no-pie|not position-independent
-Wl,-z,norelro|stay writable
-Wl,-z,lazy|bound late
-Wl,-z,execstack|stack is executable
-fno-stack-protector|no stack protector
-U_FORTIFY_SOURCE|no checked library calls
END
    rm "$TREE/h"
    hardened 1
}

@test "counting: failures, skips and a missing report all show" {
    put r.xml '<testsuite><testcase name="a"/><testcase name="b"><failure/></testcase>' \
        '<testcase name="c"><skipped message="why"/></testcase><testcase name="d" status="notrun"/></testsuite>'
    [ "$("$TOOLS/count_tests.py" "$TREE/r.xml" 2>/dev/null)" = "1 1 2" ]
    [ "$("$TOOLS/count_tests.py" "$TREE/none.xml" 2>/dev/null)" = "0 1 0" ]
    [[ $("$TOOLS/count_tests.py" "$TREE/r.xml" 2>&1) == *"skipped: c: why"* ]]
    [ "$("$TOOLS/count_tests.py" --none-skipped "$TREE/r.xml" 2>/dev/null)" = "1 3 0" ]
    [[ $("$TOOLS/count_tests.py" --none-skipped "$TREE/r.xml" 2>&1) == *"failed: c: skipped: why"* ]]
}
