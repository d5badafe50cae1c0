#!/bin/bash
# tests/prove.sh [--only PART...] [--list]: what takes longer than tests/run.sh may; it ends at the first part that fails.
#
# RESILOG_PROVE_SHORT=1: a short run of each part, which shows that the part works and proves nothing more.
set -euo pipefail
cd "$(dirname "$0")/.."

parts="
bench    | the benches in full
seeds    | 20,000 seeds of the simulation
log      | every flipped bit of a small log, and 10,000 crash images
faults   | ten rounds of the end-to-end faults
churn    | half an hour of churn of every kind, with every process killed at random
znodes   | 100,000 random changes of a ZooKeeper ensemble, with every process killed at random
fuzz     | five minutes of search with each fuzz target
coverage | line coverage by folder, of unit, conformance, corpora, faults and simulation
"
short=${RESILOG_PROVE_SHORT:-}
jobs=2

list_parts() { sed '/^$/d' <<<"$parts"; }
names() { list_parts | awk '{ print $1 }'; }
usage() {
	sed -n '2,4s/^# \{0,1\}//p' "$0"
	list_parts
}

chosen=
case ${1:-} in
"") chosen=$(names) ;;
--list) list_parts; exit 0 ;;
--only)
	shift
	for part; do
		names | grep -qx -- "$part" || { echo "no part $part; the parts are:" >&2; list_parts >&2; exit 2; }
		chosen="$chosen $part"
	done
	[ -n "$chosen" ] || { usage >&2; exit 2; }
	;;
*) usage >&2; exit 2 ;;
esac

build() { # PRESET TARGET...
	local preset=$1
	shift
	cmake --preset "$preset" >/dev/null
	cmake --build --preset "$preset" ${*:+--target "$@"} -- --quiet -j "$jobs"
}

part_bench() {
	local bench
	build release
	[ -z "$short" ] || export RESILOG_BENCH_SMOKE=1
	export RESILOG=$PWD/build/release/cli/resilog
	for bench in tests/bench/*.sh; do "$bench"; done
	RESILOG_BENCH_OBJECTS=100000 tests/bench/cold_sync.sh
	RESILOG_BENCH_SYNCHRONIZATIONS=10 tests/bench/live.sh
}

part_seeds() {
	local seeds=20000
	build dev sim_live
	[ -z "$short" ] || seeds=20
	RESILOG_SIM_SEEDS=$seeds build/dev/tests/sim/sim_live 0 1
}

part_log() {
	local step=1 images=10000
	build dev
	[ -z "$short" ] || { step=97; images=50; }
	RESILOG_FLIP_STEP=$step build/dev/log/unit_log_segment_check
	RESILOG_CRASH_IMAGES=$images ctest --test-dir build/dev -R '^faults/fault_images$' --timeout 3600 -V | grep -E 'images|FAILED|tests passed'
}

part_faults() {
	local rounds=10 round
	build dev
	[ -z "$short" ] || rounds=1
	for ((round = 1; round <= rounds; round++)); do
		echo "round $round"
		RESILOG=$PWD/build/dev/cli/resilog bats tests/e2e/40_faults.bats
	done
}

part_churn() {
	local seconds=1800
	build dev
	[ -z "$short" ] || seconds=20
	RESILOG=$PWD/build/dev/cli/resilog RESILOG_CHURN_SECONDS=$seconds bats tests/e2e/long/churn.bats
}

part_znodes() {
	local changes=100000
	build dev
	[ -z "$short" ] || changes=3000
	RESILOG=$PWD/build/dev/cli/resilog RESILOG_ZK_CHANGES=$changes bats tests/e2e/long/zookeeper.bats
}

# What a search finds new stays in build/fuzz/found/TARGET for the next one; what breaks a target is build/fuzz/found/TARGET-crash-...
fuzz_one() { # TARGET SECONDS
	local corpus=tests/fuzz/corpus/${1#fuzz_} found=build/fuzz/found/$1
	mkdir -p "$found"
	if "build/fuzz/tests/fuzz/$1" -max_total_time="$2" -artifact_prefix="$found-" "$found" "$corpus" >"$found.log" 2>&1; then
		echo "$1: $(sed -n 's/^Done \([0-9]*\) runs.*/\1 inputs/p' "$found.log"), nothing found"
	else
		echo "$1: FAILED"
		tail -n 40 "$found.log"
		return 1
	fi
}
part_fuzz() {
	local seconds=300 failed=0 target targets
	targets=$(cd tests/fuzz && basename -s .c fuzz_*.c)
	[ -z "$short" ] || seconds=2
	build fuzz $targets
	for target in $targets; do fuzz_one "$target" "$seconds" || failed=1; done
	return "$failed"
}

part_coverage() {
	local seeds=200
	[ -z "$short" ] || seeds=5
	build coverage
	find build/coverage -name '*.gcda' -delete
	RESILOG_SIM_SEEDS=$seeds ctest --test-dir build/coverage -LE '^bench$' -j "$jobs" --output-on-failure ${short:+-R '^unit/core/'}
	tests/coverage.py build/coverage
}

tools/install_packages.sh build check test
for part in $chosen; do
	echo "== $part"
	"part_$part"
done
