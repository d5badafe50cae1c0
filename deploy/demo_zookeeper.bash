# The part of demo.sh that --zookeeper chooses: two servers, the reference's sample, a change that follows, a failover.
# demo.sh sources it behind what both parts need: root, work, resilog, say, show, wait_for.

zookeeper=$root/tests/servers/zookeeper
# Of ZooKeeper's own shell, what it answers.
shell_says() { # SERVER COMMAND...
	"$zookeeper/zk.sh" cli "$work/$1" "${@:2}" 2>&1 </dev/null |
		grep -vE '^$|^Connecting to |^WATCHER::|^WatchedEvent |^Welcome|^JLine|Exiting JVM'
}
src() { shell_says source "$@"; }
dst() { shell_says destination "$@"; }
database() { # NAME SERVER: the sample's, with the address of a server of ours
	sed "/^ *- /d; s/^\( *\)servers:/&\n\1  - $(cat "$work/$2/zk.servers")/" "$root/tests/e2e/reference/8.3-$1.yaml"
}
databases() { # FOLDER
	mkdir "$work/$1"
	database zookeeper-1 source >"$work/$1/zookeeper-1.yaml"
	database zookeeper-2 destination >"$work/$1/zookeeper-2.yaml"
}

say "two ZooKeeper servers, of Debian's package"
for name in source destination; do
	"$zookeeper/zk.sh" start "$work/$name"
	echo "    $name: $(cat "$work/$name/zk.servers")"
done

say "a small application in the source: its configuration, and a queue that has given out three numbers"
for command in "create /shop" "create /shop/config version=1" "create /shop/orders" "create -s /shop/orders/order- a" \
	"create -s /shop/orders/order- b" "create -s /shop/orders/order- c" "delete /shop/orders/order-0000000002"; do
	show src $command
done

say "the reference's sample of one run, of the whole tree"
databases once
cp "$root/tests/e2e/reference/8.3-zookeeper-sync-once.yaml" "$work/once/"
show "$resilog" run -f "$work/once" --data "$work/data" --once --log-format text
show dst ls -R /shop

say "and the same tree live, each change as it happens"
databases live
cat >"$work/live/live.yaml" <<-'LIVE'
	apiVersion: automation.astronetes.io/v1alpha1
	kind: LiveSynchronization
	metadata:
	  name: shop
	spec:
	  plugin: zookeeper-to-zookeeper-nodes
	  config:
	    sourceName: zookeeper-1
	    destinationName: zookeeper-2
	    rootPath: /shop
LIVE
sed 's/^/    /' "$work/live/live.yaml"
echo "  \$ resilog run -f live/ --data data"
"$resilog" run -f "$work/live" --data "$work/data" 2>"$work/resilog.log" &
resilog_pid=$!
caught_up() { "$resilog" status --data "$work/data" -o json shop | grep -q '"phase":"Live"'; }
wait_for 60 "the status Live" caught_up
show src set /shop/config version=2
changed() { dst get /shop/config | grep -qx version=2; }
wait_for 30 "the change in the destination" changed
echo "    the destination has $(dst get /shop/config), too"

say "the status, and the log: every change, and what it was"
show "$resilog" status --data "$work/data"
show "$resilog" log show --data "$work/data" --patch /shop/config
show "$resilog" log verify --data "$work/data"

if [ "$keep" = yes ]; then
	say "everything keeps running until Ctrl-C; in another terminal:"
	cat <<-TEXT
		    $zookeeper/zk.sh cli $work/source create /shop/new x
		    $zookeeper/zk.sh cli $work/destination ls -R /shop
		    $resilog log show --data $work/data -f
		    $resilog status --data $work/data
	TEXT
	wait "$resilog_pid" || :
	exit 0
fi

say "the source dies; the application goes on in the destination, where the queue's next number is the right one"
stop_resilog
"$zookeeper/zk.sh" stop "$work/source" KILL
show dst create -s /shop/orders/order- d
