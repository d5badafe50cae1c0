#!/bin/bash
# tests/sim/bugs.sh [BUG...]: does the simulation find what it must?
#
# Each tests/sim/bugs/*.patch plants one bug into a copy of the sources; the simulation is built there and has to fail within
# 1,000 seeds. A patch that begins with "Simulation: NAME" is for that one, the others are for sim_live. Fails if a bug is not found, if a patch no longer applies, or if the copy without any bug does not hold.
# Says after how many seeds each bug was found. It has nothing to say about a short run (RESILOG_SIM_SEEDS below 1,000):
# then it ends with 77, "skipped".
set -eu

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
seeds=1000
sound_seeds=100
jobs=${RESILOG_JOBS:-2}

if [ "${RESILOG_SIM_SEEDS:-$seeds}" -lt "$seeds" ]; then
	echo "skipped: planted bugs need $seeds seeds, RESILOG_SIM_SEEDS is $RESILOG_SIM_SEEDS"
	exit 77
fi
unset SEED RESILOG_SIM_TRACE

work=$(mktemp -d "${TMPDIR:-/tmp}/resilog-bugs.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

tree=$work/tree
mkdir "$tree"
cd "$root"
cp -a CMakeLists.txt cmake core io log producers sinks flow controller cli tests "$tree"

build() {
	cmake --build "$work/build" --target sim_live sim_tree -- -j "$jobs" >"$work/build.log" 2>&1 || {
		tail -n 40 "$work/build.log"
		return 1
	}
}
cmake -S "$tree" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-O1 -g" \
	${CC:+-DCMAKE_C_COMPILER="$CC"} >"$work/cmake.log" 2>&1 || { tail -n 20 "$work/cmake.log"; exit 1; }
sims=$work/build/tests/sim

failed=0
report() { # BUG TEXT
	printf '%-24s %s\n' "$1" "$2"
}

try() { # BUG
	local patch=$tree/tests/sim/bugs/$1.patch out=$work/$1.out seed sim
	sim=$(sed -n '1s/^Simulation: //p' "$patch")
	if ! patch -d "$tree" -p1 --fuzz=0 --dry-run --silent <"$patch" >/dev/null; then
		report "$1" "FAILED: the patch no longer applies"
		return 1
	fi
	patch -d "$tree" -p1 --silent <"$patch"
	local status=0
	if ! build; then
		report "$1" "FAILED: does not compile"
		status=1
	elif RESILOG_SIM_SEEDS=$seeds "$sims/${sim:-sim_live}" >"$out" 2>&1; then
		report "$1" "FAILED: not found in $seeds seeds"
		status=1
	else
		seed=$(sed -n 's/^FAILED: SEED=\([0-9]*\): .*/\1/p' "$out" | head -n 1)
		if [ -n "$seed" ]; then
			report "$1" "found after $seed seeds: $(sed -n 's/^FAILED: SEED=[0-9]*: //p' "$out" | head -n 1 | cut -c1-110)"
		else
			report "$1" "FAILED: the simulation ended without naming a seed"
			tail -n 5 "$out"
			status=1
		fi
	fi
	patch -d "$tree" -p1 -R --silent <"$patch"
	return $status
}

build || { echo "FAILED: the sources do not compile"; exit 1; }
for sim in sim_live sim_tree; do
	RESILOG_SIM_SEEDS=$sound_seeds "$sims/$sim" >"$work/sound.out" 2>&1 || {
		echo "FAILED: the sources without a planted bug do not hold: $sim"
		head -n 2 "$work/sound.out"
		exit 1
	}
done

[ $# -gt 0 ] || set -- "$tree"/tests/sim/bugs/*.patch
for bug; do
	try "$(basename "$bug" .patch)" || failed=1
done
exit $failed
