/* The one table of commands: name, function, summary, help. */
#include "cli/cli.h"

static const char RUN_HELP[] =
    "Usage: resilog run -f FILE|DIR|- --data DIR [OPTIONS]\n\n"
    "Runs every LiveSynchronization of the files: records the source's changes in the log below "
    "DIR and keeps the destinations equal.\n"
    "Changed files (those of --kubeconfig, too) take effect within seconds, or at once on SIGHUP; "
    "files with errors change "
    "nothing.\n"
    "Ends on SIGTERM or Ctrl-C after finishing and committing what is in flight; a second Ctrl-C "
    "ends at once (nothing is lost).\n\n"
    "  -f, --filename FILE      resources as YAML or JSON; a folder (its *.yaml, *.yml, *.json); - "
    "for standard input; may be repeated\n"
    "      --data DIR           where log and checkpoints live; made with mode 0700\n"
    "      --kubeconfig NAME=FILE  credentials of KubernetesCluster NAME from a file, in place of "
    "its Secret; may be repeated\n"
    "      --allow-prune SYNC   approve deletions that the prune guard holds, until an hour after "
    "this start; may be repeated\n"
    "      --accept-source NAME  accept that another cluster has taken the place of "
    "KubernetesCluster NAME, until an "
    "hour after this start; may be repeated\n"
    "      --once               run the Synchronizations alone, each one now, and end with exit "
    "code 0 if all succeeded, "
    "else 1\n"
    "      --dry-run            with --once: print what each Synchronization of znodes would do, "
    "and write nothing; of --data,\n"
    "                           which may be missing, only what earlier runs copied is read\n"
    "      --allow-exec         run the programs that kubeconfigs of --kubeconfig name under exec\n"
    "      --allow-insecure     accept kubeconfigs with insecure-skip-tls-verify, or with http:// "
    "to "
    "another machine\n"
    "      --log-format FORMAT  text or json; default: text on a terminal, else json\n"
    "      --log-level LEVEL    debug, info, warn or error; default info; COMPONENT=LEVEL for one "
    "of controller, "
    "eventslistener,\n"
    "                           processor, synchronizer, reconciler and log; may be repeated\n\n"
    "Example:\n"
    "  resilog run -f livesync/ --data /var/lib/resilog --kubeconfig cluster-1=prod.yaml "
    "--kubeconfig cluster-2=standby.yaml\n";

static const char STATUS_HELP[] =
    "Usage: resilog status --data DIR [-o table|json] [NAME]\n\n"
    "Shows each synchronization: phase, offsets, lag, what is held, the last error. Works while "
    "'run' is running and while it is not.\n\n"
    "      --data DIR        as given to 'run'\n"
    "  -o, --output FORMAT   table (default) or json\n";

static const char HOLDS_LS_HELP[] =
    "Usage: resilog holds ls --data DIR [-o table|json] [NAME]\n\n"
    "Lists the objects that are held because the destination or a guard refuses them, and those "
    "that wait for something "
    "that is missing:\n"
    "why, since when, how often it was tried. Works while 'run' is running and while it is not.\n\n"
    "      --data DIR        as given to 'run'\n"
    "  -o, --output FORMAT   table (default) or json\n";

static const char PREIMAGES_HELP[] =
    "Usage: resilog preimages --data DIR [OPTIONS] [NAME [KEY]]\n\n"
    "Lists the objects of the destination that were kept before 'adopt: always' wrote over them; "
    "with KEY, as the list shows it,\n"
    "prints the object as it was. Works while 'run' is running and while it is not.\n\n"
    "      --data DIR        as given to 'run'\n"
    "  -o, --output FORMAT   table (default; of an object: yaml) or json\n"
    "      --show-secrets    print the values of a Secret as well\n\n"
    "Example:\n"
    "  resilog preimages --data /var/lib/resilog my-sync /configmaps/shop/settings\n";

