#!/bin/bash
# tests/run.sh [--quick | --only PART...] [--list]: builds resilog and runs its tests.
#
# Without options every part runs, in about half an hour on two cores. --quick: what daily work needs, under 3 minutes.
# RESILOG_TEST_ALL=1: whatever is skipped is a failure: a server that cannot be had on this machine, a test that skips itself.
# The last line is "N passed, N failed" (", N skipped"); the exit code is 1 if anything failed.
# RESILOG_TEST_KEEP=1: keep the temporary folder with the logs of the servers and of resilog.
# Everything is written to build/ and to one temporary folder, which goes away together with every process that was started.
set -eu

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
jobs=2
warn_minutes=45
quick_seeds=50

# part | in --quick | what it is
parts="
packages   | yes | the Debian packages that the rest needs
build-dev  | yes | everything, with gcc
build-clang| no  | everything, with clang
hygiene    | no  | format, layers, sizes, headers, banned calls, texts, and that these checks can fail
layers     | yes | the include rules alone (part of hygiene)
clang-tidy | no  | clang-tidy over what has changed since it was clean
unit       | yes | unit, conformance and fuzz corpora
sim        | yes | the simulation
faults     | no  | failing system calls and crash images
asan-ubsan | no  | unit, conformance, corpora and simulation under AddressSanitizer and UBSan
tsan       | no  | the same under ThreadSanitizer
servers    | no  | the programs of the real servers
e2e        | no  | real servers
e2e-asan   | no  | the end-to-end files marked '# also under sanitizers', with AddressSanitizer and UBSan
e2e-tsan   | no  | the same with ThreadSanitizer
bench      | no  | the release build's hardening, and the benches, a minute's smoke
"

list_parts() { sed '/^$/d' <<<"$parts"; }
names() { # PATTERN for the second column
	list_parts | awk -F'[ |]+' -v want="$1" '$2 ~ want { print $1 }'
}

usage() {
	sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
	list_parts
}

