# What the tests of resilog with ZooKeeper share, over resilog.bash: Databases, synchronizations, whether two trees are equal.

# database RESOURCE ENSEMBLE [SECRET]: prints the Database of an ensemble of zk_start.
database() {
    printf -- '---\napiVersion: assets.astronetes.io/v1alpha1\nkind: Database\nmetadata: {name: %s}\n' "$1"
    printf 'spec: {zookeeper: {client: {servers: [%s]%s}}}\n' "$(zk_quoted "$2")" "${3:+, secretName: $3}"
}
zk_quoted() { # ENSEMBLE; the ports with TLS where it is "ENSEMBLE tls"
    local file=$E2E_DIR/${1% tls}/zk.servers
    [[ $1 != *" tls" ]] || file=$file.tls
    sed 's/[^,]*/"&"/g' "$file"
}
# declare_databases NAME ENSEMBLE...: the Databases of an instance; each has the name of its ensemble.
declare_databases() {
    local folder=$E2E_DIR/$1 ensemble
    shift
    mkdir -p "$folder"
    : >"$folder.clusters" # a kubeconfig needs none
    printf '%s\n' "$@" >"$folder.databases"
    for ensemble; do database "$ensemble" "$ensemble"; done >"$folder/databases.yaml"
}
# declare_secret NAME SECRET KEY=VALUE|KEY=@FILE...: a Secret of that instance, in clear.
declare_secret() {
    local pair value
    {
        printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: %s}\nstringData:\n' "$2"
        for pair in "${@:3}"; do
            value=${pair#*=}
            printf '  %s: |-\n' "${pair%%=*}"
            if [[ $value == @* ]]; then cat "${value#@}"; else echo "$value"; fi | sed 's/^/    /'
        done
    } >"$E2E_DIR/$1/$2.yaml"
}
# declare_tree NAME KIND SYNC SOURCE DESTINATION CONFIG-FIELD...: a synchronization of KIND that copies a tree.
declare_tree() {
    cat >"$E2E_DIR/$1/$3.yaml" <<-SYNC
	apiVersion: automation.astronetes.io/v1alpha1
	kind: $2
	metadata: {name: $3}
	spec:
	  plugin: zookeeper-to-zookeeper-nodes
	  config:
	    sourceName: $4
	    destinationName: $5
	$(printf '    %s\n' "${@:6}")
	SYNC
}
# once NAME [OPTION...]: runs its Synchronizations to their end; ends as resilog does.
once() {
    "$RESILOG" run -f "$E2E_DIR/$1" --data "$E2E_DIR/$1.data" --once "${@:2}" 2>>"$E2E_DIR/$1.log"
}
# zk_root ENSEMBLE COMMAND...: zk_tool as the user who may do everything.
zk_root() {
    zk_tool -u super:super "$(zk_servers "$1")" "${@:2}"
}
# zk_same SOURCE DESTINATION ROOT [OPTION...]: zk_compare.py between two ensembles.
zk_same() {
    zk_root "$1" dump "$3" >"$E2E_DIR/$1.dump" || return
    zk_root "$2" dump "$3" >"$E2E_DIR/$2.dump" || return
    "$ROOT/tests/e2e/zk_compare.py" "$E2E_DIR/$1.dump" "$E2E_DIR/$2.dump" "${@:4}"
}
# wait_zk_same SECONDS SOURCE DESTINATION ROOT [OPTION...]: until they are equal; prints the differences if they do not become so.
wait_zk_same() {
    wait_until "$1" zk_same "${@:2}" || { zk_same "${@:2}"; return 1; }
}
# mend_adopted NAME SYNC ENSEMBLE: does what holds of class "adopted" ask a person for. A node that was made just before resilog
# was killed, and deleted before it looked again, cannot be told from one of somebody else.
mend_adopted() {
    local key
    while read -r key; do
        [ -z "$key" ] || ! zk_root "$3" delete "$key" || "$RESILOG" holds retry --data "$E2E_DIR/$1.data" "$2" "$key"
    done < <("$RESILOG" holds ls --data "$E2E_DIR/$1.data" -o json |
        json "'\n'.join(sorted((h['key'] for h in d if h['class'] == 'adopted'), reverse=True))")
}
# wait_zk_mended SECONDS NAME SYNC SOURCE DESTINATION ROOT [OPTION...]: as wait_zk_same, with mend_adopted.
wait_zk_mended() {
    mended() {
        mend_adopted "$1" "$2" "$4"
        zk_same "${@:3}"
    }
    wait_until "$1" mended "${@:2}" || { zk_same "${@:4}"; return 1; }
}
