#!/bin/bash
# Appends beside bare LMDB and the raw device. RESILOG_BENCH_SMOKE=1: a few seconds; else nine rounds.
set -eu
bench=$(dirname "${RESILOG:?path of the program}")/../tests/bench/bench_append
dir=$(mktemp -d "${TMPDIR:-/tmp}/resilog-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
if [ -n "${RESILOG_BENCH_SMOKE:-}" ]; then "$bench" "$dir" 2 30; else "$bench" "$dir" 9 200; fi
