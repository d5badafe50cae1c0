#!/bin/bash
# tests/prove.sh: what takes longer than tests/run.sh may: the benches in full, 20,000 seeds of the simulation, ten rounds of the end-to-end faults.
set -eu
cd "$(dirname "$0")/.."
tools/install_packages.sh build test
cmake --preset release >/dev/null
cmake --build --preset release -- --quiet
cmake --preset dev >/dev/null
cmake --build --preset dev -- --quiet
export RESILOG=$PWD/build/release/cli/resilog
for bench in tests/bench/*.sh; do "$bench"; done
RESILOG_SIM_SEEDS=20000 build/dev/tests/sim/sim_live 0 1
RESILOG=$PWD/build/dev/cli/resilog
for round in 1 2 3 4 5 6 7 8 9 10; do
	echo "round $round"
	bats tests/e2e/40_faults.bats
done