static const char HOLDS_SHOW_HELP[] =
    "Usage: resilog holds show --data DIR [OPTIONS] SYNC KIND/NAME\n\n"
    "Shows everything that is known of one object that is held or waits: class and reason, since "
    "when, how often it was tried,\n"
    "when it is tried next, what it waits for, and the event that could not be applied with who "
    "made it.\n"
    "Works while 'run' is running and while it is not.\n\n"
    "      --data DIR        as given to 'run'\n"
    "  -n, --namespace NS    only in this namespace\n"
    "  -o, --output FORMAT   text (default) or json\n\n"
    "KIND/NAME as in 'log show', or a key as 'holds ls' prints it: apps/deployments/shop/web, "
    "/app/config.\n";

#define ORDER_HELP                                                                                 \
    "      --data DIR        as given to 'run'\n"                                                  \
    "  -n, --namespace NS    the namespace of KIND/NAME, where several have it\n"

static const char HOLDS_RETRY_HELP[] =
    "Usage: resilog holds retry --data DIR [OPTIONS] SYNC KIND/NAME|--all\n\n"
    "Tries an object that is held or waits now, in place of when its back-off ends; or all of "
    "them. One that was given up by\n"
    "'holds skip' is taken back; --all leaves those alone, and what needs 'run --allow-prune'.\n"
    "While 'run' is not running there is little to do: a start tries all holds at "
    "once.\n\n" ORDER_HELP "      --all             everything that is held or waits\n";

static const char HOLDS_SKIP_HELP[] =
    "Usage: resilog holds skip --data DIR [OPTIONS] SYNC KIND/NAME\n\n"
    "Gives up the event that is held: it is not tried again, not after a restart either, and the "
    "object's copy in the destination\n"
    "stays as it is, also where somebody changes it. A newer event of the object is applied as "
    "usual; a changed synchronization\n"
    "tries it once more; 'holds retry' takes it back. Until then 'holds ls' shows it as skipped, "
    "'status -o json' counts it.\n"
    "Works while 'run' is running and while it is not.\n\n" ORDER_HELP;

static const char ADOPT_HELP[] =
    "Usage: resilog adopt --data DIR [OPTIONS] SYNC [KIND/NAME]\n\n"
    "Makes objects of the destination copies of the synchronization that are held as \"not-ours\": "
    "somebody else made them, and they\n"
    "differ. They are marked and overwritten with the source's state, once, as \"adopt: always\" "
    "would; from then on they are copies\n"
    "as any other. What they were is kept: 'resilog preimages'. What another synchronization keeps "
    "is "
    "never adopted.\n"
    "Needs 'run' to be running. --plan has it try the held objects once, as it does by itself from "
    "time "
    "to time, and shows why each is\n"
    "held now (SEEN now); where nothing runs or answers, why it was (SEEN before).\n\n" ORDER_HELP
    "      --plan            only show what would be adopted, and what is in the way\n";

static const char LOG_SHOW_HELP[] =
    "Usage: resilog log show --data DIR [OPTIONS] [KIND/NAME|PATH|PATH/]\n\n"
    "Prints events of the log: time, offset, op, key, manager. Works while 'run' is running and "
    "while it is not.\n\n"
    "Which events (all that are given must hold):\n"
    "      --data DIR         as given to 'run'\n"
    "      --source NAME      the source's log, where there are several\n"
    "      --since TIME       from then on: RFC 3339, a duration ago (10m, 1h30m), or offset:N\n"
    "      --until TIME       up to but without then; the same forms\n"
    "      --after-cursor CURSOR  what comes behind a cursor\n"
    "      --cursor-file FILE     what comes behind the cursor in FILE, which is then replaced\n"
    "      --tail N           only the last N\n"
    "  -n, --namespace NS     only objects of this namespace\n"
    "      --op OP[,OP]       only these: put, delete, gap, sync-begin, sync-end, position, kind, "
    "epoch, clock\n"
    "      --actor NAME       only what this field manager or user did\n"
    "  -g, --grep PATTERN     only events that match, as -o json prints them; without capitals in "
    "PATTERN case does not matter\n"
    "  -a, --all              the log's own events, too\n\n"
    "How:\n"
    "  -r, --reverse          newest first\n"
    "  -f, --follow           go on with what is appended\n"
    "  -p, --patch            what each event changed (not managedFields and resourceVersion); as "
    "a JSON Patch with -o json\n"
    "  -o, --output FORMAT    table (default), json, jsonl or yaml; with the objects' bodies, "
    "except of Secrets\n"
    "      --show-secrets     print the values of Secrets as well\n"
    "      --show-cursor      print at the end where the next call may go on\n"
    "      --no-pager         on a terminal, too; else $RESILOG_PAGER, $PAGER or less is used "
    "there\n\n"
    "KIND may be the plural, the kind or a short name, in any case, with the group behind a dot "
    "where it is needed: deploy/web,\n"
    "Deployment/web, deployments.apps/web. Of a ZooKeeper source PATH is one znode, and PATH/ that "
    "and all below it: /app/config,\n"
    "/app/, or / for all; their data is shown. NO_COLOR switches colours off.\n";

