/* flow/pump_tree, and what the rest of the pump makes of a source that is a tree. */
#include "tests/unit/flow/pump_test.h"

#include "core/diag.h"
#include "core/znode.h"

#define PERIOD (600 * NS_PER_S)
#define LONG   (5 * NS_PER_S) /* longer than what leaves is collected */

/* ---- The world ---- */

static struct pump_world *tree_of(const char *root)
{
    struct pump_world *w = pt_new();
    w->entries[0] = (struct replication_entry){.root = slice_str(root)};
    w->replication.n_entries = 1;
    w->replication.digest[0] = 1;
    dest_mem_tree(w->dest);
    return w;
}

static struct pump_world *open_tree(const char *root)
{
    struct pump_world *w = tree_of(root);
    pt_open(w);
    return w;
}

/* The next life has another replication. */
static void change(struct pump_world *w)
{
    pt_close(w);
    w->replication.digest[0]++;
}

static void put_node(struct pump_world *w, const char *path, int64_t owner)
{
    AUTO(buf_done) struct buf body = BUF_INIT(1000);
    const struct znode n = {.data = slice_str(path), .stat = {.ephemeral_owner = owner}};
    znode_print(&n, &body);
    assert_ok(buf_check(&body, "node", NULL));
    ft_append(&w->log, &(struct event){.op = EVENT_PUT,
                                       .cause = CAUSE_WATCH,
                                       .source_kind = SOURCE_ZOOKEEPER,
                                       .key = slice_str(path),
                                       .body = buf_slice(&body)});
}

/* Persistent ones: "/a /a/b". */
static void put_nodes(struct pump_world *w, const char *paths)
{
    AUTO(freep) char *text = strdup(paths);
    for (char *save, *path = strtok_r(text, " ", &save); path; path = strtok_r(NULL, " ", &save))
        put_node(w, path, 0);
}

/* "<under>/00" and so on. */
static void put_many(struct pump_world *w, const char *under, int n)
{
    char path[60];
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%02d", under, i);
        put_node(w, path, 0);
    }
}

static void infer_many(struct pump_world *w, const char *under, int n)
{
    char path[60];
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%02d", under, i);
        ft_delete(&w->log, path, CAUSE_RESYNC);
    }
}

static void end_listing(struct pump_world *w, const char *scope)
{
    ft_own(&w->log, EVENT_SYNC_END, scope);
    pt_run(w);
}

static bool is_there(struct pump_world *w, const char *path)
{
    return dest_mem_get(w->dest, path).p != NULL;
}

static void assert_writes(struct pump_world *w, const char *want)
{
    AUTO(buf_done) struct buf text = BUF_INIT(10000);
    for (size_t i = 0; i < dest_mem_writes(w->dest); i++)
        buf_addf(&text, "%s%s", i ? " " : "", dest_mem_write_at(w->dest, i).key);
    assert_string_equal(text.p ? text.p : "", want);
}

/* ---- Which nodes ---- */

static void nodes_of_the_root_are_copied_and_none_beside_it(void **state)
{
    (void)state;
    struct pump_world *w = open_tree("/a");
    put_nodes(w, "/ /a /a/b /ab /ab/c /b /a/b/c");
    pt_run(w);
    assert_writes(w, "/a /a/b /a/b/c");
    assert_int_equal(pt_committed(w), pt_head(w));
    pt_free(w);
}

static void a_tree_is_listed_once_its_first_listing_was_applied(void **state)
{
    (void)state;
    struct pump_world *w = open_tree("/a");
    assert_true(pt_status(w).unlisted);
    ft_own(&w->log, EVENT_SYNC_BEGIN, "@sync//a");
    put_nodes(w, "/a /a/b");
    pt_run(w);
    assert_true(pt_status(w).unlisted);
    ft_own(&w->log, EVENT_SYNC_END, "@sync//a");
    assert_true(pt_status(w).unlisted);
    pt_run(w);
    assert_false(pt_status(w).unlisted);
    ft_own(&w->log, EVENT_SYNC_BEGIN, "@sync//a"); /* the next ones are no matter */
    put_nodes(w, "/a/c");
    end_listing(w, "@sync//a");
    put_nodes(w, "/a/d");
    assert_false(pt_status(w).unlisted);
    pt_close(w);
    pt_open(w);
    assert_false(pt_status(w).unlisted);
    pt_free(w);
}

