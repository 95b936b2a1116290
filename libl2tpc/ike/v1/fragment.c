/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ike/v1/fragment.h"

#include "wire/rd.h"

#include <string.h>

#define FLAG_LAST 1
#define PAYLOAD_HEADER_LEN 8 /* the generic header, id, number, flags */
#define AT_NEXT_PAYLOAD 16
#define AT_FLAGS 19
#define AT_LENGTH 24

/* ---- receiving ---- */
bool fragment_parse(struct span body, struct fragment *out)
{
    struct rd r = rd_of(body);
    struct fragment f;
    uint8_t next;
    uint8_t flags;
    uint16_t length;

    if (!rd_u8(&r, &next) || !rd_skip(&r, 1) || !rd_u16(&r, &length) || !rd_u16(&r, &f.id) ||
        !rd_u8(&r, &f.number) || !rd_u8(&r, &flags))
        return false;
    if (next != PAYLOAD_NONE || length <= PAYLOAD_HEADER_LEN || f.number == 0 ||
        f.number > IKE_FRAGMENTS_MAX)
        return false;
    if (!rd_bytes(&r, (size_t)length - PAYLOAD_HEADER_LEN, &f.data) || !rd_end(&r))
        return false;
    f.last = flags & FLAG_LAST;
    *out = f;
    return true;
}

static bool is_of(const struct fragment_set *s, const struct isakmp_header *h, uint16_t id,
                  l2tpc_us now)
{
    return s->n > 0 && now < us_add(s->since, IKE_FRAGMENTS_WAIT) && s->id == id &&
           s->exchange == h->exchange && s->message_id == h->message_id &&
           memcmp(s->cky_r, h->cky_r, sizeof(s->cky_r)) == 0;
}

static void begin(struct fragment_set *s, const struct isakmp_header *h, uint16_t id, l2tpc_us now)
{
    s->n = s->highest = s->last = 0;
    s->used = 0;
    memset(s->slot, 0, sizeof(s->slot));
    memcpy(s->cky_r, h->cky_r, sizeof(s->cky_r));
    s->exchange = h->exchange;
    s->message_id = h->message_id;
    s->id = id;
    s->since = now;
}

static bool is_same(const struct fragment_set *s, const struct fragment *f)
{
    const struct span kept = span_of(s->pool + s->slot[f->number - 1].at, s->slot[f->number - 1].n);

    return span_eq(kept, f->data) && f->last == (s->last == f->number);
}

/* Both cannot be of one message: another piece of the same number, a second end, or one beyond it.
 */
static bool contradicts(const struct fragment_set *s, const struct fragment *f)
{
    if (s->slot[f->number - 1].n > 0)
        return !is_same(s, f);
    if (f->last)
        return s->last != 0 || s->highest > f->number;
    return s->last != 0 && f->number > s->last;
}

static bool keep(struct fragment_set *s, const struct fragment *f)
{
    if (f->data.n > sizeof(s->pool) - s->used)
        return false;
    memcpy(s->pool + s->used, f->data.p, f->data.n);
    s->slot[f->number - 1].at = (uint16_t)s->used;
    s->slot[f->number - 1].n = (uint16_t)f->data.n;
    s->used += f->data.n;
    s->n++;
    if (f->number > s->highest)
        s->highest = f->number;
    if (f->last)
        s->last = f->number;
    return true;
}

/* The message has the header that its fragments promised, and is no fragment itself. */
static bool put_together(const struct fragment_set *s, uint8_t *room, const struct isakmp_header *h,
                         struct span *out)
{
    struct wr w = wr_of(room, IKE_MESSAGE_MAX);
    struct isakmp_header inner;
    struct span whole;
    struct span body;

    for (unsigned i = 0; i < s->last; i++)
        wr_bytes(&w, span_of(s->pool + s->slot[i].at, s->slot[i].n));
    if (!wr_finish(&w, &whole) || !isakmp_parse_header(whole, &inner, &body) ||
        inner.length != whole.n || inner.next_payload == PAYLOAD_FRAGMENT ||
        inner.exchange != h->exchange || inner.message_id != h->message_id ||
        memcmp(inner.cky_i, h->cky_i, sizeof(inner.cky_i)) != 0 ||
        memcmp(inner.cky_r, h->cky_r, sizeof(inner.cky_r)) != 0)
        return false;
    *out = whole;
    return true;
}

/*
 * The newest word wins: many servers use one ID for all their messages, and Windows takes another
 * one when it sends again, so that what is left of an earlier message must not stand in the way.
 */
enum fragment_fate fragment_add(struct fragment_set *s, const struct isakmp_header *h,
                                struct span body, l2tpc_us now, uint8_t room[IKE_MESSAGE_MAX],
                                struct span *out)
{
    enum fragment_fate fate = FRAGMENT_KEPT;
    struct fragment f;

    if (!fragment_parse(body, &f))
        return FRAGMENT_BAD;
    if (!is_of(s, h, f.id, now)) {
        begin(s, h, f.id, now);
    } else if (contradicts(s, &f)) {
        begin(s, h, f.id, now);
        fate = FRAGMENT_ANEW;
    } else if (s->slot[f.number - 1].n > 0) {
        return FRAGMENT_AGAIN;
    }
    if (!keep(s, &f)) {
        s->n = 0;
        return FRAGMENT_BAD;
    }
    if (s->last == 0 || s->n < s->last)
        return fate;
    s->n = 0;
    return put_together(s, room, h, out) ? FRAGMENT_WHOLE : FRAGMENT_BAD;
}

/* ---- sending ---- */
unsigned fragment_count(size_t message, size_t piece)
{
    size_t n = piece ? (message + piece - 1) / piece : 0;

    return n > IKE_FRAGMENTS_MAX ? 0 : (unsigned)n;
}

/*
 * The ID is to be another one for each message, and the same when a message is sent again: it is
 * taken from the message's end, which is ciphertext or a random hash.
 */
static uint16_t id_of(struct span message)
{
    struct rd r = rd_of(message);
    uint16_t id = 0;

    if (!rd_skip(&r, message.n - sizeof(id)) || !rd_u16(&r, &id))
        return 1;
    return id | 1;
}

void fragment_write(struct wr *w, struct span message, size_t piece, unsigned number)
{
    struct rd r = rd_of(message);
    size_t start = w->n;
    struct span header;
    struct span data;
    struct wr_box box;
    uint8_t flags;

    if (message.n < ISAKMP_HEADER_LEN || number == 0 || !rd_bytes(&r, ISAKMP_HEADER_LEN, &header)) {
        w->failed = true;
        return;
    }
    r = rd_of(message);
    if (!rd_skip(&r, (number - 1) * piece) || rd_end(&r) ||
        !rd_bytes(&r, rd_left(&r) < piece ? rd_left(&r) : piece, &data)) {
        w->failed = true;
        return;
    }
    flags = header.p[AT_FLAGS] & (uint8_t)~ISAKMP_FLAG_ENCRYPTION;
    wr_bytes(w, header);
    wr_patch_u8(w, start + AT_NEXT_PAYLOAD, PAYLOAD_FRAGMENT);
    wr_patch_u8(w, start + AT_FLAGS, flags);
    wr_u8(w, PAYLOAD_NONE);
    wr_u8(w, 0);
    box = wr_open(w, 2);
    wr_u16(w, id_of(message));
    wr_u8(w, (uint8_t)number);
    wr_u8(w, rd_end(&r) ? FLAG_LAST : 0);
    wr_bytes(w, data);
    wr_close(w, box);
    wr_patch_u32(w, start + AT_LENGTH, (uint32_t)(w->n - start));
}
