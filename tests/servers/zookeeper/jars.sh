#!/bin/bash
# jars.sh find VERSION      print the Java class path of that server, or exit 3; VERSION is debian (3.8 of Debian 12) or 3.9.5
# jars.sh get [VERSION...]  make sure that it can be found (default: both): 3.9.5 is fetched by Maven into our cache, once
#
# The cache is ${XDG_CACHE_HOME:-~/.cache}/resilog/zookeeper-3.9.5/; it appears by rename, and one lock serves all runs.
# Exit: 0 done, 1 failed, 2 usage, 3 something is missing and the message says what brings it.
set -eu

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
caches=${XDG_CACHE_HOME:-$HOME/.cache}/resilog
cache=$caches/zookeeper-3.9.5
debian=/usr/share/java
debian_jars="zookeeper slf4j-simple servlet-api netty-codec netty-resolver netty-transport-native-unix-common"
# What an AdminServer is made of, beside that: Debian's zookeeper.jar names most of it itself, to 3.9.5 it is lent.
admin_jars="servlet-api jetty9-server jetty9-servlet jetty9-security jetty9-http jetty9-io jetty9-util jetty9-util-ajax
	jackson-databind jackson-core jackson-annotations"
maven_seconds=300

say() { echo "jars.sh: $*" >&2; }

find_jars() { # VERSION
	local jar path=
	case $1 in
	debian)
		for jar in $debian_jars; do
			[ -e "$debian/$jar.jar" ] || return 3
			path=$path${path:+:}$debian/$jar.jar
		done
		echo "$path" ;;
	3.9.5)
		[ -d "$cache" ] || return 3
		path=$cache/*
		for jar in $admin_jars; do
			[ ! -e "$debian/$jar.jar" ] || path=$path:$debian/$jar.jar
		done
		echo "$path" ;;
	*) say "no version $1: debian or 3.9.5"; exit 2 ;;
	esac
}

fetch() {
	local new
	type -P mvn >/dev/null || { say "ZooKeeper 3.9.5 is fetched by Maven, which is missing: apt-get install maven"; return 3; }
	mkdir -p "$caches"
	exec 9>"$caches/zookeeper.lock"
	flock -n 9 || { say "waiting for another run that fills $cache"; flock 9; }
	[ ! -d "$cache" ] || return 0
	new=$(mktemp -d "$caches/zookeeper.XXXXXX")
	say "fetching ZooKeeper 3.9.5 by Maven (usually half a minute, once)"
	if timeout "$maven_seconds" mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies \
		-DincludeScope=runtime -DoutputDirectory="$new/jars" </dev/null >"$new/log" 2>&1; then
		mv "$new/jars" "$cache"
		rm -r "$new"
		return 0
	fi
	tail -n 5 "$new/log" >&2
	rm -r "$new"
	say "Maven could not fetch it: see the lines above"
	return 3
}

get() { # VERSION...
	local version
	for version; do
		find_jars "$version" >/dev/null && continue
		[ "$version" != debian ] || { say "ZooKeeper is missing: apt-get install libzookeeper-java openjdk-17-jre-headless"; return 3; }
		fetch || return
	done
	type -P java >/dev/null || { say "Java is missing: apt-get install openjdk-17-jre-headless"; return 3; }
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
find) find_jars "${1:?usage: jars.sh find VERSION}" ;;
get) [ $# -gt 0 ] || set -- debian 3.9.5; get "$@" ;;
*) sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
