/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "l2tp/message.h"

#include "base/secret.h"

enum {
    FLAG_T = 0x8000,
    FLAG_L = 0x4000,
    FLAG_S = 0x0800,
    FLAG_O = 0x0200,
    VERSION_MASK = 0x000f,
    VERSION_2 = 2,
};

static const char *const names[MESSAGE_TYPES] = {
    [SCCRQ] = "SCCRQ", [SCCRP] = "SCCRP", [SCCCN] = "SCCCN", [STOPCCN] = "StopCCN",
    [HELLO] = "HELLO", [OCRQ] = "OCRQ",   [OCRP] = "OCRP",   [OCCN] = "OCCN",
    [ICRQ] = "ICRQ",   [ICRP] = "ICRP",   [ICCN] = "ICCN",   [CDN] = "CDN",
    [WEN] = "WEN",     [SLI] = "SLI",
};

static bool is_known(uint16_t type)
{
    return type < MESSAGE_TYPES && names[type];
}

const char *message_name(uint16_t type)
{
    return is_known(type) ? names[type] : "message";
}

bool message_is_call(uint16_t type)
{
    return is_known(type) && type >= OCRQ;
}

bool message_read_header(struct span bytes, struct message_header *out)
{
    const uint16_t wanted = FLAG_T | FLAG_L | FLAG_S;
    struct rd r = rd_of(bytes);
    struct message_header h;
    uint16_t flags;
    uint16_t length;

    if (!rd_u16(&r, &flags) || (flags & wanted) != wanted || (flags & FLAG_O) ||
        (flags & VERSION_MASK) != VERSION_2)
        return false;
    if (!rd_u16(&r, &length) || length < MESSAGE_HEADER || length > bytes.n ||
        length > L2TP_MESSAGE_MAX)
        return false;
    if (!rd_u16(&r, &h.tunnel_id) || !rd_u16(&r, &h.session_id) || !rd_u16(&r, &h.ns) ||
        !rd_u16(&r, &h.nr) || !rd_bytes(&r, (size_t)length - MESSAGE_HEADER, &h.avps))
        return false;
    *out = h;
    return true;
}

bool message_write_header(struct mspan message, const struct message_header *h)
{
    struct wr w = wr_of(message.p, message.n);
    struct span done;

    if (message.n > L2TP_MESSAGE_MAX)
        return false;
    wr_u16(&w, FLAG_T | FLAG_L | FLAG_S | VERSION_2);
    wr_u16(&w, (uint16_t)message.n);
    wr_u16(&w, h->tunnel_id);
    wr_u16(&w, h->session_id);
    wr_u16(&w, h->ns);
    wr_u16(&w, h->nr);
    return wr_finish(&w, &done);
}

static void set_fault(struct message *m, enum message_fault fault, const struct avp *a)
{
    if (m->fault != FAULT_NONE)
        return;
    m->fault = fault;
    m->fault_attribute = a->attribute;
    m->fault_vendor = a->vendor;
}

/* Unhides in place of a->value; the clear text lives in m. */
static bool unhide(struct message *m, const struct avp_key *key, struct avp *a)
{
    struct mspan room = {m->clear + m->n_clear, sizeof(m->clear) - m->n_clear};
    size_t n = a->value.n;

    if (key->secret.n == 0 || key->random_vector.n == 0 ||
        !avp_unhide(key, a->attribute, a->value, room, &a->value))
        return false;
    m->n_clear += n;
    return true;
}

/* False: the AVP is one that we cannot understand, to be judged by its M bit (4.1). */
static bool take(struct message *m, struct avp_key *key, struct avp *a)
{
    const struct avp_rule *rule = a->vendor == 0 ? avp_rule(a->attribute) : NULL;

    if (!rule || a->reserved)
        return false;
    if (a->h && (!rule->h || !unhide(m, key, a)))
        return false;
    if (a->value.n < rule->min || a->value.n > rule->max)
        return false;
    if (a->attribute == AVP_RANDOM_VECTOR)
        key->random_vector = a->value; /* the last one before a hidden AVP counts (4.3) */
    if (!message_has(m, (enum avp_id)a->attribute)) {
        m->present |= (uint64_t)1 << a->attribute;
        m->value[a->attribute] = a->value;
    }
    return true;
}

/* The first AVP; false: nothing more is to be read. */
static bool take_type(struct message *m, struct avp_key *key, struct rd *r)
{
    struct avp a = {0};
    uint16_t type;

    if (!avp_read(r, &a) || a.attribute != AVP_MESSAGE_TYPE) {
        m->fault = FAULT_MALFORMED;
        return false;
    }
    if (a.vendor == 0 && !a.reserved && (a.h || a.value.n != 2)) {
        m->fault = FAULT_MALFORMED;
        return false;
    }
    if (!take(m, key, &a)) { /* a vendor's own message, or reserved bits */
        if (a.m)
            set_fault(m, FAULT_UNKNOWN_TYPE, &a);
        return false;
    }
    type = message_u16(m, AVP_MESSAGE_TYPE);
    if (is_known(type)) {
        m->type = type;
        return true;
    }
    if (a.m) {
        m->fault = FAULT_UNKNOWN_TYPE;
        m->fault_attribute = type;
    }
    return false;
}

void message_parse(struct span avps, const struct avp_key *key, struct message *out)
{
    struct avp_key current = *key;
    struct rd r = rd_of(avps);
    struct avp a = {0};

    /* `clear` stays as it is: only what n_clear covers is ever read. */
    out->type = 0;
    out->fault = FAULT_NONE;
    out->fault_attribute = out->fault_vendor = 0;
    out->present = 0;
    out->n_clear = 0;
    current.random_vector = SPAN_NONE;
    if (!take_type(out, &current, &r))
        return;
    while (!rd_end(&r)) {
        if (!avp_read(&r, &a)) {
            out->fault = FAULT_MALFORMED;
            return;
        }
        if (!take(out, &current, &a) && a.m)
            set_fault(out, FAULT_MANDATORY, &a);
    }
}

void message_wipe(struct message *m)
{
    wipe(m->clear, m->n_clear);
    m->n_clear = 0;
    m->present = 0;
}

uint16_t message_u16(const struct message *m, enum avp_id id)
{
    struct rd r = rd_of(message_has(m, id) ? m->value[id] : SPAN_NONE);
    uint16_t v = 0;

    return rd_u16(&r, &v) ? v : 0;
}

uint32_t message_u32(const struct message *m, enum avp_id id)
{
    struct rd r = rd_of(message_has(m, id) ? m->value[id] : SPAN_NONE);
    uint32_t v = 0;

    return rd_u32(&r, &v) ? v : 0;
}
