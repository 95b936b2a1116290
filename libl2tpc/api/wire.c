/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/wire.h"

#include "base/text.h"

#include <limits.h>
#include <string.h>

void put_box(struct wr *w, struct span bytes)
{
    if (bytes.n > UINT32_MAX) {
        w->failed = true;
        return;
    }
    wr_u32(w, (uint32_t)bytes.n);
    wr_bytes(w, bytes);
}

bool get_box(struct rd *r, size_t max, struct span *out)
{
    uint32_t n;

    return rd_u32(r, &n) && n <= max && rd_bytes(r, n, out);
}

void put_text(struct wr *w, const char *text)
{
    put_box(w, span_str(text ? text : ""));
}

static bool is_fit(struct span text, bool lines)
{
    for (size_t i = 0; i < text.n; i++)
        if ((text.p[i] < 0x20 && !(lines && text.p[i] == '\n')) || text.p[i] == 0x7f)
            return false;
    return text_is_utf8(text);
}

bool get_text(struct rd *r, char *out, size_t cap, bool lines)
{
    struct span text;

    if (!get_box(r, cap - 1, &text) || !is_fit(text, lines))
        return false;
    if (text.n > 0)
        memcpy(out, text.p, text.n);
    out[text.n] = '\0';
    return true;
}

bool get_bool(struct rd *r, bool *out)
{
    uint8_t v;

    if (!rd_u8(r, &v) || v > 1)
        return false;
    *out = v == 1;
    return true;
}

bool get_below(struct rd *r, uint32_t end, uint32_t *out)
{
    uint32_t v;

    if (!rd_u32(r, &v) || v >= end)
        return false;
    *out = v;
    return true;
}

void put_addr(struct wr *w, const struct inaddr *a)
{
    wr_u8(w, a->family);
    wr_bytes(w, span_of(a->bytes, inaddr_len(a)));
}

bool get_addr(struct rd *r, struct inaddr *out)
{
    struct inaddr a = {0};

    if (!rd_u8(r, &a.family) || (a.family != 0 && a.family != 4 && a.family != 6) ||
        !rd_copy(r, a.bytes, inaddr_len(&a)))
        return false;
    *out = a;
    return true;
}

void put_failure(struct wr *w, const struct failure *f)
{
    wr_u32(w, (uint32_t)f->id);
    wr_u32(w, (uint32_t)f->stage);
    wr_u8(w, f->has_peer_code);
    wr_u32(w, f->peer_code);
    wr_u32(w, f->sends);
    wr_u32(w, (uint32_t)f->os_error);
    wr_u8(w, f->stay_away);
    put_text(w, f->waited_for);
    put_text(w, f->peer_text);
    put_text(w, f->value);
    put_text(w, f->expected);
}

bool get_failure(struct rd *r, struct failure *out)
{
    struct failure f = {0};
    uint32_t id = 0;
    uint32_t stage = 0;
    uint32_t os_error = 0;

    if (!get_below(r, FAILURE_COUNT, &id) || !get_below(r, STAGE_COUNT, &stage) ||
        !get_bool(r, &f.has_peer_code) || !rd_u32(r, &f.peer_code) || !rd_u32(r, &f.sends) ||
        !get_below(r, INT_MAX, &os_error) || !get_bool(r, &f.stay_away) ||
        !get_text(r, f.waited_for, sizeof(f.waited_for), false) ||
        !get_text(r, f.peer_text, sizeof(f.peer_text), false) ||
        !get_text(r, f.value, sizeof(f.value), false) ||
        !get_text(r, f.expected, sizeof(f.expected), false))
        return false;
    f.id = (enum failure_id)id;
    f.stage = (enum stage)stage;
    f.os_error = (int)os_error;
    *out = f;
    return true;
}

void put_certs(struct wr *w, const struct cert_list *list)
{
    wr_u8(w, (uint8_t)(list ? list->n : 0));
    for (unsigned i = 0; list && i < list->n; i++)
        put_box(w, cert_list_get(list, i));
}

bool get_certs(struct rd *r, struct cert_list *out)
{
    struct span der;
    uint8_t n;

    if (!rd_u8(r, &n) || n > CERTS_MAX)
        return false;
    for (unsigned i = 0; i < n; i++)
        if (!get_box(r, CERTS_BYTES_MAX, &der) || !cert_list_add(out, der))
            return false;
    return true;
}

void put_secret(struct wr *w, const struct secret *s)
{
    wr_u8(w, s != NULL);
    if (s)
        put_box(w, secret_span(s));
}

bool get_secret(struct rd *r, bool *has, struct secret *out)
{
    struct span bytes;

    return get_bool(r, has) &&
           (!*has || (get_box(r, SECRET_MAX, &bytes) && secret_set(out, bytes)));
}
