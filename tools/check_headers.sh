#!/bin/bash
# check_headers.sh [ROOT]: each header compiles alone, with all warnings, with gcc and with clang.
set -eu

tools=$(cd "$(dirname "$0")" && pwd)
flags=$tools/../cmake/warnings.flags
cd "${1:-$tools/..}"
mapfile -t headers < <(find . \( -name .git -o -name 'build*' \) -prune -o -name '*.h' -print | sed 's,^\./,,' | sort)
[ "${#headers[@]}" -gt 0 ] || { echo "headers: nothing to check, which cannot be right"; exit 1; }
failed=0
for header in "${headers[@]}"; do
	for compiler in gcc clang; do
		# Included by a line, not compiled as the main file, where an unused static inline function is a warning.
		"$compiler" "@$flags" -std=c17 -D_GNU_SOURCE -I. -fsyntax-only -x c - <<<"#include \"$header\"" || {
			echo "$header: does not compile alone with $compiler"
			failed=$((failed + 1))
		}
	done
done
echo "headers: ${#headers[@]} files, $failed problems"
[ "$failed" -eq 0 ]