static void a_path_that_looks_like_an_object_is_a_node(void **state)
{
    (void)state;
    struct pump_world *w = open_tree("/secrets");
    put_nodes(w, "/secrets /secrets/n /secrets/n/a");
    pt_run(w);
    assert_writes(w, "/secrets /secrets/n /secrets/n/a");
    ft_delete(&w->log, "/secrets/n/a", CAUSE_WATCH);
    pt_run(w);
    assert_false(is_there(w, "/secrets/n/a"));
    pt_free(w);
}

static void keep(void *arg, const char *line, size_t n)
{
    buf_add(arg, line, n);
}

static void ephemeral_nodes_are_passed_over_and_the_first_is_told(void **state)
{
    (void)state;
    struct pump_world *w = tree_of("/a");
    AUTO(buf_done) struct buf said = BUF_INIT(10000);
    AUTO(diag_freep)
    struct diag *d = diag_new(&w->log.clock.clock, DIAG_JSON, DIAG_INFO, keep, &said);
    w->log.env.diag = d;
    pt_open(w);
    put_node(w, "/a", 0);
    put_node(w, "/a/e", 77);
    put_node(w, "/a/f", 77);
    pt_run(w);
    w->log.env.diag = NULL;
    assert_writes(w, "/a");
    assert_true(ft_has(said.p, "/a/e") && ft_has(said.p, "it is ephemeral"));
    assert_false(ft_has(said.p, "/a/f"));
    pt_free(w);
}

static void ephemeral_nodes_are_copied_where_the_entry_says_so(void **state)
{
    (void)state;
    struct pump_world *w = tree_of("/a");
    w->entries[0].ephemeral = true;
    pt_open(w);
    put_node(w, "/a", 0);
    put_node(w, "/a/e", 77);
    pt_run(w);
    assert_writes(w, "/a /a/e");
    pt_free(w);
}

static void a_body_that_is_none_of_a_node_is_held(void **state)
{
    (void)state;
    struct pump_world *w = open_tree("/a");
    pt_put(w, "/a", "{'stat':7}");
    pt_run(w);
    assert_int_equal(pt_status(w).held, 1);
    assert_true(ft_has(pt_status(w).error, "unreadable"));
    pt_free(w);
}

/* ---- Parents first ---- */

static void parents_go_before_their_children_in_whatever_order_the_log_has_them(void **state)
{
    (void)state;
    struct pump_world *w = tree_of("/a");
    put_nodes(w, "/a/b/c/d /a/b/c/e /a/x /a/b /a/b/c /a");
    pt_open(w);
    pt_run(w);
    assert_writes(w, "/a /a/b /a/b/c /a/b/c/d /a/b/c/e /a/x");
    assert_int_equal(pt_committed(w), pt_head(w));
    pt_free(w);
}

static void parents_go_first_through_a_sink_without_room(void **state)
{
    (void)state;
    struct pump_world *w = tree_of("/a");
    put_nodes(w, "/a/b/c/d /a/b /a/b/c /a");
    dest_mem_window(w->dest, 1);
    dest_mem_delay(w->dest, NS_PER_MS);
    pt_open(w);
    pt_run(w);
    assert_writes(w, "/a /a/b /a/b/c /a/b/c/d");
    pt_free(w);
}

static void what_is_above_the_root_or_gone_is_not_sent(void **state)
{
    (void)state;
    struct pump_world *w = tree_of("/a/b");
    put_nodes(w, "/a/b/c/d / /a /a/b/c");
    ft_delete(&w->log, "/a/b/c", CAUSE_WATCH);
    pt_open(w);
    pt_run(w);
    assert_writes(w, "/a/b/c/d");
    pt_free(w);
}

/* Gives in how many steps it is done. */
static int step_until_idle(struct pump_world *w, int most)
{
    for (int i = 0; i < most; i++) {
        int64_t wake;
        struct err e = ERR_INIT;
        enum rc rc = pt_step(w, &wake, &e);
        assert_true(rc >= 0);
        if (rc == RC_AGAIN && wake - pt_now(w) > 2 * NS_PER_S)
            return i;
        if (rc == RC_AGAIN)
            pt_wait(w, wake - pt_now(w));
    }
    return most;
}

static void a_crash_after_any_step_puts_no_older_state_over_a_newer_one(void **state)
{
    (void)state;
    for (int crash_at = 1, steps = 1; crash_at <= steps; crash_at++) {
        struct pump_world *w = tree_of("/a");
        put_nodes(w, "/a /a/b /a/b/c /a/b/d /a/b /a");
        dest_mem_delay(w->dest, NS_PER_MS);
        pt_open(w);
        steps = step_until_idle(w, crash_at);
        put_nodes(w, "/a/b/d /a/b /a/x/y /a/x /a");
        pt_crash(w);
        pt_run(w);
        assert_int_equal(dest_mem_count(w->dest), 6);
        assert_int_equal(dest_mem_disorder(w->dest), 0);
        assert_int_equal(pt_committed(w), pt_head(w));
        pt_free(w);
    }
}