static const char LOG_VERIFY_HELP[] =
    "Usage: resilog log verify --data DIR [--source NAME]\n\n"
    "Reads the whole log and checks every offset, checksum and hash chain. Exit code 5 and the "
    "first bad offset where it is damaged.\n";

static const char VALIDATE_HELP[] =
    "Usage: resilog validate -f FILE|DIR|- [--kubeconfig NAME=FILE] [-o text|json] [--live] "
    "[--allow-exec] "
    "[--allow-insecure]\n\n"
    "Checks resources without asking any server, and lists every problem with file, line and path. "
    "Exit code 3 if there is an error.\n\n"
    "  -o, --output text|json  json: one array on standard output; each problem has level, place, "
    "path and message\n"
    "      --live  ask the clusters, too, whether the credentials may do what is needed; what is "
    "missing is\n"
    "              printed as a ClusterRole for each cluster, with exit code 3; AdminServers of "
    "Databases what they are\n"
    "      --allow-exec, --allow-insecure  as for 'run'\n\n"
    "Example:\n"
    "  resilog validate -f livesync/ --live --kubeconfig prod=resilog.yaml > missing.yaml\n";

static const char VERIFY_HELP[] =
    "Usage: resilog verify -f FILE|DIR|- [-o text|json] [--extra] [NAME]\n\n"
    "Compares source and destination of a synchronization of znodes as they are now: what is "
    "missing, data, ACL (not with\n"
    "acl: false), the next sequential number. Its filter is applied. Nothing is written. NAME or "
    "NAMESPACE/NAME may be left\n"
    "out where the files have only one. Where the source is being written a difference may be one "
    "of time: ask again.\n\n"
    "  -f, --filename FILE     as for 'run'\n"
    "  -o, --output text|json  a line for each difference (default), or an array\n"
    "      --extra             list what is in the destination alone, too, which is no "
    "difference\n"
    "      --kubeconfig NAME=FILE, --allow-exec, --allow-insecure  as for 'run', where the files "
    "have Kubernetes clusters, too\n\n"
    "Exit code 0: no differences; 1: differences; 2: trouble, or something could not be read or "
    "compared.\n\n"
    "Example:\n"
    "  resilog verify -f zookeeper/ copy-all\n";

const struct command commands[] = {
    {"run", cmd_run, "run synchronizations from files", RUN_HELP},
    {"status", cmd_status, "show how they are", STATUS_HELP},
    {"holds ls", cmd_holds_ls, "list the objects that are held or wait, and why", HOLDS_LS_HELP},
    {"holds show", cmd_holds_show, "show one of them with all that is known", HOLDS_SHOW_HELP},
    {"holds retry", cmd_holds_retry, "try at once what is held", HOLDS_RETRY_HELP},
    {"holds skip", cmd_holds_skip, "give up what is held", HOLDS_SKIP_HELP},
    {"adopt", cmd_adopt, "make copies of held objects that are not ours", ADOPT_HELP},
    {"preimages", cmd_preimages, "show what was kept before it was overwritten", PREIMAGES_HELP},
    {"log show", cmd_log_show, "print the log's events", LOG_SHOW_HELP},
    {"log verify", cmd_log_verify, "check the log's integrity", LOG_VERIFY_HELP},
    {"validate", cmd_validate, "check resources", VALIDATE_HELP},
    {"verify", cmd_verify, "compare the znodes of source and destination", VERIFY_HELP},
    {"version", cmd_version, "print the version", "Usage: resilog version\n"},
    {"__check-segment", cmd_check_segment, NULL, NULL},
};
const size_t n_commands = sizeof commands / sizeof *commands;
