/* resilog preimages: what destinations had before `adopt: always` wrote over it, as the consumers' files say. */
#include "cli/cli.h"
#include "cli/names.h"
#include "cli/pager.h"
#include "cli/print_yaml.h"
#include "cli/secret_mask.h"
#include "cli/table.h"
#include "cli/wire.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/compress.h"
#include "core/json.h"
#include "flow/pump_preimage.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"
#include "log/ckpt.h"
#include "sinks/kube_record.h"
#include "sinks/zk_record.h"

#include <stdio.h>
#include <string.h>

#define ROW_MAX  (64u << 10)
#define TEXT_MAX (64u << 20)

static const struct table_column COLUMNS[] = {
    {"SYNCHRONIZATION", false}, {"KEY", false}, {"KEPT", false}, {"OFFSET", true}};

struct preimages {
    const char *data, *output;
    const char *words[2]; /* synchronization, key; NULL: all */
    bool json, show_secrets;
    struct ckpt *ckpt;
    struct table *table;
    struct compressor *compressor;
    struct slice consumer; /* whose rows are read now */
    size_t printed;
};

/* ---- A list ---- */

static enum rc list_json(const struct preimages *s, struct slice key, const struct preimage *what,
                         struct err *e)
{
    AUTO(buf_done) struct buf out = BUF_INIT(ROW_MAX);
    char kept[TIME_TEXT_MAX];
    buf_add_str(&out, s->printed ? ",\n {\"synchronization\":" : "[{\"synchronization\":");
    json_print_text(s->consumer, &out);
    buf_add_str(&out, ",\"key\":");
    json_print_text(key, &out);
    buf_addf(&out, ",\"kept\":\"%s\",\"offset\":%llu}", time_text(what->kept_ns, kept),
             (unsigned long long)what->offset);
    enum rc rc = buf_check(&out, "row", e);
    if (rc == RC_OK)
        (void)fwrite(out.p, 1, out.n, stdout);
    return rc;
}

static enum rc list_row(struct preimages *s, struct slice key, const struct preimage *what,
                        struct err *e)
{
    AUTO(buf_done) struct buf row = BUF_INIT(ROW_MAX);
    char kept[TIME_TEXT_MAX];
    buf_addf(&row, "%.*s%c%.*s%c%s%c%llu", SLICE_ARG(s->consumer), '\0', SLICE_ARG(key), '\0',
             time_text(what->kept_ns, kept), '\0', (unsigned long long)what->offset);
    enum rc rc = buf_check(&row, "row", e);
    return rc == RC_OK ? table_add(s->table, row.p, NULL, e) : rc;
}

/* ---- One object ---- */

/* The whole object, as the sink kept it; whose record it is its first bytes say. */
static enum rc read_object(const struct preimages *s, struct slice kept, struct buf *out,
                           enum event_source_kind *ret_kind, struct err *e)
{
    struct kube_record of_kube;
    struct zk_record of_zk;
    enum rc rc;
    if (zk_record_is(kept)) {
        *ret_kind = SOURCE_ZOOKEEPER;
        rc = zk_record_decode(kept, &of_zk, e);
        if (rc == RC_OK)
            buf_add_slice(out, of_zk.body);
        return rc == RC_OK ? buf_check(out, "node", e) : rc;
    }
    *ret_kind = SOURCE_KUBERNETES;
    rc = kube_record_decode(kept, &of_kube, e);
    return rc == RC_OK ? kube_record_desired(&of_kube, s->compressor, out, e) : rc;
}

static enum rc print_object(const struct preimages *s, struct slice key,
                            const struct preimage *what, struct err *e)
{
    AUTO(buf_done) struct buf text = BUF_INIT(TEXT_MAX), out = BUF_INIT(TEXT_MAX);
    AUTO(json_freep) struct json_doc *d = NULL;
    enum event_source_kind kind;
    enum rc rc = read_object(s, what->sink, &text, &kind, e);
    if (rc == RC_OK)
        rc = json_parse_view(buf_slice(&text), &d, e);
    if (rc == RC_OK && secret_is(kind, key) && !s->show_secrets)
        rc = secret_mask(d, e);
    if (rc != RC_OK)
        return rc;
    if (s->json) {
        json_print(json_root(d), &out);
        buf_add_char(&out, '\n');
    } else {
        buf_add_str(&out, s->printed ? "---\n" : ""); /* two of that name, in two namespaces */
        print_yaml(d, json_root(d), &out);
    }
    rc = buf_check(&out, "object", e);
    if (rc == RC_OK)
        (void)fwrite(out.p, 1, out.n, stdout);
    return rc;
}

