/* libsmartcols' door. Long cells are never cut: a terminal may wrap, a pipe gets everything. */
#include "cli/table.h"

#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct table {
    struct libscols_table *table;
    size_t columns;
};

void table_free(struct table *t)
{
    if (!t)
        return;
    scols_unref_table(t->table);
    free(t);
}

enum rc table_new(const struct table_column *columns, size_t n, bool colours, struct table **ret,
                  struct err *e)
{
    AUTO(table_freep) struct table *t = calloc(1, sizeof *t);
    if (!t)
        return err_nomem(e);
    t->table = scols_new_table();
    if (!t->table)
        return err_nomem(e);
    t->columns = n;
    scols_table_enable_nowrap(t->table, 1);
    scols_table_enable_maxout(t->table, 0);
    scols_table_enable_colors(t->table, colours);
    for (size_t i = 0; i < n; i++)
        if (!scols_table_new_column(t->table, columns[i].title, 0.1,
                                    columns[i].right ? SCOLS_FL_RIGHT : 0))
            return err_nomem(e);
    *ret = steal(&t);
    return RC_OK;
}

enum rc table_add(struct table *t, const char *cells, const char *colour, struct err *e)
{
    struct libscols_line *line = scols_table_new_line(t->table, NULL);
    if (!line)
        return err_nomem(e);
    for (size_t i = 0; i < t->columns; i++, cells += strlen(cells) + 1)
        if (scols_line_set_data(line, i, cells))
            return err_nomem(e);
    return colour && scols_line_set_color(line, colour) ? err_nomem(e) : RC_OK;
}

void table_print(struct table *t)
{
    scols_print_table(t->table);
    scols_table_remove_lines(t->table);
    scols_table_enable_noheadings(t->table, 1);
}
