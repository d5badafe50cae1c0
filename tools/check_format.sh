#!/bin/bash
# check_format.sh [ROOT] [FILE...]: every C file is laid out as clang-format does it; `--fix` as first word lays them out.
set -eu

mode="--dry-run -Werror"
[ "${1:-}" != --fix ] || { mode=-i; shift; }
cd "${1:-$(dirname "$0")/..}"
[ $# -eq 0 ] || shift
if [ $# -gt 0 ]; then
	files=("$@")
else
	mapfile -t files < <(find . \( -name .git -o -name 'build*' \) -prune -o -name '*.[ch]' -print | sort)
fi
[ "${#files[@]}" -gt 0 ] || { echo "format: nothing to check, which cannot be right"; exit 1; }
status=0
output=$(clang-format --style=file $mode "${files[@]}" 2>&1) || status=1
grep -E '^[^ ].*: error: ' <<<"$output" | cut -d: -f1 | sort | uniq -c | while read -r places file; do
	echo "${file#./}: not laid out as .clang-format says, $places times"
done
[ "$status" -eq 0 ] || { echo "format: run tools/check_format.sh --fix"; exit 1; }
echo "format: ${#files[@]} files, 0 problems"
