/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ike/v1/parse.h"

#include "wire/rd.h"

#include <string.h>

#define ISAKMP_MAJOR(version) ((version) >> 4)

bool isakmp_parse_header(struct span datagram, struct isakmp_header *out, struct span *body)
{
    struct rd r = rd_of(datagram);
    struct isakmp_header h;
    struct span rest;

    if (datagram.n > IKE_MESSAGE_MAX)
        return false;
    if (!rd_copy(&r, h.cky_i, sizeof(h.cky_i)) || !rd_copy(&r, h.cky_r, sizeof(h.cky_r)) ||
        !rd_u8(&r, &h.next_payload) || !rd_u8(&r, &h.version) || !rd_u8(&r, &h.exchange) ||
        !rd_u8(&r, &h.flags) || !rd_u32(&r, &h.message_id) || !rd_u32(&r, &h.length))
        return false;
    if (h.length < ISAKMP_HEADER_LEN || h.length > datagram.n || ISAKMP_MAJOR(h.version) != 1)
        return false;
    if (!rd_bytes(&r, h.length - ISAKMP_HEADER_LEN, &rest))
        return false;
    *out = h;
    *body = rest;
    return true;
}

/* Types that IKEv1 knows; 128 and above are private use and passed over (RFC 2408 3.1). */
static bool type_is_known(uint8_t type)
{
    return type >= 128 || (type != PAYLOAD_NONE && isakmp_payload_name(type));
}

static bool chain_add(struct chain *c, uint8_t type, struct span body)
{
    if (type == PAYLOAD_VID) {
        if (c->n_vid == IKE_VENDOR_IDS_MAX)
            return false;
        c->vid[c->n_vid++] = body;
        return true;
    }
    if (c->n == IKE_PAYLOADS_MAX)
        return false;
    c->at[c->n++] = (struct payload){.type = type, .body = body};
    return true;
}

bool isakmp_split(uint8_t first, struct span body, struct chain *out)
{
    struct rd r = rd_of(body);
    struct rd behind = {.rest = SPAN_NONE};
    uint8_t type = first;

    memset(out, 0, sizeof(*out));
    out->first = first;
    while (type != PAYLOAD_NONE) {
        uint8_t next;
        uint8_t reserved;
        uint16_t length;
        struct span data;

        if (!rd_u8(&r, &next) || !rd_u8(&r, &reserved) || !rd_u16(&r, &length))
            return false;
        if (length < 4 || !rd_bytes(&r, (size_t)length - 4, &data))
            return false;
        if (!type_is_known(type) || !chain_add(out, type, data))
            return false;
        if (!behind.rest.p)
            behind = r;
        type = next;
    }
    /* What is left is padding of any value (RFC 2409 appendix B). */
    if (behind.rest.p && !rd_bytes(&behind, rd_left(&behind) - rd_left(&r), &out->after_first))
        return false;
    return out->first != PAYLOAD_NONE;
}

/* How often a payload may stand in a message. */
struct allowance {
    uint8_t type, min, max;
};

#define ALLOWED_MAX 9
#define MANY IKE_PAYLOADS_MAX

static const struct message_rule {
    bool encrypted;
    bool hash_first;
    struct allowance allowed[ALLOWED_MAX];
} rules[] = {
    [MESSAGE_MM2] = {false,
                     false,
                     {{PAYLOAD_SA, 1, 1}, {PAYLOAD_CR, 0, MANY}, {PAYLOAD_N, 0, MANY}}},
    [MESSAGE_MM4] = {false,
                     false,
                     {{PAYLOAD_KE, 1, 1},
                      {PAYLOAD_NONCE, 1, 1},
                      {PAYLOAD_NAT_D, 0, MANY},
                      {PAYLOAD_NAT_D_DRAFT, 0, MANY},
                      {PAYLOAD_CR, 0, MANY},
                      {PAYLOAD_N, 0, MANY}}},
    [MESSAGE_MM6] = {true, false, {{PAYLOAD_ID, 1, 1}, {PAYLOAD_HASH, 1, 1}, {PAYLOAD_N, 0, MANY}}},
    [MESSAGE_QM1] = {true,
                     true,
                     {{PAYLOAD_HASH, 1, 1},
                      {PAYLOAD_SA, 1, 1},
                      {PAYLOAD_NONCE, 1, 1},
                      {PAYLOAD_KE, 0, 1},
                      {PAYLOAD_ID, 0, 2},
                      {PAYLOAD_NAT_OA, 0, 2},
                      {PAYLOAD_NAT_OA_DRAFT, 0, 2},
                      {PAYLOAD_N, 0, MANY}}},
    [MESSAGE_QM3] = {true, true, {{PAYLOAD_HASH, 1, 1}, {PAYLOAD_N, 0, MANY}}},
    [MESSAGE_INFO] = {true,
                      true,
                      {{PAYLOAD_HASH, 1, 1}, {PAYLOAD_N, 0, MANY}, {PAYLOAD_D, 0, MANY}}},
    [MESSAGE_INFO_CLEAR] = {false, false, {{PAYLOAD_N, 1, MANY}, {PAYLOAD_D, 0, MANY}}},
    [MESSAGE_MM6_SIG] = {true,
                         false,
                         {{PAYLOAD_ID, 1, 1},
                          {PAYLOAD_SIG, 1, 1},
                          {PAYLOAD_CERT, 0, MANY},
                          {PAYLOAD_CR, 0, MANY},
                          {PAYLOAD_N, 0, MANY}}},
    [MESSAGE_AM2] = {false,
                     false,
                     {{PAYLOAD_SA, 1, 1},
                      {PAYLOAD_KE, 1, 1},
                      {PAYLOAD_NONCE, 1, 1},
                      {PAYLOAD_ID, 1, 1},
                      {PAYLOAD_HASH, 1, 1},
                      {PAYLOAD_NAT_D, 0, MANY},
                      {PAYLOAD_NAT_D_DRAFT, 0, MANY},
                      {PAYLOAD_CR, 0, MANY},
                      {PAYLOAD_N, 0, MANY}}},
};

