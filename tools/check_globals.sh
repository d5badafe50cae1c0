#!/bin/bash
# check_globals.sh BUILD-FOLDER: no mutable global or static state in the layers' libraries. Tables are const; a table of pointers
# needs relocation, so .data.rel.ro is allowed.
set -eu

# libcurl wants to be initialised once in a process.
exceptions='librl_io.a\(http_curl_shared.c.o\): global_(once|result) '

mapfile -t libraries < <(find "${1:?usage: check_globals.sh BUILD-FOLDER}" -name 'librl_*.a' -not -path '*/tests/*' | sort)
[ "${#libraries[@]}" -gt 0 ] || { echo "globals: no library in $1: build first"; exit 1; }
found=$(for library in "${libraries[@]}"; do
	objdump -t "$library" 2>/dev/null | awk -v library="${library##*/}" '
		/file format/ { object = $1; sub(/:$/, "", object) }
		/ O / && / (\.bss|\.data|\.tbss|\.tdata|\*COM\*)/ && !/ \.data\.rel\.ro/ {
			print library "(" object "): " $NF " is mutable state that nobody owns"
		}'
done | grep -vE "^$exceptions" || :)
[ -z "$found" ] || { echo "$found"; echo "globals: ${#libraries[@]} libraries, $(wc -l <<<"$found") problems"; exit 1; }
echo "globals: ${#libraries[@]} libraries, 0 problems"
