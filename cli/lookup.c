/* The words of a command line against the table of commands. */
#include "cli/lookup.h"

#include "cli/cli.h"
#include "controller/nearest.h"
#include "core/buf.h"
#include "core/scope.h"

#include <string.h>

#define WORDS_MAX 2
#define TEXT_MAX  128

const struct command *lookup_command(int argc, char **argv, int *ret_words)
{
    AUTO(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
    for (int words = 1; words <= WORDS_MAX && words < argc; words++) {
        buf_addf(&text, "%s%s", text.n ? " " : "", argv[words]);
        for (size_t i = 0; i < n_commands; i++) {
            if (!slice_eq(buf_slice(&text), slice_str(commands[i].name)))
                continue;
            *ret_words = words;
            return &commands[i];
        }
    }
    return NULL;
}

/* True if the command is told of and its name begins with that word: "log" has "log show". */
static bool is_below(const struct command *c, const char *word)
{
    struct slice rest;
    struct slice first = slice_cut(slice_str(c->name), ' ', &rest);
    return c->summary && rest.n > 0 && slice_eq(first, slice_str(word));
}

/* Appends the names below word; false if there are none. */
static bool add_below(const char *word, struct buf *out)
{
    size_t before = out->n;
    for (size_t i = 0; i < n_commands; i++)
        if (is_below(&commands[i], word))
            buf_addf(out, "%s%s", out->n == before ? "; there are: " : ", ", commands[i].name);
    return out->n > before;
}

bool lookup_group(const char *word, struct buf *out)
{
    size_t before = out->n;
    for (size_t i = 0; i < n_commands; i++)
        if (is_below(&commands[i], word))
            buf_addf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
    return out->n > before;
}

void lookup_explain(int argc, char **argv, struct buf *out)
{
    AUTO(buf_done) struct buf below = BUF_INIT(4096);
    AUTO(buf_done) struct buf text = BUF_INIT(4096);
    bool group = add_below(argv[1], &below), second = argc > 2 && argv[2][0] != '-';
    buf_addf(&text, "%s%s%s", argv[1], group && second ? " " : "", group && second ? argv[2] : "");
    if (group && !second) {
        buf_addf(out, "\"%s\" needs a second word%.*s", argv[1], SLICE_ARG(buf_slice(&below)));
        return;
    }
    struct nearest near = NEAREST_INIT(buf_slice(&text));
    for (size_t i = 0; i < n_commands; i++)
        nearest_try(&near, commands[i].summary ? commands[i].name : NULL);
    buf_addf(out, "unknown command \"%.*s\"", SLICE_ARG(buf_slice(&text)));
    if (near.name)
        buf_addf(out, "; did you mean \"%s\"?", near.name);
    else
        buf_add_slice(out, buf_slice(&below));
}