/* ---- Deletes that nobody saw ---- */

static void a_listings_end_decides_about_its_own_nodes_alone(void **state)
{
    (void)state;
    struct pump_world *w = open_tree("/");
    put_nodes(w, "/a /a/b /ab /ab/c");
    pt_run(w);
    ft_delete(&w->log, "/a/b", CAUSE_RESYNC);
    ft_delete(&w->log, "/ab/c", CAUSE_RESYNC);
    end_listing(w, "@sync//a");
    assert_false(is_there(w, "/a/b"));
    assert_true(is_there(w, "/ab/c"));
    end_listing(w, "@sync//ab");
    assert_false(is_there(w, "/ab/c"));
    assert_true(is_there(w, "/a") && is_there(w, "/ab"));
    pt_free(w);
}

static void the_listing_of_a_larger_scope_decides_too(void **state)
{
    (void)state;
    struct pump_world *w = open_tree("/a/b");
    put_nodes(w, "/a/b /a/b/c");
    pt_run(w);
    ft_delete(&w->log, "/a/b/c", CAUSE_RESYNC);
    end_listing(w, "@sync//");
    assert_false(is_there(w, "/a/b/c"));
    pt_free(w);
}

static void the_guard_counts_the_copies_of_the_listed_tree(void **state)
{
    (void)state;
    struct pump_world *w = open_tree("/");
    put_nodes(w, "/a /ab");
    put_many(w, "/a", 12);
    put_many(w, "/ab", 90);
    put_many(w, "/ac", 90);
    pt_run(w);
    infer_many(w, "/a", 11); /* of all 194 that would be few */
    end_listing(w, "@sync//a");
    assert_int_equal(pt_status(w).prune_held, 11);
    assert_true(ft_has(pt_status(w).error, "11 of 13 copies of /a are gone"));
    infer_many(w, "/ab", 10);
    end_listing(w, "@sync//ab");
    assert_int_equal(pt_status(w).prune_held, 11);
    assert_false(is_there(w, "/ab/09"));
    pt_free(w);
}

/* ---- The destination ---- */

static void what_a_destination_without_marks_had_before_is_nobodys_copy(void **state)
{
    (void)state;
    struct pump_world *w = tree_of("/a");
    dest_mem_leave(w->dest, "/a/other", "{}");
    pt_open(w);
    put_nodes(w, "/a");
    end_listing(w, "@sync//a");
    assert_true(is_there(w, "/a/other"));
    assert_writes(w, "/a");
    pt_free(w);
}

static void a_comparison_restores_copies_and_leaves_other_nodes_alone(void **state)
{
    (void)state;
    struct pump_world *w = tree_of("/a");
    w->replication.resync_ns = PERIOD;
    pt_open(w);
    put_nodes(w, "/a /a/b /a/c /ab");
    pt_run(w);
    dest_mem_leave(w->dest, "/a/other", "{}");
    dest_mem_leave(w->dest, "/ab", "{}");
    dest_mem_touch(w->dest, "/a/b", "{}");
    dest_mem_touch(w->dest, "/a/c", NULL);
    pt_wait(w, 2 * PERIOD);
    pt_run(w);
    assert_int_equal(pt_status(w).repaired, 2);
    end_listing(w, "@sync//a");
    assert_true(is_there(w, "/a/c") && is_there(w, "/a/other") && is_there(w, "/ab"));
    assert_int_equal(dest_mem_submits(w->dest, "/a/other"), 0);
    assert_int_equal(dest_mem_submits(w->dest, "/a"), 1);
    pt_free(w);
}

/* ---- Changed synchronizations ---- */

static void what_is_excluded_later_is_frozen_and_comes_back(void **state)
{
    (void)state;
    AUTO(regex_freep) struct regex *exclude = ft_regex("/tmp");
    struct pump_world *w = open_tree("/a");
    put_nodes(w, "/a /a/tmp /a/tmp/x /a/y");
    pt_run(w);
    change(w);
    w->entries[0].exclude_path = exclude;
    pt_open(w);
    pt_run(w);
    assert_int_equal(pt_status(w).deselected, 2);
    assert_true(is_there(w, "/a/tmp/x"));
    change(w);
    w->entries[0].exclude_path = NULL;
    pt_open(w);
    pt_run(w);
    assert_int_equal(pt_status(w).deselected, 0);
    pt_free(w);
}