static const struct allowance *allowance_of(const struct message_rule *rule, uint8_t type)
{
    for (unsigned i = 0; i < ALLOWED_MAX && rule->allowed[i].type != PAYLOAD_NONE; i++)
        if (rule->allowed[i].type == type)
            return &rule->allowed[i];
    return NULL;
}

bool isakmp_check(enum isakmp_message message, const struct chain *c)
{
    const struct message_rule *rule = &rules[message];

    if (rule->hash_first && c->first != PAYLOAD_HASH)
        return false;
    for (unsigned i = 0; i < c->n; i++)
        if (c->at[i].type < 128 && !allowance_of(rule, c->at[i].type))
            return false;
    for (unsigned i = 0; i < ALLOWED_MAX && rule->allowed[i].type != PAYLOAD_NONE; i++) {
        unsigned n = chain_count(c, rule->allowed[i].type);

        if (n < rule->allowed[i].min || n > rule->allowed[i].max)
            return false;
    }
    return true;
}

bool isakmp_is_encrypted(enum isakmp_message message)
{
    return rules[message].encrypted;
}

bool chain_get(const struct chain *c, uint8_t type, unsigned index, struct span *out)
{
    for (unsigned i = 0; i < c->n; i++) {
        if (c->at[i].type != type)
            continue;
        if (index-- == 0) {
            *out = c->at[i].body;
            return true;
        }
    }
    return false;
}

unsigned chain_count(const struct chain *c, uint8_t type)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->n; i++)
        n += c->at[i].type == type;
    return n;
}

bool isakmp_parse_notify(struct span body, struct notify *out)
{
    struct rd r = rd_of(body);
    struct notify n;
    uint8_t spi_size;

    if (!rd_u32(&r, &n.doi) || !rd_u8(&r, &n.protocol) || !rd_u8(&r, &spi_size) ||
        !rd_u16(&r, &n.type) || !rd_bytes(&r, spi_size, &n.spi))
        return false;
    n.data = rd_rest(&r);
    *out = n;
    return true;
}

bool isakmp_parse_delete(struct span body, struct delete_payload *out)
{
    struct rd r = rd_of(body);
    struct delete_payload d;

    if (!rd_u32(&r, &d.doi) || !rd_u8(&r, &d.protocol) || !rd_u8(&r, &d.spi_size) ||
        !rd_u16(&r, &d.n_spis))
        return false;
    if (d.spi_size == 0 || d.n_spis == 0 || !rd_bytes(&r, (size_t)d.spi_size * d.n_spis, &d.spis) ||
        !rd_end(&r))
        return false;
    *out = d;
    return true;
}

/* Exact bytes of an identity's data; 0 stands for "any from 1 to IKE_IDENTITY_MAX". */
static bool identity_len(uint8_t type, size_t *out)
{
    static const struct {
        uint8_t type, len;
    } rows[] = {
        {ID_TYPE_IPV4_ADDR, 4},       {ID_TYPE_FQDN, 0},
        {ID_TYPE_USER_FQDN, 0},       {ID_TYPE_IPV4_ADDR_SUBNET, 8},
        {ID_TYPE_IPV6_ADDR, 16},      {ID_TYPE_IPV6_ADDR_SUBNET, 32},
        {ID_TYPE_IPV4_ADDR_RANGE, 8}, {ID_TYPE_IPV6_ADDR_RANGE, 32},
        {ID_TYPE_DER_ASN1_DN, 0},     {ID_TYPE_DER_ASN1_GN, 0},
        {ID_TYPE_KEY_ID, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].type == type) {
            *out = rows[i].len;
            return true;
        }
    }
    return false;
}

