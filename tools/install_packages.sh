#!/bin/bash
# install_packages.sh SET...: makes sure that the Debian packages of the sets build, check and test are there.
#
# Installs what is missing as root; without root prints the line that does it and ends with 3. On a system without dpkg it names
# what is needed and goes on: the build says what it misses.
set -eu

build="gcc libc6-dev make cmake ninja-build pkg-config libcurl4-openssl-dev libssl-dev libyaml-dev libzstd-dev libpcre2-dev
	liblmdb-dev libsmartcols-dev"
check="clang clang-tidy clang-format libclang-rt-14-dev binutils python3"
test="libcmocka-dev libzookeeper-mt-dev bats curl openssl python3 patch perl-base util-linux procps ca-certificates
	libzookeeper-java openjdk-17-jre-headless"

wanted=
for set; do
	case $set in
	build) wanted="$wanted $build" ;;
	check) wanted="$wanted $check" ;;
	test) wanted="$wanted $test" ;;
	*) wanted= && break ;;
	esac
done
[ -n "$wanted" ] || { sed -n '2s/^# //p' "$0" >&2; exit 2; }
command -v dpkg-query >/dev/null || { echo "packages: this is not Debian; needed, under Debian's names:" $wanted >&2; exit 0; }

missing=
for package in $wanted; do
	[ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null)" = "ii " ] || missing="$missing $package"
done
[ -n "$missing" ] || { echo "packages: all there"; exit 0; }
line="apt-get install -y --no-install-recommends$missing"
[ "$(id -u)" = 0 ] || { echo "packages: missing. Run this as root:" >&2; echo "  $line" >&2; exit 3; }

export DEBIAN_FRONTEND=noninteractive
echo "packages: installing$missing (usually half a minute)"
$line </dev/null >/dev/null 2>&1 || { # no lists yet, or old ones
	apt-get update </dev/null >/dev/null && $line </dev/null >/dev/null
} || { echo "packages: apt-get failed. Run this to see why:" >&2; echo "  $line" >&2; exit 3; }
echo "packages: installed"
