/* Edit distance with three rows of the usual table (optimal string alignment). Pure. */
#include "controller/nearest.h"

#include <ctype.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static char lower(struct slice s, size_t at)
{
    return (char)tolower((unsigned char)s.p[at]);
}

static size_t distance(struct slice a, struct slice b)
{
    size_t rows[3][NEAREST_BYTES_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *spare = before;
        before = above;
        above = row;
        row = spare;
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t differ = lower(a, i - 1) != lower(b, j - 1);
            row[j] = least(above[j - 1] + differ, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a, i - 1) == lower(b, j - 2) &&
                lower(a, i - 2) == lower(b, j - 1))
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return row[b.n];
}

void nearest_try(struct nearest *n, const char *name)
{
    struct slice other = slice_str(name);
    if (n->text.n == 0 || n->text.n > NEAREST_BYTES_MAX || other.n == 0 ||
        other.n > NEAREST_BYTES_MAX)
        return;
    size_t d = distance(n->text, other);
    size_t longest = n->text.n > other.n ? n->text.n : other.n;
    if (d * 3 >= longest || (n->name && d >= n->distance))
        return;
    n->distance = d;
    n->name = name;
}
