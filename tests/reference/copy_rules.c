/* docs/reference/copy-rules.md and the data table say the same. Without an argument prints the document's tables; with
 * the document's path ends with 1 where it has other ones. */
#include "sinks/kube_rules.h"

#include "core/buf.h"
#include "core/scope.h"

#include <stdio.h>
#include <stdlib.h>

#define DOCUMENT_MAX (1u << 20)
#define BEGIN        "<!-- the tables, as build/dev/tests/copy_rules prints them -->\n"

/* ---- Cells ---- */

static const char *group_of(const char *group)
{
    return group[0] ? group : "core";
}

static const char *star_of(const struct kube_rule *r)
{
    static const char *const words[] = {"yes", "by name only", "never"};
    return words[r->star];
}

static const char *recreate_of(const struct kube_rule *r)
{
    static const char *const words[] = {"held", "made anew", "held"};
    return words[r->recreate];
}

static void add_effects(unsigned effects, struct buf *out)
{
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = {{KUBE_EFFECT_RUNS, "runs"},
                 {KUBE_EFFECT_NETWORK, "network"},
                 {KUBE_EFFECT_DNS, "dns"},
                 {KUBE_EFFECT_CLOUD, "cloud"},
                 {KUBE_EFFECT_ADMISSION, "admission"}};
    const char *comma = "";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!(effects & words[i].bit))
            continue;
        buf_addf(out, "%s%s", comma, words[i].word);
        comma = ", ";
    }
}

static const char *when_of(enum kube_when when)
{
    static const char *const words[] = {
        [KUBE_ALWAYS] = "always",
        [KUBE_UNLESS_NONE] = "unless it is None",
        [KUBE_UNLESS_MANUAL_SELECTOR] = "unless spec.manualSelector is true",
        [KUBE_UNLESS_CHOSEN] = "unless somebody chose the port",
        [KUBE_IF_CA_INJECTED] = "where an annotation asks for a bundle of the destination's own",
        [KUBE_IF_AGGREGATED] = "where the object has an aggregationRule",
        [KUBE_IF_OWN_TOKEN] = "where it names a generated token",
        [KUBE_IF_TOKEN_MOUNT] = "where it is the generated token's volume",
    };
    return words[when];
}

static const char *how_of(enum kube_retain_how how)
{
    static const char *const words[] = {
        [KUBE_RETAIN_MEMBER] = "the destination's value of the same element",
        [KUBE_RETAIN_ELEMENTS] = "the destination's elements",
        [KUBE_RETAIN_SCALED] = "the destination's value where an autoscaler wrote it last",
    };
    return words[how];
}

/* ---- Tables ---- */

static void add_kinds(struct buf *out)
{
    buf_add_str(out, "## Kinds\n\n| group | resource | `*` takes it | replaced and immutable | "
                     "deleted | order | effects |\n|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < kube_rules_count; i++) {
        const struct kube_rule *r = &kube_rules[i];
        if (r->star == KUBE_STAR_NEVER)
            continue;
        buf_addf(out, "| %s | %s | %s | %s | %s | %u | ", group_of(r->group), r->resource,
                 star_of(r), recreate_of(r), r->undeletable ? "by a person" : "yes", r->order);
        add_effects(r->effect, out);
        buf_add_str(out, " |\n");
    }
}

static void add_never(struct buf *out)
{
    buf_add_str(out, "\n## Never copied\n\n| group | resource | because it |\n|---|---|---|\n");
    for (size_t i = 0; i < kube_rules_count; i++) {
        const struct kube_rule *r = &kube_rules[i];
        if (r->star == KUBE_STAR_NEVER)
            buf_addf(out, "| %s | %s | %s |\n", group_of(r->group), r->resource, r->why);
    }
}

static void add_cuts(const char *group, const char *resource, const struct kube_cut *cuts,
                     struct buf *out)
{
    for (const struct kube_cut *c = cuts; c && c->path; c++)
        buf_addf(out, "| %s | %s | `%s` | %s |\n", group, resource, c->path, when_of(c->when));
}

static void add_all_cuts(struct buf *out)
{
    buf_add_str(out, "\n## Members that are never sent\n\n| group | resource | member | when |\n"
                     "|---|---|---|---|\n");
    add_cuts("any", "any", kube_common_cuts, out);
    for (size_t i = 0; i < kube_rules_count; i++)
        add_cuts(group_of(kube_rules[i].group), kube_rules[i].resource, kube_rules[i].cut, out);
}

static void add_retains(struct buf *out)
{
    buf_add_str(out, "\n## Members that the destination keeps\n\n| group | resource | member | "
                     "what is sent |\n|---|---|---|---|\n");
    for (size_t i = 0; i < kube_rules_count; i++) {
        const struct kube_rule *r = &kube_rules[i];
        for (const struct kube_retain *k = r->retain; k && k->path; k++)
            buf_addf(out, "| %s | %s | `%s` | %s%s%s |\n", group_of(r->group), r->resource, k->path,
                     how_of(k->how), k->when ? " " : "", k->when ? when_of(k->when) : "");
    }
}

static void add_skips(struct buf *out)
{
    buf_add_str(out, "\n## Objects that are not copied although their kind is\n\n| group | "
                     "resource | namespace | where | is | but not | because |\n"
                     "|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < kube_skips_count; i++) {
        const struct kube_skip *s = &kube_skips[i];
        buf_addf(out, "| %s | %s | %s | `%s` | %s | %s | %s |\n", group_of(s->group), s->resource,
                 s->ns ? s->ns : "any", s->path, s->value ? s->value : "there",
                 s->unless ? s->unless : "", s->why);
    }
}

static void add_tables(struct buf *out)
{
    add_kinds(out);
    add_never(out);
    add_all_cuts(out);
    add_retains(out);
    add_skips(out);
}

/* ---- The document ---- */

static int compare(const char *path, struct slice tables)
{
    AUTO(freep) char *text = calloc(1, DOCUMENT_MAX);
    FILE *f = fopen(path, "r");
    if (!text || !f) {
        perror(path);
        return 1;
    }
    size_t n = fread(text, 1, DOCUMENT_MAX - 1, f);
    fclose(f);
    const char *begin = strstr(text, BEGIN);
    if (begin) {
        begin += strlen(BEGIN);
        if (slice_eq(slice_of(begin, n - (size_t)(begin - text)), tables))
            return 0;
    }
    fprintf(stderr,
            "%s does not end with the tables of sinks/kube_rules.c; put what this program "
            "prints without an argument behind its line\n%s",
            path, BEGIN);
    return 1;
}

int main(int argc, char **argv)
{
    AUTO(buf_done) struct buf tables = BUF_INIT(DOCUMENT_MAX);
    struct err e = ERR_INIT;
    add_tables(&tables);
    if (buf_check(&tables, "the tables", &e) != RC_OK) {
        fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    if (argc > 1)
        return compare(argv[1], buf_slice(&tables));
    return fwrite(tables.p, 1, tables.n, stdout) == tables.n ? 0 : 1;
}
