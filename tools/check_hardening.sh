#!/bin/bash
# check_hardening.sh PROGRAM: what the flags of a release build (cmake/options.cmake) must have made of the program.
set -eu

program=${1:?usage: check_hardening.sh PROGRAM}
[ -f "$program" ] || { echo "hardening: no $program: build it with preset release first"; exit 1; }
header=$(readelf -hW "$program") segments=$(readelf -lW "$program") dynamic=$(readelf -dW "$program")
symbols=$(readelf --dyn-syms -W "$program")
failed=0

must() { # WHAT TEXT PATTERN
	grep -qE "$3" <<<"$2" || { echo "$program: $1"; failed=$((failed + 1)); }
}
must "not position-independent; link it with -pie" "$header$dynamic" 'FLAGS_1.* PIE'
must "its relocations stay writable; link it with -z relro" "$segments" 'GNU_RELRO'
must "its functions are bound late; link it with -z now" "$dynamic" 'BIND_NOW|FLAGS_1.* NOW'
must "its stack is executable; link it with -z noexecstack" "$segments" 'GNU_STACK .* RW +0x'
must "no stack protector; compile it with -fstack-protector-strong" "$symbols" ' __stack_chk_fail(@|$)'
must "no checked library calls; compile it with -O2 -D_FORTIFY_SOURCE=3" "$symbols" ' __[a-z]+_chk(@|$)'
echo "hardening: 1 program, $failed problems"
[ "$failed" -eq 0 ]
