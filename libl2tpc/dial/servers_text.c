/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of servers as text (l2tpc(1), SERVER TABLES). Strict: what a line means is never
 * guessed, so that a later version may give meaning to what this one refuses.
 */
#include "dial/servers.h"

#include "base/text.h"
#include "ike/vendor.h"
#include "wire/rd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_(s) s
#define MAGIC "l2tpc-servers 1"

struct parser {
    struct rd rest;
    const char *origin;
    unsigned line, rows_max, n_rows;
    bool begun; /* the first line was seen */
    struct server_row *first, *last;
    const char *sentence; /* what is wrong, or NULL */
};

static const struct {
    enum server_quirk bit;
    enum server_level level;
    const char *name;
} quirks[] = {
    {SERVER_INSTALLS_LATE, SERVER_BY_IKE, "installs-late"},
    {SERVER_PORT_1701, SERVER_BY_IKE, "port-1701"},
    {SERVER_UTF8, SERVER_BY_L2TP, "softether-utf8"},
    {SERVER_ANY_ADDRESS, SERVER_BY_L2TP, "any-address"},
    {SERVER_OWN_PORT, SERVER_BY_IKE, "own-port"},
};

const char *server_quirk_name(unsigned bit)
{
    for (size_t i = 0; i < ARRAY_LEN(quirks); i++)
        if ((unsigned)quirks[i].bit == bit)
            return quirks[i].name;
    return NULL;
}

static bool refuse(struct parser *p, const char *sentence)
{
    p->sentence = sentence;
    return false;
}

/* ---- values ---- */

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes the star off the end: the value is how it begins. */
static bool take_star(struct span *value)
{
    bool star = value->n > 0 && value->p[value->n - 1] == '*';

    value->n -= star ? 1 : 0;
    return star;
}

static bool hex_value(struct parser *p, struct span value, struct server_condition *c)
{
    struct rd r;
    uint8_t high;
    uint8_t low;

    c->prefix = take_star(&value);
    if (value.n == 0 || value.n % 2 || value.n / 2 > IKE_VENDOR_BYTES_KEPT)
        return refuse(p, N_("A vendor ID is 1 to 40 bytes, each as two digits of hex."));
    r = rd_of(value);
    while (rd_u8(&r, &high) && rd_u8(&r, &low)) {
        if (hex_digit(high) < 0 || hex_digit(low) < 0)
            return refuse(p, N_("A vendor ID is written with the digits 0-9 and a-f."));
        c->bytes[c->n++] = (uint8_t)(hex_digit(high) << 4 | hex_digit(low));
    }
    return true;
}

static bool name_value(struct parser *p, struct span value, struct server_condition *c)
{
    enum vendor_id id = vendor_named(value);
    struct rd r = rd_of(vendor_prefix(id));

    if (id == VENDOR_UNKNOWN)
        return refuse(p, N_("There is no vendor ID of that name; write its bytes instead."));
    c->prefix = true; /* a version may follow */
    c->n = (uint8_t)rd_left(&r);
    return rd_copy(&r, c->bytes, c->n);
}

static bool text_value(struct parser *p, struct span value, struct server_condition *c)
{
    struct rd r;

    c->prefix = take_star(&value);
    if (value.n > sizeof(c->bytes) || (value.n == 0 && c->prefix))
        return refuse(p, N_("A name to compare with is 1 to 64 bytes long."));
    r = rd_of(value);
    c->n = (uint8_t)value.n;
    return rd_copy(&r, c->bytes, c->n);
}