/* ---- The command ---- */

static enum rc take_row(void *arg, struct slice row_key, struct slice value, struct err *e)
{
    struct preimages *s = arg;
    struct preimage what;
    size_t skip = sizeof PREIMAGE_PREFIX - 1;
    struct slice key = slice_of(row_key.p + skip, row_key.n - skip);
    if (s->words[1] && !slice_eq(key, slice_str(s->words[1])))
        return RC_OK;
    enum rc rc = preimage_decode(value, &what, e);
    if (rc != RC_OK)
        return rc;
    rc = s->words[1] ? print_object(s, key, &what, e)
         : s->json   ? list_json(s, key, &what, e)
                     : list_row(s, key, &what, e);
    s->printed += rc == RC_OK;
    return rc;
}

static enum rc read_consumer(void *arg, struct slice consumer, struct err *e)
{
    struct preimages *s = arg;
    s->consumer = consumer;
    return ckpt_scan(s->ckpt, consumer, CKPT_APPLIED, SLICE(PREIMAGE_PREFIX), take_row, s, e);
}

static enum rc parse_args(int argc, char **argv, struct preimages *s, struct err *e)
{
    const struct option_spec specs[] = {
        {0, "data", NULL, &s->data, NULL},
        {'o', "output", NULL, &s->output, NULL},
        {0, "show-secrets", &s->show_secrets, NULL, NULL},
    };
    struct option_rest rest = {s->words, 2, 0};
    enum rc rc = options_parse(argc, argv, specs, sizeof specs / sizeof *specs, &rest, e);
    if (rc < 0)
        return rc;
    const char *plain = s->words[1] ? "yaml" : "table";
    s->json = s->output && strcmp(s->output, "json") == 0;
    if (!s->data || !s->data[0])
        return err_set(e, RC_INVALID, ERR_FINAL, "which folder? give --data DIR");
    if (s->output && !s->json && strcmp(s->output, plain) != 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "-o %s: %s or json", s->output, plain);
    return RC_OK;
}

static enum rc open_all(struct preimages *s, struct err *e)
{
    struct env env = {clock_sys(), rng_sys(), NULL, NULL};
    s->compressor = compressor_new();
    if (!s->compressor)
        return err_nomem(e);
    enum rc rc = data_open_ckpt(s->data, &env, &s->ckpt, e);
    return rc == RC_OK ? table_new(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, pager_may_colour(),
                                   &s->table, e)
                       : rc;
}

static void preimages_done(struct preimages *s)
{
    table_free(s->table);
    compressor_free(s->compressor);
    ckpt_close(s->ckpt);
}

/* The end of what was printed, or that there is nothing. */
static int end(struct preimages *s, int code)
{
    struct err e = ERR_INIT;
    if (s->words[1] && !s->printed && code == EXIT_DONE) {
        err_set(&e, RC_NOTFOUND, ERR_FINAL,
                "nothing was kept of \"%s\"; 'resilog preimages' without a key lists what was",
                s->words[1]);
        return cli_fail(&e);
    }
    if (!s->words[1] && s->json)
        puts(s->printed ? "]" : "[]");
    else if (!s->words[1] && s->printed)
        table_print(s->table);
    else if (!s->words[1] && code == EXIT_DONE)
        fprintf(stderr, "resilog: nothing was kept\n");
    return cli_finish_output(code);
}

int cmd_preimages(int argc, char **argv)
{
    AUTO(preimages_done) struct preimages s = {0};
    struct err e = ERR_INIT;
    size_t meant;
    if (parse_args(argc, argv, &s, &e) < 0)
        return cli_usage("preimages", &e);
    if (open_all(&s, &e) < 0)
        return cli_fail(&e);
    int code = names_each(s.ckpt, s.words[0], read_consumer, &s, &meant);
    if (code == EXIT_DONE && s.words[0] && meant == 0) {
        err_set(&e, RC_NOTFOUND, ERR_FINAL, "no synchronization \"%s\" in %s", s.words[0], s.data);
        return cli_fail(&e);
    }
    return end(&s, code);
}