/* A name holds no control bytes; the broken ones are for nobody to look at. */
static bool name_is_clean(struct span name)
{
    struct rd r = rd_of(name);
    uint8_t c;

    while (rd_u8(&r, &c))
        if (c < 0x20 || c == 0x7f)
            return false;
    return true;
}

/* One DER element with that tag; lengths up to 65535. */
static bool der_enter(struct rd *r, uint8_t tag, struct rd *out)
{
    uint8_t got;
    uint8_t first;
    uint8_t byte;
    uint16_t n;

    if (!rd_u8(r, &got) || got != tag || !rd_u8(r, &first))
        return false;
    n = first;
    if (first == 0x81) {
        if (!rd_u8(r, &byte))
            return false;
        n = byte;
    } else if (first == 0x82) {
        if (!rd_u16(r, &n))
            return false;
    } else if (first & 0x80) {
        return false;
    }
    return rd_sub(r, n, out);
}

/* The string of one attribute; in BMPString and UniversalString zeros are ordinary bytes. */
static bool der_value_is_sound(struct rd *r)
{
    enum {
        UTF8 = 12,
        PRINTABLE = 19,
        T61 = 20,
        IA5 = 22
    };
    struct rd peek = *r;
    struct rd value;
    uint8_t tag;

    if (!rd_u8(&peek, &tag) || !der_enter(r, tag, &value) || !rd_end(r))
        return false;
    return (tag != UTF8 && tag != PRINTABLE && tag != T61 && tag != IA5) ||
           name_is_clean(value.rest);
}

/* RFC 5280 4.1.2.4: SEQUENCE OF SET OF SEQUENCE { type, value }, and nothing behind it. */
static bool dn_is_sound(struct span der)
{
    enum {
        SEQUENCE = 0x30,
        SET = 0x31,
        OID = 6
    };
    struct rd r = rd_of(der);
    struct rd names;
    struct rd set;
    struct rd pair;
    struct rd oid;

    if (!der_enter(&r, SEQUENCE, &names) || !rd_end(&r))
        return false;
    while (!rd_end(&names)) {
        if (!der_enter(&names, SET, &set) || rd_end(&set))
            return false;
        while (!rd_end(&set))
            if (!der_enter(&set, SEQUENCE, &pair) || !der_enter(&pair, OID, &oid) || rd_end(&oid) ||
                !der_value_is_sound(&pair))
                return false;
    }
    return true;
}

bool isakmp_parse_identity(struct span body, struct identity *out)
{
    struct rd r = rd_of(body);
    struct identity id = {0};
    size_t want;

    if (!rd_u8(&r, &id.type) || !rd_u8(&r, &id.protocol) || !rd_u16(&r, &id.port) ||
        !identity_len(id.type, &want))
        return false;
    id.data = rd_rest(&r);
    if (want == 0)
        want = id.data.n;
    if (id.data.n != want || id.data.n == 0 || id.data.n > IKE_IDENTITY_MAX)
        return false;
    if ((id.type == ID_TYPE_FQDN || id.type == ID_TYPE_USER_FQDN) && !name_is_clean(id.data))
        return false;
    if (id.type == ID_TYPE_DER_ASN1_DN && !dn_is_sound(id.data))
        return false;
    if (id.data.n % 4 == 0 && id.data.n <= 32 && id.type <= ID_TYPE_IPV6_ADDR_RANGE &&
        id.type != ID_TYPE_FQDN && id.type != ID_TYPE_USER_FQDN) {
        size_t n = id.type == ID_TYPE_IPV4_ADDR || id.type == ID_TYPE_IPV4_ADDR_SUBNET ||
                           id.type == ID_TYPE_IPV4_ADDR_RANGE
                       ? 4
                       : 16;

        if (!inaddr_from_bytes(&id.addr, span_of(id.data.p, n)))
            return false;
    }
    *out = id;
    return true;
}

bool isakmp_parse_nat_oa(struct span body, struct inaddr *out)
{
    struct rd r = rd_of(body);
    uint8_t type;
    struct inaddr addr;

    if (!rd_u8(&r, &type) || !rd_skip(&r, 3) || !inaddr_from_bytes(&addr, rd_rest(&r)))
        return false;
    if ((type != ID_TYPE_IPV4_ADDR || addr.family != 4) &&
        (type != ID_TYPE_IPV6_ADDR || addr.family != 6))
        return false;
    *out = addr;
    return true;
}
