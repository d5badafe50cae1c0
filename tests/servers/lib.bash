# What the scripts of servers share. They set $dir, the folder of what they started, and say by alive NAME whether that
# runs: $dir/NAME.pid has its number.
stop_seconds=20

say() { echo "${BASH_SOURCE[-1]##*/}: $*" >&2; }

# Free ports below the range that the kernel gives to clients, so that no client takes one while its server is down.
free_ports() { # COUNT
	perl -MIO::Socket::INET -e '
		while (@open < $ARGV[0] && $tries++ < 10000) {
			my $port = 15000 + int rand 17000;
			my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $port, Listen => 1) or next;
			push @open, $s;
		}
		print join(" ", map { $_->sockport } @open), "\n"' "$1"
}

# True while threads of what has ended still run: until the last one is gone, they hold its sockets.
ending() { # NAME
	local pid tasks
	[ -e "$dir/$1.pid" ] || return 1
	pid=$(cat "$dir/$1.pid")
	grep -qs '^State:[[:space:]]*[ZX]' "/proc/$pid/status" || return 1
	tasks=("/proc/$pid/task"/*)
	[ "${#tasks[@]}" -gt 1 ]
}

signal() { # NAME SIGNAL
	! alive "$1" || kill -s "$2" "$(cat "$dir/$1.pid")" 2>/dev/null || :
}

wait_gone() { # NAME
	local end=$((SECONDS + stop_seconds))
	while alive "$1" || ending "$1"; do
		[ "$SECONDS" -lt "$end" ] || signal "$1" KILL
		sleep 0.02
	done
	rm -f "$dir/$1.pid"
}