static void copies_of_a_root_that_is_no_longer_named_are_frozen(void **state)
{
    (void)state;
    struct pump_world *w = open_tree("/a");
    put_nodes(w, "/a /a/b /ab");
    pt_run(w);
    change(w);
    w->entries[0].root = SLICE("/ab");
    pt_open(w);
    pt_run(w);
    assert_int_equal(pt_status(w).deselected, 2);
    assert_true(is_there(w, "/a/b") && is_there(w, "/ab"));
    pt_free(w);
}

static void what_leaves_is_removed_where_that_is_asked_for_and_not_too_much_at_once(void **state)
{
    (void)state;
    AUTO(regex_freep) struct regex *few = ft_regex("/few");
    AUTO(regex_freep) struct regex *many = ft_regex("/few|/many");
    struct pump_world *w = tree_of("/a");
    w->replication.prune_deselected = true;
    pt_open(w);
    put_nodes(w, "/a /a/few /a/many");
    put_many(w, "/a/few", 5);
    put_many(w, "/a/many", 12);
    pt_run(w);
    change(w);
    w->entries[0].exclude_path = few;
    pt_open(w);
    pt_run_for(w, LONG);
    assert_false(is_there(w, "/a/few") || is_there(w, "/a/few/04"));
    change(w);
    w->entries[0].exclude_path = many;
    pt_open(w);
    pt_run_for(w, LONG);
    assert_int_equal(pt_status(w).prune_held, 13);
    assert_true(ft_has(pt_status(w).error, "19 of 20 copies of / left the selection (6 of them"));
    pt_free(w);
}

/* ---- Long paths ---- */

static void what_waits_for_a_long_path_waits_for_no_part_of_it(void **state)
{
    (void)state;
    struct pump_world *w = open_tree("/a");
    char parent[600] = "/a/";
    memset(parent + 3, 'x', 500);
    dest_mem_script(
        w->dest, "/a",
        &(struct sink_script){
            .outcome = SINK_WAITING, .cls = "parent-missing", .dependency = parent, .times = 1});
    put_nodes(w, "/a");
    struct err e = ERR_INIT;
    int64_t wake;
    for (int i = 0; i < 10; i++)
        assert_true(pt_step(w, &wake, &e) >= 0);
    AUTO(rows_freep) struct rows *rows = NULL;
    pt_wait(w, NS_PER_S / 5);
    assert_true(pt_step(w, &wake, &e) >= 0);
    assert_ok(rows_open(w->ckpt, PT_SYNC, &rows, &e));
    struct hold *h = rows_hold(rows, SLICE("/a"));
    assert_non_null(h);
    assert_string_equal(h->dependency, "");
    pt_run(w);
    assert_writes(w, "/a");
    pt_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_of_the_root_are_copied_and_none_beside_it),
        cmocka_unit_test(a_tree_is_listed_once_its_first_listing_was_applied),
        cmocka_unit_test(a_path_that_looks_like_an_object_is_a_node),
        cmocka_unit_test(ephemeral_nodes_are_passed_over_and_the_first_is_told),
        cmocka_unit_test(ephemeral_nodes_are_copied_where_the_entry_says_so),
        cmocka_unit_test(a_body_that_is_none_of_a_node_is_held),
        cmocka_unit_test(parents_go_before_their_children_in_whatever_order_the_log_has_them),
        cmocka_unit_test(parents_go_first_through_a_sink_without_room),
        cmocka_unit_test(what_is_above_the_root_or_gone_is_not_sent),
        cmocka_unit_test(a_crash_after_any_step_puts_no_older_state_over_a_newer_one),
        cmocka_unit_test(a_listings_end_decides_about_its_own_nodes_alone),
        cmocka_unit_test(the_listing_of_a_larger_scope_decides_too),
        cmocka_unit_test(the_guard_counts_the_copies_of_the_listed_tree),
        cmocka_unit_test(what_a_destination_without_marks_had_before_is_nobodys_copy),
        cmocka_unit_test(a_comparison_restores_copies_and_leaves_other_nodes_alone),
        cmocka_unit_test(what_is_excluded_later_is_frozen_and_comes_back),
        cmocka_unit_test(copies_of_a_root_that_is_no_longer_named_are_frozen),
        cmocka_unit_test(what_leaves_is_removed_where_that_is_asked_for_and_not_too_much_at_once),
        cmocka_unit_test(what_waits_for_a_long_path_waits_for_no_part_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