static bool number_value(struct parser *p, struct span value, struct server_condition *c)
{
    unsigned long v;
    char text[8] = "";
    char *end;
    struct rd r = rd_of(value);

    if (value.n == 0 || value.n >= sizeof(text) || !rd_copy(&r, text, value.n) || text[0] < '0' ||
        text[0] > '9')
        return refuse(p, N_("A number is from 0 to 65535, or as 0x0690."));
    v = strtoul(text, &end, text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
    if (*end || v > UINT16_MAX)
        return refuse(p, N_("A number is from 0 to 65535, or as 0x0690."));
    c->number = (uint16_t)v;
    return true;
}

/* Copied, and shown to people later: printable and whole. */
static bool words(struct parser *p, struct span value, char *out, size_t cap)
{
    if (value.n == 0 || value.n >= cap)
        return refuse(p, N_("This text is empty or too long."));
    if (out[0])
        return refuse(p, N_("This is said twice of one server."));
    text_escape(out, cap, value);
    return strlen(out) == value.n || refuse(p, N_("This text is too long, or has a backslash."));
}

/* ---- lines ---- */

static bool on_server(struct parser *p, struct span value)
{
    struct server_row *row;

    if (p->n_rows >= p->rows_max)
        return refuse(p, N_("There are too many servers in the table."));
    row = calloc(1, sizeof(*row));
    if (!row)
        return refuse(p, N_("There is not enough memory."));
    if (p->last)
        p->last->next = row;
    else
        p->first = row;
    p->last = row;
    p->n_rows++;
    row->line = p->line;
    (void)snprintf(row->origin, sizeof(row->origin), "%s", p->origin);
    return words(p, value, row->name, sizeof(row->name));
}

typedef bool (*value_reader)(struct parser *p, struct span value, struct server_condition *c);

static const struct {
    const char *key;
    enum server_test test;
    value_reader read;
} conditions[] = {
    {"vendor-id", TEST_VENDOR_ID, hex_value},
    {"no-vendor-id", TEST_NO_VENDOR_ID, hex_value},
    {"first-vendor-id", TEST_FIRST_VENDOR_ID, hex_value},
    {"vendor-name", TEST_VENDOR_ID, name_value},
    {"no-vendor-name", TEST_NO_VENDOR_ID, name_value},
    {"first-vendor-name", TEST_FIRST_VENDOR_ID, name_value},
    {"vendor-ids-at-most", TEST_VENDOR_IDS_AT_MOST, number_value},
    {"l2tp-vendor", TEST_L2TP_VENDOR, text_value},
    {"l2tp-host", TEST_L2TP_HOST, text_value},
    {"l2tp-firmware", TEST_L2TP_FIRMWARE, number_value},
};

static bool on_condition(struct parser *p, struct span line, size_t which, struct span value)
{
    struct server_row *row = p->last;
    struct server_condition *c = &row->condition[row->n_conditions];

    if (row->n_conditions == SERVERS_CONDITIONS_MAX)
        return refuse(p, N_("A server has too many conditions."));
    c->test = conditions[which].test;
    if (!conditions[which].read(p, value, c))
        return false;
    text_escape(c->text, sizeof(c->text), line);
    row->n_conditions++;
    if (c->test >= TEST_L2TP_VENDOR)
        row->level = SERVER_BY_L2TP;
    return true;
}

static bool on_quirk(struct parser *p, struct span value)
{
    for (size_t i = 0; i < ARRAY_LEN(quirks); i++) {
        if (span_eq(value, span_str(quirks[i].name))) {
            p->last->quirks |= quirks[i].bit;
            return true;
        }
    }
    return refuse(p, N_("This is no quirk that a table can switch on; it may be a suggestion."));
}

static bool on_suggest(struct parser *p, struct span value)
{
    struct server_row *row = p->last;

    if (row->n_suggestions == SERVER_SUGGESTIONS_MAX)
        return refuse(p, N_("A server has too many suggestions."));
    if (value.n < 3 || memcmp(value.p, "--", 2) != 0)
        return refuse(p, N_("A suggestion is an option of l2tpc connect, as --allow pap."));
    return words(p, value, row->suggest[row->n_suggestions++], sizeof(row->suggest[0]));
}

static bool on_key(struct parser *p, struct span line, struct span key, struct span value)
{
    if (span_eq(key, span_str("server")))
        return on_server(p, value);
    if (!p->last)
        return refuse(p, N_("The first row has to begin with: server NAME"));
    for (size_t i = 0; i < ARRAY_LEN(conditions); i++)
        if (span_eq(key, span_str(conditions[i].key)))
            return on_condition(p, line, i, value);
    if (span_eq(key, span_str("quirk")))
        return on_quirk(p, value);
    if (span_eq(key, span_str("suggest")))
        return on_suggest(p, value);
    if (span_eq(key, span_str("note")))
        return words(p, value, p->last->note, sizeof(p->last->note));
    if (span_eq(key, span_str("source")))
        return words(p, value, p->last->source, sizeof(p->last->source));
    return refuse(p, N_("The first word of this line is not known."));
}

/* A row that says nothing would hold for everybody; a quirk must not come before its evidence. */
static bool row_is_whole(struct parser *p)
{
    const struct server_row *row = p->last;

    if (!row)
        return true;
    if (row->n_conditions == 0)
        return refuse(p, N_("A server needs a condition that tells it from others."));
    for (size_t i = 0; i < ARRAY_LEN(quirks); i++)
        if (row->quirks & (unsigned)quirks[i].bit && row->level != quirks[i].level)
            return refuse(p, quirks[i].level == SERVER_BY_L2TP
                                 ? N_("This quirk needs a condition of L2TP.")
                                 : N_("This quirk comes too late for a condition of L2TP."));
    return true;
}

static bool is_plain(struct span line)
{
    struct rd r = rd_of(line);
    uint8_t c;

    while (rd_u8(&r, &c))
        if (c < 0x20 || c == 0x7f)
            return false;
    return text_is_utf8(line);
}

static bool on_line(struct parser *p, struct span line)
{
    struct rd r;
    struct span key;
    const uint8_t *space;

    if (!is_plain(line))
        return refuse(p, N_("This line has control characters, or is not UTF-8."));
    if (line.n == 0 || line.p[0] == '#')
        return true;
    if (!p->begun) {
        p->begun = true;
        return span_eq(line, span_str(MAGIC)) ||
               refuse(p, N_("The first line has to be: l2tpc-servers 1"));
    }
    r = rd_of(line);
    space = memchr(line.p, ' ', line.n);
    if (!space || !rd_bytes(&r, (size_t)(space - line.p), &key) || !rd_skip(&r, 1))
        return refuse(p, N_("This line has a word and no value."));
    if (span_eq(key, span_str("server")) && !row_is_whole(p))
        return false;
    return on_key(p, line, key, rd_rest(&r));
}

static bool next_line(struct parser *p, struct span *out)
{
    struct span all = p->rest.rest;
    const uint8_t *end = all.n > 0 ? memchr(all.p, '\n', all.n) : NULL;

    if (!end || !rd_bytes(&p->rest, (size_t)(end - all.p), out) || !rd_skip(&p->rest, 1))
        return false;
    p->line++;
    return true;
}

static bool parse(struct parser *p)
{
    struct span line;

    if (rd_left(&p->rest) > SERVERS_FILE_MAX)
        return refuse(p, N_("The file is longer than 64 KiB."));
    while (next_line(p, &line)) {
        if (line.n > SERVERS_LINE_MAX)
            return refuse(p, N_("This line is too long."));
        if (!on_line(p, line))
            return false;
    }
    if (!rd_end(&p->rest)) {
        p->line++;
        return refuse(p, N_("The last line has no end."));
    }
    if (!p->first)
        return refuse(p, N_("There is no server in this file."));
    return row_is_whole(p);
}

struct server_row *servers_parse(const char *origin, struct span file, unsigned rows_max,
                                 unsigned *out_n, struct servers_problem *out_problem)
{
    struct parser p = {.rest = rd_of(file), .origin = origin, .rows_max = rows_max};

    if (parse(&p)) {
        *out_n = p.n_rows;
        return p.first;
    }
    servers_rows_free(p.first);
    *out_problem = (struct servers_problem){p.line, p.sentence};
    return NULL;
}
