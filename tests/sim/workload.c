/* Users of both clusters. What they write in the source bears a number that only grows, so that whoever looks at the
 * destination can tell older from newer; what others write in the destination bears a mark of its own.
 *
 * Keeps nothing: names are drawn from a small pool, so that the same object meets many fates. An operation that a
 * server refuses, as on an immutable object or in a terminating namespace, has simply not happened. */
#include "tests/sim/workload.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/key.h"
#include "flow/replication.h"
#include "sinks/kube_mark.h"
#include "sinks/kube_project.h"
#include "sinks/kube_rules.h"
#include "flow/transform.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX   (256u << 10)
#define LARGE_SIZE (24u << 10)
#define KEY_TEXT   128
#define CRD_KEY    "apiextensions.k8s.io/customresourcedefinitions//" CRD_NAME

enum kind { CONFIGMAP, SECRET, DEPLOYMENT, WIDGET, KINDS };
static const struct {
    const char *scope, *api_version, *kind;
} kinds[KINDS] = {
    [CONFIGMAP] = {"/configmaps", "v1", "ConfigMap"},
    [SECRET] = {"/secrets", "v1", "Secret"},
    [DEPLOYMENT] = {"apps/deployments", "apps/v1", "Deployment"},
    [WIDGET] = {"example.com/widgets", "example.com/v1", "Widget"},
};

struct target {
    enum kind kind;
    unsigned ns, name;
    char key[KEY_TEXT];
};

static struct target target_of(enum kind kind, unsigned ns, unsigned name)
{
    struct target t = {.kind = kind, .ns = ns, .name = name};
    snprintf(t.key, sizeof t.key, "%s/n%u/%c", kinds[kind].scope, ns, 'a' + (int)name);
    return t;
}

static struct target draw_target(struct world *w)
{
    return target_of((enum kind)world_below(w, KINDS), (unsigned)world_below(w, SIM_NAMESPACES),
                     (unsigned)world_below(w, SIM_NAMES));
}

/* ---- Bodies ---- */

static void add_header(struct buf *b, const struct target *t)
{
    buf_addf(b,
             "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%c\",\"namespace\":"
             "\"n%u\"",
             kinds[t->kind].api_version, kinds[t->kind].kind, 'a' + (int)t->name, t->ns);
}

static void add_data(struct world *w, struct buf *b)
{
    static const char *const some[] = {
        ",\"data\":{}",
        "",
        ",\"data\":{\"k\":\"9007199254740993\",\"e\":\"\"}",
        ",\"data\":{\"k\":\"a\\u0001\\n\\\"z\",\"\xc3\xa4\":\"\xe2\x82\xac\"}",
        ",\"binaryData\":null,\"data\":{\"k\":\"v\",\"l\":\"w\"}",
        ",\"data\":{\"k\":\"v2\"},\"immutable\":true",
    };
    uint64_t which = world_below(w, 40);
    if (which > 0) {
        buf_add_str(b, some[which % (sizeof some / sizeof *some)]);
        return;
    }
    buf_add_str(b, ",\"data\":{\"large\":\"");
    for (unsigned i = 0; i < LARGE_SIZE; i++)
        buf_add_char(b, (char)('a' + i % 23));
    buf_add_str(b, "\"}");
    world_saw(w, SIGHT_LARGE);
}

static void add_spec(struct world *w, struct buf *b, const struct target *t)
{
    switch (t->kind) {
    case CONFIGMAP:
        add_data(w, b);
        break;
    case SECRET:
        buf_addf(b, ",\"type\":\"example.com/t%u\"", (unsigned)world_below(w, 2));
        add_data(w, b);
        break;
    case DEPLOYMENT:
        buf_addf(b,
                 ",\"spec\":{\"replicas\":%u,\"selector\":{\"matchLabels\":{\"app\":\"x%u\"}},"
                 "\"template\":{\"metadata\":{\"labels\":{\"app\":\"x\"}},\"spec\":{\"containers\":"
                 "[{\"name\":\"c\",\"image\":\"i:%u\"}]}}}",
                 (unsigned)world_below(w, 4), world_chance(w, 850) ? 0 : 1,
                 (unsigned)world_below(w, 9));
        break;
    case WIDGET:
        buf_addf(b, ",\"spec\":{\"size\":%u,\"big\":9007199254740993%s}",
                 (unsigned)world_below(w, 9), world_chance(w, 800) ? ",\"owner\":\"me\"" : "");
        break;
    case KINDS:
        break;
    }
}

