/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/dns_wire.h"

#include "wire/rd.h"
#include "wire/wr.h"

#include <string.h>

#define HEADER 12
#define LABEL_MAX 63
#define NAME_MAX_BYTES 255
#define CLASS_IN 1
#define FLAG_RD 0x0100
#define FLAG_QR 0x8000
#define FLAG_TC 0x0200
#define OPCODE 0x7800
#define RCODE 0x000f
#define POINTER 0xc0

/* ---- the question ---- */

static bool put_label(struct wr *w, const char *label, size_t n)
{
    if (n == 0 || n > LABEL_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)label[i] <= ' ' || (unsigned char)label[i] >= 0x7f)
            return false;
    wr_u8(w, (uint8_t)n);
    wr_bytes(w, span_of((const uint8_t *)label, n));
    return true;
}

static bool put_name(struct wr *w, const char *name)
{
    size_t begun = w->n;

    while (*name) {
        size_t n = strcspn(name, ".");

        if (!put_label(w, name, n))
            return false;
        name += n + (name[n] == '.');
    }
    wr_u8(w, 0);
    return w->n - begun > 1 && w->n - begun <= NAME_MAX_BYTES;
}

bool dns_query(const char *name, enum dns_type type, uint16_t id, uint8_t out[DNS_QUERY_MAX],
               size_t *n)
{
    struct wr w = wr_of(out, DNS_QUERY_MAX);
    struct span done;

    wr_u16(&w, id);
    wr_u16(&w, FLAG_RD);
    wr_u16(&w, 1);
    wr_zeros(&w, 6);
    if (!put_name(&w, name))
        return false;
    wr_u16(&w, (uint16_t)type);
    wr_u16(&w, CLASS_IN);
    if (!wr_finish(&w, &done))
        return false;
    *n = done.n;
    return true;
}

/* ---- the answer ---- */

/* Names are compressed; where they lead is not asked. */
static bool skip_name(struct rd *r)
{
    uint8_t n = 0;

    while (rd_u8(r, &n)) {
        if (n == 0)
            return true;
        if ((n & POINTER) == POINTER)
            return rd_skip(r, 1);
        if ((n & POINTER) || !rd_skip(r, n))
            return false;
    }
    return false;
}

static bool read_record(struct rd *r, uint16_t wanted, struct inaddr *out, bool *is_one)
{
    uint16_t type;
    uint16_t class;
    uint16_t n;
    struct span data;

    if (!skip_name(r) || !rd_u16(r, &type) || !rd_u16(r, &class) || !rd_skip(r, 4) ||
        !rd_u16(r, &n) || !rd_bytes(r, n, &data))
        return false;
    *is_one = type == wanted && class == CLASS_IN && n == (wanted == DNS_A ? 4 : 16) &&
              inaddr_from_bytes(out, data);
    return true;
}

/* The server says our question again, to the letter: its ID alone is quickly guessed. */
static bool is_for(struct span query, struct rd *r, uint16_t *answers, bool *refused)
{
    uint16_t id;
    uint16_t flags = 0;
    uint16_t questions;
    struct span asked;

    bool ok = rd_u16(r, &id) && id == (query.p[0] << 8 | query.p[1]) && rd_u16(r, &flags) &&
              (flags & FLAG_QR) && !(flags & (OPCODE | FLAG_TC)) && rd_u16(r, &questions) &&
              questions == 1 && rd_u16(r, answers) && rd_skip(r, 4) &&
              rd_bytes(r, query.n - HEADER, &asked) &&
              span_eq(asked, span_of(query.p + HEADER, query.n - HEADER));

    *refused = (flags & RCODE) != 0;
    return ok;
}

bool dns_answer(struct span query, struct span message, struct inaddr *out, unsigned cap,
                unsigned *n)
{
    struct rd r = rd_of(message);
    uint16_t answers = 0;
    unsigned found = 0;
    uint16_t wanted;
    bool refused;

    if (query.n <= HEADER + 4 || !is_for(query, &r, &answers, &refused))
        return false;
    *n = 0;
    if (refused) /* no such name, most likely: an answer, too */
        return true;
    wanted = (uint16_t)(query.p[query.n - 4] << 8 | query.p[query.n - 3]);
    for (unsigned i = 0; i < answers; i++) {
        struct inaddr a;
        bool is_one;

        if (!read_record(&r, wanted, &a, &is_one))
            return false;
        if (is_one && found < cap)
            out[found++] = a;
    }
    *n = found;
    return true;
}
