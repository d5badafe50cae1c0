#!/bin/bash
# programs.sh find NAME                  print the path of one program, or exit 3
# programs.sh get [--download] [NAME...] make sure that the named programs (default: all four) can be found: build what is missing
#                                        from the Go module beside this script, or fetch the official release if asked to
#
# Where a program comes from, first match wins: RESILOG_TEST_BIN, PATH (right version), our cache; then a build, or the release
# where --download asks for it.
# The cache is ${XDG_CACHE_HOME:-~/.cache}/resilog/kube-<version>/; programs appear in it by rename, and one lock serves all runs.
# Exit: 0 done, 1 failed, 2 usage, 3 something is missing and the message says what brings it.
set -eu

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=1.35.4
minor=1.35
etcd_minor=3.6
cache=${XDG_CACHE_HOME:-$HOME/.cache}/resilog/kube-$version
all="etcd kube-apiserver kubectl kube-controller-manager"

say() { echo "$*" >&2; }

elapsed() {
	local s=$((SECONDS - ${1:-0}))
	printf '%dm%02ds' $((s / 60)) $((s % 60))
}

right_version() { # PROGRAM-PATH
	case ${1##*/} in
	etcd) [[ $("$1" --version 2>/dev/null </dev/null) == *"etcd Version: $etcd_minor."* ]] ;;
	kubectl) [[ $("$1" version --client 2>/dev/null </dev/null) == *" v$minor."* ]] ;;
	*) [[ $("$1" --version 2>/dev/null </dev/null) == "Kubernetes v$minor."* ]] ;;
	esac
}

# A program that was given by name and is the wrong one is an error, not a reason to look further.
check_test_bin() {
	local path
	[ -n "${RESILOG_TEST_BIN:-}" ] || return 0
	for path in $all; do
		path=$RESILOG_TEST_BIN/$path
		[ ! -x "$path" ] || right_version "$path" || {
			say "$path (from RESILOG_TEST_BIN) is not of Kubernetes $minor or etcd $etcd_minor: put the right one there, or unset RESILOG_TEST_BIN"
			exit 3
		}
	done
}

find_program() { # NAME
	local path
	if [ -n "${RESILOG_TEST_BIN:-}" ] && [ -x "$RESILOG_TEST_BIN/$1" ]; then
		readlink -f "$RESILOG_TEST_BIN/$1"
	elif path=$(type -P "$1") && right_version "$path"; then
		readlink -f "$path"
	elif [ -x "$cache/$1" ]; then
		readlink -f "$cache/$1"
	else
		return 3
	fi
}

missing_of() { # NAME...
	local name
	for name; do find_program "$name" >/dev/null || echo "$name"; done
}

go_is_new_enough() { # Go 1.21 and newer fetch the toolchain that go.mod names by themselves
	local v
	v=$(cd "$here" && go version 2>/dev/null) || return 1
	[[ $v =~ go([0-9]+)\.([0-9]+) ]] && ((BASH_REMATCH[1] > 1 || BASH_REMATCH[2] >= 25))
}

# Runs a command in its own process group, prints a sign of life every 15 s, and takes the group along when we are stopped.
group=
end_group() { [ -z "$group" ] || kill -TERM -- "-$group" 2>/dev/null || :; }
watched() { # TEXT COMMAND...
	local text=$1 begin=$SECONDS next=$((SECONDS + 15)) status=0
	shift
	setsid "$@" </dev/null >&2 &
	group=$!
	while [ -e "/proc/$group/exe" ]; do
		sleep 0.2
		[ "$SECONDS" -lt "$next" ] || { say "  $text: $(elapsed "$begin")"; next=$((SECONDS + 15)); }
	done
	wait "$group" || status=$?
	group=
	return "$status"
}

build_one() { # NAME
	local name=$1 package begin=$SECONDS usual flags
	case $name in
	etcd) package=go.etcd.io/etcd/server/v3 usual="15 s" ;;
	kube-apiserver) package=k8s.io/kubernetes/cmd/$name usual="8 min" ;;
	*) package=k8s.io/kubernetes/cmd/$name usual="1 to 3 min" ;;
	esac
	say "building $name from source (usually $usual on two cores, once)"
	flags="-s -w -X k8s.io/component-base/version.gitVersion=v$version"
	flags="$flags -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=${minor#*.}"
	CGO_ENABLED=0 watched "building $name" \
		go -C "$here" build -trimpath -ldflags "$flags" -o "$cache/$name.new" "$package" || return 1
	mv "$cache/$name.new" "$cache/$name"
	say "built $name in $(elapsed "$begin")"
}

download_for() { # NAME: fetches the release that holds it, and takes every program out of it that is missing
	local arch programs tool sum url dir member program
	while read -r arch programs tool sum url; do
		[ "$arch" = "$(uname -m)" ] && [[ ,$programs, == *",$1,"* ]] || continue
		dir=$(mktemp -d "$cache/download.XXXXXX")
		say "downloading $url"
		if watched "downloading" curl -fsSL --connect-timeout 20 --retry 2 -o "$dir/archive" "$url" &&
			echo "$sum  $dir/archive" | "$tool" -c --status; then
			for program in ${programs//,/ }; do
				[ ! -x "$cache/$program" ] || continue
				member=$(tar -tzf "$dir/archive" | grep -m1 -E "/$program\$") || { say "$url holds no $program"; break; }
				tar -xzf "$dir/archive" -C "$dir" -O "$member" >"$cache/$program.new"
				chmod 755 "$cache/$program.new"
				mv "$cache/$program.new" "$cache/$program"
			done
		else
			say "$url could not be fetched, or its checksum is not $sum"
		fi
		rm -rf "$dir"
		[ -x "$cache/$1" ] && return
		return 1
	done < <(grep -v '^#' "$here/releases.txt")
	say "no release of $1 is pinned for $(uname -m)"
	return 1
}

cannot_get() { # NAMES
	say "missing: ${1//$'\n'/ } (Kubernetes $minor, etcd $etcd_minor). One of these brings them:"
	say "  install Go 1.25 or newer from https://go.dev/dl/, then run: $here/programs.sh get"
	say "  $here/programs.sh get --download        (official releases with pinned checksums, about 400 MB)"
	say "  RESILOG_TEST_BIN=DIR                    (a folder that holds the programs)"
	exit 3
}

get() {
	local download=no missing name
	[ "${1:-}" != --download ] || { download=yes; shift; }
	[ $# -gt 0 ] || set -- $all
	check_test_bin
	missing=$(missing_of "$@")
	[ -n "$missing" ] || return 0
	if [ "$download" = no ] && ! go_is_new_enough; then
		say "no Go 1.25 or newer: trying the official releases instead (about 400 MB)"
		download=instead
	fi
	mkdir -p "$cache"
	exec 9>"$cache/lock"
	flock -n 9 || { say "waiting for another run that fills $cache"; flock 9; }
	for name in $(missing_of "$@"); do
		[ ! -x "$cache/$name" ] || continue # came with another one's release
		if [ "$download" = no ]; then build_one "$name"; else download_for "$name"; fi || {
			rm -f "$cache/$name.new"
			[ "$download" != instead ] || cannot_get "$missing"
			say "$name could not be had: see the lines above"
			exit 1
		}
	done
}

trap end_group EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
command=${1:-}
[ $# -eq 0 ] || shift
case $command in
find) check_test_bin; find_program "${1:?usage: programs.sh find NAME}" ;;
get) get "$@" ;;
*) sed -n '2,4s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