static void put_object(struct world *w, const struct target *t)
{
    AUTO(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
    uint64_t seq = ++w->last_seq;
    add_header(&b, t);
    buf_addf(&b, ",\"labels\":{\"copy\":\"%s\"}", world_chance(w, 750) ? "yes" : "no");
    buf_addf(&b, ",\"annotations\":{\"" SEQ_ANNOTATION "\":\"%llu\"}}", (unsigned long long)seq);
    add_spec(w, &b, t);
    buf_add_char(&b, '}');
    int status = fake_kube_put(w->source, b.p);
    world_say(w, "user: put %s seq %llu: %d", t->key, (unsigned long long)seq, status);
}

/* The selector of a deployment cannot change, nor can a secret's type: most updates change an annotation only. */
static void touch_object(struct world *w, const struct target *t)
{
    AUTO(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
    AUTO(json_freep) struct json_doc *d = NULL;
    struct slice object = fake_kube_get(w->source, t->key);
    struct json *seq, *label;
    char text[32];
    if (object.n == 0 || json_parse(object, &d, NULL) != RC_OK) {
        put_object(w, t);
        return;
    }
    struct json *metadata = json_get(json_root(d), "metadata");
    snprintf(text, sizeof text, "%llu", (unsigned long long)++w->last_seq);
    if (json_value_text(d, slice_str(text), &seq, NULL) != RC_OK ||
        json_set(d, json_get(metadata, "annotations"), SLICE(SEQ_ANNOTATION), seq, NULL) != RC_OK)
        abort();
    if (world_chance(w, 300) &&
        (json_value(d, world_chance(w, 500) ? SLICE("\"yes\"") : SLICE("\"no\""), &label, NULL) !=
             RC_OK ||
         json_set(d, json_get(metadata, "labels"), SLICE("copy"), label, NULL) != RC_OK))
        abort();
    json_print(json_root(d), &b);
    int status = fake_kube_put(w->source, b.p);
    world_say(w, "user: touch %s seq %s: %d", t->key, text, status);
}

/* ---- Namespaces and the CRD ---- */

static void put_namespace(struct world *w, struct fake_kube *k, unsigned ns, const char *tier)
{
    char text[256];
    snprintf(text, sizeof text,
             "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"n%u\","
             "\"labels\":{\"tier\":\"%s\"}}}",
             ns, tier);
    int status = fake_kube_put(k, text);
    world_say(w, "user: namespace n%u in the %s, tier %s: %d", ns,
              k == w->source ? "source" : "destination", tier, status);
}

static const char *draw_tier(struct world *w)
{
    return world_chance(w, 700) ? "prod" : "test";
}

static void put_crd(struct world *w, struct fake_kube *k)
{
    int status = fake_kube_put(
        k, "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\","
           "\"metadata\":{\"name\":\"" CRD_NAME "\"},\"spec\":{\"group\":\"example.com\",\"names\":"
           "{\"kind\":\"Widget\",\"listKind\":\"WidgetList\",\"plural\":\"widgets\",\"singular\":"
           "\"widget\"},\"scope\":\"Namespaced\",\"versions\":[{\"name\":\"v1\",\"served\":true,"
           "\"storage\":true,\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\","
           "\"x-kubernetes-preserve-unknown-fields\":true}}}]}}");
    world_say(w, "user: CRD in the %s: %d", k == w->source ? "source" : "destination", status);
}

/* ---- What users of the source do ---- */

static void act_put(struct world *w)
{
    struct target t = draw_target(w);
    put_object(w, &t);
}

static void act_touch(struct world *w)
{
    struct target t = draw_target(w);
    for (uint64_t n = 1 + world_below(w, 3); n > 0; n--)
        touch_object(w, &t);
}

static void remove_object(struct world *w, const struct target *t)
{
    int status = fake_kube_delete(w->source, t->key);
    world_say(w, "user: delete %s: %d", t->key, status);
}

static void act_delete(struct world *w)
{
    struct target t = draw_target(w);
    remove_object(w, &t);
}

static void act_recreate(struct world *w)
{
    struct target t = draw_target(w);
    remove_object(w, &t);
    put_object(w, &t);
}

/* Some objects of one kind go, and the server forgets it before anybody was told. */
static void act_purge_unseen(struct world *w)
{
    enum kind kind = (enum kind)world_below(w, KINDS);
    for (unsigned ns = 0; ns < SIM_NAMESPACES; ns++)
        for (unsigned name = 0; name < SIM_NAMES; name++) {
            struct target t = target_of(kind, ns, name);
            if (world_chance(w, 600))
                remove_object(w, &t);
        }
    world_say(w, "the source restarts before it told anybody");
    fake_kube_restart(w->source);
}

static void act_fill(struct world *w)
{
    enum kind kind = (enum kind)world_below(w, KINDS);
    for (unsigned ns = 0; ns < SIM_NAMESPACES; ns++)
        for (unsigned name = 0; name < SIM_NAMES; name++) {
            struct target t = target_of(kind, ns, name);
            put_object(w, &t);
        }
}

/* Now and then some of what its labels select changes in the same moment, the last first, as whoever walks over them
 * begins at the other end. */
static void act_namespace(struct world *w)
{
    unsigned ns = (unsigned)world_below(w, SIM_NAMESPACES);
    put_namespace(w, w->source, ns, draw_tier(w));
    unsigned changed = world_chance(w, 500) ? 500 : 0;
    for (unsigned name = SIM_NAMES; name-- > 0;) {
        struct target t = target_of(SECRET, ns, name);
        if (world_chance(w, changed))
            (world_chance(w, 500) ? remove_object : touch_object)(w, &t);
    }
}

static void act_delete_namespace(struct world *w)
{
    char key[KEY_TEXT];
    snprintf(key, sizeof key, "/namespaces//n%u", (unsigned)world_below(w, SIM_NAMESPACES));
    int status = fake_kube_delete(w->source, key);
    world_say(w, "user: delete %s: %d", key, status);
}

static void act_crd(struct world *w)
{
    if (world_chance(w, 700)) {
        put_crd(w, w->source);
        return;
    }
    int status = fake_kube_delete(w->source, CRD_KEY);
    world_say(w, "user: delete the CRD: %d", status);
}

/* ---- What others do in the destination ---- */

static void other_namespace(struct world *w)
{
    put_namespace(w, w->destination, (unsigned)world_below(w, SIM_NAMESPACES), "other");
}

static void other_crd(struct world *w)
{
    if (!w->plan.copy_crd)
        put_crd(w, w->destination);
}

/* An object under a name that the source may use too, with content that the source never has. */
static void other_object(struct world *w)
{
    AUTO(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
    struct target t = draw_target(w);
    if (fake_kube_get(w->destination, t.key).n)
        return;
    add_header(&b, &t);
    buf_addf(&b, ",\"annotations\":{\"" OTHER_ANNOTATION "\":\"own\"");
    if (world_chance(w, 300)) /* a mark that was copied along from another object */
        buf_addf(&b, ",\"" KUBE_OWNER_MARK "\":\"v1 %s 0123456789abcdef %s-other\"",
                 w->destination_uid, t.key);
    buf_add_str(&b, "}");
    buf_add_str(&b, t.kind == DEPLOYMENT ? ",\"spec\":{\"selector\":{\"matchLabels\":{\"app\":"
                                           "\"other\"}},\"template\":{}}}"
                                         : ",\"foreign\":{\"x\":1}}");
    int status = fake_kube_put(w->destination, b.p);
    world_say(w, "other: makes %s: %d", t.key, status);
}

static bool has_annotation(struct slice object, const char *name, const char *value)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    if (object.n == 0 || json_parse(object, &d, NULL) != RC_OK)
        return false;
    struct json *annotations = json_dig(json_root(d), "metadata", "annotations", NULL);
    return slice_eq(json_get_text(d, annotations, name), slice_str(value));
}

static void other_deletes_own(struct world *w)
{
    struct target t = draw_target(w);
    if (!has_annotation(fake_kube_get(w->destination, t.key), OTHER_ANNOTATION, "own"))
        return;
    int status = fake_kube_delete(w->destination, t.key);
    world_say(w, "other: deletes %s: %d", t.key, status);
}

/* A member of its own on whatever is there, and now and then a finalizer. */
static void other_writes(struct world *w)
{
    AUTO(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
    AUTO(json_freep) struct json_doc *d = NULL;
    struct target t = draw_target(w);
    struct slice object = fake_kube_get(w->destination, t.key);
    struct json *value, *list;
    char text[32];
    if (object.n == 0 || has_annotation(object, OTHER_ANNOTATION, "own") ||
        json_parse(object, &d, NULL) != RC_OK)
        return;
    struct json *metadata = json_get(json_root(d), "metadata");
    struct json *annotations = json_get(metadata, "annotations");
    snprintf(text, sizeof text, "%u", (unsigned)world_below(w, 1000));
    if (!annotations || json_value_text(d, slice_str(text), &value, NULL) != RC_OK ||
        json_set(d, annotations, SLICE(OTHER_ANNOTATION), value, NULL) != RC_OK)
        return;
    bool pin = world_chance(w, 200) && !json_get(metadata, "deletionTimestamp");
    if (pin && (json_value(d, SLICE("[\"example.com/pin\"]"), &list, NULL) != RC_OK ||
                json_set(d, metadata, SLICE("finalizers"), list, NULL) != RC_OK))
        abort();
    json_print(json_root(d), &b);
    int status = fake_kube_put(w->destination, b.p);
    world_say(w, "other: %s %s: %d", pin ? "pins" : "writes", t.key, status);
}

/* What we wrote, changed or taken away by somebody who should not. */
static void other_spoils(struct world *w)
{
    AUTO(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
    AUTO(json_freep) struct json_doc *d = NULL;
    struct target t = draw_target(w);
    struct slice object = fake_kube_get(w->destination, t.key);
    struct json *value;
    if (object.n == 0 || !us_entry(w, slice_str(t.key)) ||
        has_annotation(object, OTHER_ANNOTATION, "own") || json_parse(object, &d, NULL) != RC_OK)
        return;
    if (world_chance(w, 400)) {
        int status = fake_kube_delete(w->destination, t.key);
        world_say(w, "other: takes %s away: %d", t.key, status);
        return;
    }
    struct json *labels = json_dig(json_root(d), "metadata", "labels", NULL);
    if (!labels || json_value_text(d, SLICE("spoiled"), &value, NULL) != RC_OK ||
        json_set(d, labels, SLICE("copy"), value, NULL) != RC_OK)
        return;
    json_print(json_root(d), &b);
    int status = fake_kube_put(w->destination, b.p);
    world_say(w, "other: spoils %s: %d", t.key, status);
}

static void let_go(struct world *w, const char *key)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct slice object = fake_kube_get(w->destination, key);
    if (object.n == 0 || json_parse(object, &d, NULL) != RC_OK ||
        !json_dig(json_root(d), "metadata", "finalizers", NULL))
        return;
    (void)fake_kube_release(w->destination, key);
    world_say(w, "other: lets go of %s", key);
}

static void other_lets_go(struct world *w)
{
    let_go(w, draw_target(w).key);
}

/* The very object that we would make, made by somebody else. */
static void other_twin(struct world *w)
{
    AUTO(buf_done) struct buf patched = BUF_INIT(TEXT_MAX);
    AUTO(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
    AUTO(json_freep) struct json_doc *d = NULL;
    struct err e = ERR_INIT;
    struct target t = draw_target(w);
    const struct replication_entry *entry = us_entry(w, slice_str(t.key));
    if (fake_kube_get(w->destination, t.key).n || !entry)
        return;
    struct slice object = fake_kube_get(w->source, t.key);
    if (object.n == 0 || transform_apply(entry, object, &patched, &e) != RC_OK ||
        json_parse_view(buf_slice(&patched), &d, &e) != RC_OK)
        return;
    const struct kube_project_opts opts = {.rule = kube_rule_find(entry->group, entry->resource)};
    if (kube_project(d, &opts, &b, &e) != RC_OK)
        return;
    int status = fake_kube_put(w->destination, b.p);
    world_say(w, "other: makes the twin %s: %d", t.key, status);
}

/* ---- The draw ---- */

static const struct {
    unsigned weight;
    void (*act)(struct world *w);
    bool in_destination;
} acts[] = {
    {20, act_put, false},         {30, act_touch, false},
    {12, act_delete, false},      {8, act_recreate, false},
    {3, act_purge_unseen, false}, {3, act_fill, false},
    {6, act_namespace, false},    {1, act_delete_namespace, false},
    {2, act_crd, false},          {3, other_namespace, true},
    {2, other_crd, true},         {8, other_object, true},
    {4, other_deletes_own, true}, {12, other_writes, true},
    {3, other_lets_go, true},     {3, other_twin, true},
    {6, other_spoils, true},
};

void workload_act(struct world *w)
{
    uint64_t sum = 0;
    size_t i = 0;
    for (size_t j = 0; j < sizeof acts / sizeof *acts; j++)
        sum += acts[j].weight;
    for (uint64_t at = world_below(w, sum); at >= acts[i].weight; i++)
        at -= acts[i].weight;
    acts[i].act(w);
}

void workload_begin(struct world *w)
{
    for (unsigned ns = 0; ns < SIM_NAMESPACES; ns++) {
        if (ns == 0 || world_chance(w, 800))
            put_namespace(w, w->source, ns, draw_tier(w));
        if (!w->plan.force_namespace && world_chance(w, 600))
            put_namespace(w, w->destination, ns, "other");
    }
    if (world_chance(w, 700))
        put_crd(w, w->source);
    if (world_chance(w, 500))
        other_crd(w);
    fake_clock_advance(&w->clock, 5 * NS_PER_S); /* CRDs become Established */
    fake_kube_run(w->source);
    fake_kube_run(w->destination);
    if (world_chance(w, 500))
        act_fill(w);
    for (uint64_t n = world_below(w, 20); n > 0; n--)
        act_put(w);
    if (w->plan.forbidden)
        fake_kube_deny(w->destination, "apps", "deployments", "n1", NULL);
}

void workload_heal(struct world *w)
{
    for (unsigned ns = 0; ns < SIM_NAMESPACES; ns++) {
        char key[KEY_TEXT];
        snprintf(key, sizeof key, "/namespaces//n%u", ns);
        if (!fake_kube_get(w->destination, key).n)
            put_namespace(w, w->destination, ns, "other");
    }
    if (!fake_kube_get(w->source, CRD_KEY).n)
        put_crd(w, w->source);
    if (!fake_kube_get(w->destination, CRD_KEY).n)
        other_crd(w);
    for (int kind = 0; kind < KINDS; kind++)
        for (unsigned ns = 0; ns < SIM_NAMESPACES; ns++)
            for (unsigned name = 0; name < SIM_NAMES; name++)
                let_go(w, target_of((enum kind)kind, ns, name).key);
}