chosen= sim_without=()
while [ $# -gt 0 ]; do
	case $1 in
	--quick)
		chosen=$(names yes)
		sim_without=(-E '^sim/bugs$') # it needs all seeds
		export RESILOG_SIM_SEEDS=${RESILOG_SIM_SEEDS:-$quick_seeds}
		;;
	--only)
		shift
		[ $# -gt 0 ] || { usage >&2; exit 2; }
		while [ $# -gt 0 ] && [[ $1 != --* ]]; do
			names . | grep -qx -- "$1" || { echo "no part $1; the parts are:" >&2; list_parts >&2; exit 2; }
			chosen="$chosen $1"
			shift
		done
		continue
		;;
	--list) list_parts; exit 0 ;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
[ -n "$chosen" ] || chosen=$(names . | grep -vx layers)

run=$(mktemp -d "${TMPDIR:-/tmp}/resilog-run.XXXXXX")
mkdir "$run/tmp" "$run/reports"
export TMPDIR=$run/tmp
part_pid=

clean_up() {
	trap - EXIT
	trap '' INT TERM HUP
	[ -z "$part_pid" ] || kill -TERM -- "-$part_pid" 2>/dev/null || :
	[ -z "$part_pid" ] || wait "$part_pid" 2>/dev/null || :
	(. tests/e2e/lib.bash && e2e_sweep "$run") || echo "a process of the end-to-end tests could not be ended"
	if [ "${RESILOG_TEST_KEEP:-}" = 1 ]; then echo "kept: $run"; else rm -rf "$run"; fi
}
trap clean_up EXIT
trap 'echo "interrupted"; exit 130' INT
trap 'echo "terminated"; exit 143' TERM HUP

elapsed() { # SECONDS
	printf '%dm%02ds' $(($1 / 60)) $(($1 % 60))
}

# A part adds lines "passed failed skipped" to this file.
add() {
	echo "$*" >>"$run/results"
}

none_skipped=
[ "${RESILOG_TEST_ALL:-}" != 1 ] || none_skipped=--none-skipped
skipped() { # WHAT: one skip, or one failure where nothing may be skipped
	[ -z "$none_skipped" ] || { echo "failed: $1: skipped"; add 0 1 0; return 1; }
	echo "skipped: $1"
	add 0 0 1
}

nothing() { # WHAT
	echo "nothing to run: $1"
}

# --- the parts; each ends with 0 unless something failed, and works alone

part_packages() {
	tools/install_packages.sh build check test
}

build() { # PRESET
	[ ! -e "$run/broken-$1" ] || { echo "not run: build/$1 could not be built"; return 1; }
	build_again "$1" || { touch "$run/broken-$1"; return 1; }
}
build_again() { # PRESET
	cmake --preset "$1" >"$run/cmake.log" || { cat "$run/cmake.log"; return 1; }
	cmake --build --preset "$1" -- --quiet -j "$jobs"
}
part_build-dev() { build dev; }
part_build-clang() { build clang; }

part_layers() { tools/check_layers.py; }
part_hygiene() {
	local failed=0 check
	for check in "tools/check_format.sh" "tools/check_layers.py" "tools/check_sizes.py" "tools/check_banned.py" \
		"tools/check_docs.py" "tools/check_headers.sh" "tools/check_globals.sh build/dev"; do
		if $check; then add 1 0 0; else add 0 1 0; failed=1; fi
	done
	run_bats hygiene tests/hygiene/*.bats || failed=1
	return $failed
}

part_clang-tidy() {
	build dev && tools/tidy.py -j "$jobs" build/dev
}

# ctest's own report is counted: its exit code alone would hide a program that never ran.
run_ctest() { # PRESET CTEST-OPTION...
	local preset=$1 report=$run/reports/ctest-$RANDOM.xml status=0
	shift
	build "$preset" || return 1
	ctest --test-dir "build/$preset" "$@" -N | grep -q 'Total Tests: 0' && { nothing "ctest $*"; return; }
	$wrapper ctest --test-dir "build/$preset" "$@" -j "$jobs" --output-on-failure --output-junit "$report" --no-tests=error ||
		status=$?
	add $(tools/count_tests.py $none_skipped "$report")
	return "$status"
}
wrapper=

part_unit() { run_ctest dev -LE '^(sim|fault|bench)$'; }
part_sim() { run_ctest dev -L '^sim$' "${sim_without[@]}"; }
part_faults() { run_ctest dev -L '^fault$' --verbose; } # how often each call was failed is worth reading
part_asan-ubsan() {
	export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
	run_ctest asan-ubsan -LE '^(fault|bench)$'
}
part_tsan() {
	export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
	# Some kernels place memory where gcc 12's ThreadSanitizer does not expect it.
	! setarch -R true 2>/dev/null || wrapper="setarch -R"
	# The simulation is one thread: a part of its seeds is enough here.
	export RESILOG_SIM_SEEDS=${RESILOG_SIM_SEEDS:-100}
	run_ctest tsan -LE '^(fault|bench)$'
}

part_servers() {
	local status=0 failed=0 name
	tests/servers/kube/programs.sh get || status=$?
	[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || return "$status"
	for name in etcd kube-apiserver kubectl kube-controller-manager; do
		tests/servers/kube/programs.sh find "$name" >/dev/null 2>&1 || skipped "$name" || failed=1
	done
	for name in debian 3.9.5; do
		status=0
		tests/servers/zookeeper/jars.sh get "$name" || status=$?
		case $status in
		0) ;;
		3) skipped "ZooKeeper $name" || failed=1 ;;
		*) failed=1 ;;
		esac
	done
	return $failed
}

run_bats() { # NAME FILE...
	local folder=$run/reports/bats-$1 status=0
	shift
	[ -e "$1" ] || { nothing "$1"; return; }
	mkdir -p "$folder"
	bats --print-output-on-failure --timing --report-formatter junit --output "$folder" "$@" || status=$?
	add $(tools/count_tests.py $none_skipped "$folder/report.xml")
	rm -r "$folder"
	return "$status"
}

run_script() { # FILE; it exits 77 for a skip
	local status=0
	"$1" || status=$?
	case $status in
	0) add 1 0 0 ;;
	77) status=0; skipped "$1" || status=1 ;;
	*) echo "failed: $1"; add 0 1 0 ;;
	esac
	return "$status"
}

run_e2e() { # PRESET FILE...
	local failed=0 file
	build "$1" || return 1
	export RESILOG=$root/build/$1/cli/resilog
	shift
	for file; do
		[ -x "$file" ] || continue
		echo "-- $file"
		case $file in
		*.bats) run_bats e2e "$file" || failed=1 ;;
		*.sh) run_script "$file" || failed=1 ;;
		esac
	done
	return $failed
}
part_e2e() { run_e2e dev tests/e2e/*.bats tests/e2e/*.sh; }
sanitized() { # PRESET
	local files
	mapfile -t files < <(grep -lsx '# also under sanitizers' tests/e2e/*.bats tests/e2e/*.sh)
	[ "${#files[@]}" -gt 0 ] || { nothing "no file of tests/e2e is marked '# also under sanitizers'"; return; }
	run_e2e "$1" "${files[@]}"
}
part_e2e-asan() { sanitized asan-ubsan; }
part_e2e-tsan() { sanitized tsan; }

part_bench() {
	local failed=0 file
	[ -e "$(echo tests/bench/*.sh | cut -d' ' -f1)" ] || { nothing "tests/bench/*.sh"; return; }
	build release || return 1
	export RESILOG=$root/build/release/cli/resilog RESILOG_BENCH_SMOKE=1
	if tools/check_hardening.sh "$RESILOG"; then add 1 0 0; else add 0 1 0; failed=1; fi
	for file in tests/bench/*.sh; do
		echo "-- $file"
		run_script "$file" || failed=1
	done
	return $failed
}

# --- the run

# In a process group of its own, so that an interruption takes all of it along.
run_part() { # NAME
	local begin=$SECONDS status=0 before after
	before=$(wc -l <"$run/results")
	echo "== $1"
	set -m
	("part_$1") </dev/null &
	part_pid=$!
	set +m
	wait "$part_pid" || status=$?
	part_pid=
	after=$(awk -v skip="$before" 'NR > skip { failed += $2 } END { print failed + 0 }' "$run/results")
	[ "$status" -eq 0 ] || [ "$after" -gt 0 ] || add 0 1 0 # it failed without a test that did
	local word=ok
	[ "$status" -eq 0 ] && [ "$after" -eq 0 ] || { word=FAILED; failed_parts="$failed_parts $1"; }
	printf '== %s: %s, %s (%s since the start)\n\n' "$1" "$word" "$(elapsed $((SECONDS - begin)))" "$(elapsed $SECONDS)"
	times="$times$(printf '%-12s %s' "$1" "$(elapsed $((SECONDS - begin)))")"$'\n'
}

times= failed_parts=
: >"$run/results"
for part in $chosen; do
	run_part "$part"
	if [ "$part" = packages ] && [ -n "$failed_parts" ]; then
		echo "the other parts cannot run without the packages"
		break
	fi
done

echo "what each part took:"
printf '%s' "$times"
[ "$SECONDS" -le $((warn_minutes * 60)) ] || echo "warning: the run took $(elapsed $SECONDS), more than $warn_minutes minutes"
[ -z "$failed_parts" ] || echo "failed parts:$failed_parts"
read -r passed failed skipped < <(awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }' "$run/results")
clean_up
line="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || line="$line, $skipped skipped"
echo "$line"
[ "$failed" -eq 0 ]
