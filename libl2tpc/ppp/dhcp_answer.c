/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One DHCPACK: split, checked, then what of it is fit for use. */
#include "ppp/dhcpinform.h"

#include "wire/rd.h"
#include "wire/sum.h"

#include <ctype.h>
#include <string.h>

#define BOOTREPLY 2
#define DHCPACK 5
#define COOKIE 0x63825363u
#define LABEL_MAX 63
#define POINTERS_MAX 16 /* of one name: each leads backwards, so it would end by itself */

enum option {
    OPTION_DNS = 6,
    OPTION_DOMAIN = 15,
    OPTION_OVERLOAD = 52,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_SEARCH = 119,
    OPTION_ROUTES = 121,
    OPTION_MS_ROUTES = 249,
};

/* An option that came in pieces, put together (RFC 3396). */
struct joined {
    uint8_t option;
    bool there;
    size_t n;
    uint8_t bytes[DHCPINFORM_ANSWER_MAX];
};

enum {
    KEPT = 8
};

struct options {
    struct joined kept[KEPT];
};

static const uint8_t kept_options[KEPT] = {
    OPTION_DNS,    OPTION_DOMAIN, OPTION_OVERLOAD, OPTION_TYPE,
    OPTION_SERVER, OPTION_SEARCH, OPTION_ROUTES,   OPTION_MS_ROUTES,
};

static struct joined *kept(struct options *o, uint8_t option)
{
    for (unsigned i = 0; i < KEPT; i++)
        if (kept_options[i] == option)
            return &o->kept[i];
    return NULL;
}

static struct span value_of(const struct options *o, uint8_t option, bool *out_there)
{
    for (unsigned i = 0; i < KEPT; i++) {
        if (kept_options[i] != option)
            continue;
        *out_there = o->kept[i].there;
        return span_of(o->kept[i].bytes, o->kept[i].n);
    }
    *out_there = false;
    return SPAN_NONE;
}

/* ---- the packet ---- */

/* RFC 791, 768: header and payload of a UDP packet that is no fragment. */
struct udp {
    struct inaddr from, to;
    uint16_t from_port, to_port;
    struct span payload;
};

static bool take_v4(struct rd *r, struct inaddr *out)
{
    struct span s;

    return rd_bytes(r, 4, &s) && inaddr_from_bytes(out, s);
}

static bool udp_sum_is_right(struct span packet, size_t header, struct span datagram)
{
    struct rd r = rd_of(datagram);
    uint16_t sum;

    if (!rd_skip(&r, 6) || !rd_u16(&r, &sum))
        return false;
    if (sum == 0) /* RFC 768: none was made */
        return true;
    return header >= 20 &&
           sum_fold(sum_add_u16(
               sum_add_u16(sum_add(sum_add(0, span_of(packet.p + 12, 8)), datagram), 17),
               (uint16_t)datagram.n)) == 0xffff;
}

static bool split_udp(struct span packet, struct udp *out)
{
    struct rd r = rd_of(packet);
    struct rd udp;
    uint8_t version, protocol;
    uint16_t length, fragment, udp_length, sum;
    size_t header;
    struct span datagram;

    if (!rd_u8(&r, &version) || version >> 4 != 4 || !rd_skip(&r, 1) || !rd_u16(&r, &length) ||
        !rd_skip(&r, 2) || !rd_u16(&r, &fragment) || !rd_skip(&r, 1) || !rd_u8(&r, &protocol) ||
        !rd_skip(&r, 2) || !take_v4(&r, &out->from) || !take_v4(&r, &out->to))
        return false;
    header = (size_t)(version & 15) * 4;
    if (header < 20 || length < header || length > packet.n || protocol != 17 ||
        (fragment & 0x3fff) != 0 || !rd_skip(&r, header - 20))
        return false;
    if (sum_fold(sum_add(0, span_of(packet.p, header))) != 0xffff ||
        !rd_sub(&r, length - header, &udp))
        return false;
    datagram = udp.rest;
    if (!rd_u16(&udp, &out->from_port) || !rd_u16(&udp, &out->to_port) ||
        !rd_u16(&udp, &udp_length) || !rd_u16(&udp, &sum) || udp_length < 8 ||
        udp_length > datagram.n)
        return false;
    datagram.n = udp_length; /* bytes behind it belong to nobody */
    if (!udp_sum_is_right(packet, header, datagram))
        return false;
    return rd_bytes(&udp, udp_length - 8u, &out->payload);
}

bool dhcp_answer_may_be(struct span packet)
{
    struct rd r = rd_of(packet);
    uint8_t version, protocol;
    uint16_t fragment, from, to;

    return rd_u8(&r, &version) && version >> 4 == 4 && (version & 15) >= 5 && rd_skip(&r, 5) &&
           rd_u16(&r, &fragment) && (fragment & 0x3fff) == 0 && rd_skip(&r, 1) &&
           rd_u8(&r, &protocol) && protocol == 17 && rd_skip(&r, (size_t)(version & 15) * 4 - 10) &&
           rd_u16(&r, &from) && rd_u16(&r, &to) && from == 67 && to == 68;
}

/* ---- options ---- */

/* RFC 2132 3.1, 3.2: one field of options; false when one is cut off. */
static bool take_options(struct span field, struct options *o)
{
    struct rd r = rd_of(field);
    uint8_t code, n;
    struct span value;

    while (rd_u8(&r, &code)) {
        struct joined *j;

        if (code == 0)
            continue;
        if (code == 255)
            return true;
        if (!rd_u8(&r, &n) || !rd_bytes(&r, n, &value))
            return false;
        j = kept(o, code);
        if (!j)
            continue;
        if (value.n > sizeof(j->bytes) - j->n)
            return false;
        if (value.n > 0)
            memcpy(j->bytes + j->n, value.p, value.n);
        j->n += value.n;
        j->there = true;
    }
    return true; /* End is a MUST, but packets are cut short for less */
}

/* RFC 2131 4.1: file and sname may hold more of them. */
static bool take_overload(struct span sname, struct span file, struct options *o)
{
    bool there;
    struct span v = value_of(o, OPTION_OVERLOAD, &there);
    uint8_t which;
    struct rd r = rd_of(v);

    if (!there)
        return true;
    if (v.n != 1 || !rd_u8(&r, &which) || which < 1 || which > 3)
        return false;
    return (!(which & 1) || take_options(file, o)) && (!(which & 2) || take_options(sname, o));
}

static bool split_bootp(struct span payload, const struct dhcp_question *q, struct options *o)
{
    struct rd r = rd_of(payload);
    uint8_t op, htype, hlen;
    uint32_t xid, ciaddr, cookie;
    struct span chaddr, sname, file;

    if (!rd_u8(&r, &op) || op != BOOTREPLY || !rd_u8(&r, &htype) || !rd_u8(&r, &hlen) ||
        !rd_skip(&r, 1) || !rd_u32(&r, &xid) || xid != q->xid || !rd_skip(&r, 4) ||
        !rd_u32(&r, &ciaddr) || !rd_skip(&r, 12) || !rd_bytes(&r, 16, &chaddr) ||
        !rd_bytes(&r, 64, &sname) || !rd_bytes(&r, 128, &file) || !rd_u32(&r, &cookie) ||
        cookie != COOKIE)
        return false;
    if (ciaddr != 0 && ciaddr != inaddr_to_v4(&q->local))
        return false;
    return memcmp(chaddr.p, q->chaddr, sizeof(q->chaddr)) == 0 && take_options(rd_rest(&r), o) &&
           take_overload(sname, file, o);
}

static bool is_ack(const struct options *o)
{
    bool there;
    struct span v = value_of(o, OPTION_TYPE, &there);
    struct rd r = rd_of(v);
    uint8_t type;

    return there && v.n == 1 && rd_u8(&r, &type) && type == DHCPACK;
}

/* ---- what is fit for use ---- */

/* Networks that are somewhere: not this computer, not a link, not a group. */
static bool is_network(uint32_t a, uint8_t len)
{
    return len >= DHCPINFORM_PREFIX_MIN && a >> 24 != 0 && a >> 24 != 127 && a >> 29 != 7 &&
           a >> 16 != 0xa9fe;
}

static void add_route(struct dhcp_answer *out, const struct dhcp_question *q, uint32_t a,
                      uint8_t len)
{
    if (!is_network(a, len) || (len == 32 && a == inaddr_to_v4(&q->outer))) {
        out->n_refused++;
        return;
    }
    for (unsigned i = 0; i < out->n_routes; i++)
        if (out->route[i].destination == a && out->route[i].prefix_len == len)
            return; /* 121 and 249 say the same */
    if (out->n_routes == DHCPINFORM_ROUTES_MAX) {
        out->n_refused++;
        return;
    }
    out->route[out->n_routes++] = (struct dhcp_route){a, len};
}

/* RFC 3442: width, as many bytes of the network as it has, router. The router is ignored: there is
 * one peer. Broken anywhere, all of it is nothing. */
static bool take_routes(struct span v, const struct dhcp_question *q, struct dhcp_answer *out)
{
    struct dhcp_answer some = *out;
    struct rd r = rd_of(v);

    if (v.n < 5)
        return false;
    while (!rd_end(&r)) {
        uint8_t len;
        uint32_t a = 0;
        struct span bytes;

        if (!rd_u8(&r, &len) || len > 32 || !rd_bytes(&r, (len + 7u) / 8, &bytes) ||
            !rd_skip(&r, 4))
            return false;
        for (size_t i = 0; i < bytes.n; i++)
            a |= (uint32_t)bytes.p[i] << (24 - 8 * i);
        a &= len == 0 ? 0 : UINT32_MAX << (32 - len);
        add_route(&some, q, a, len);
    }
    *out = some;
    return true;
}

/* One that only Microsoft's clients read may stand beside, or instead of, the standard's. */
static void use_routes(const struct options *o, const struct dhcp_question *q,
                       struct dhcp_answer *out)
{
    bool standard, microsoft;
    struct span a = value_of(o, OPTION_ROUTES, &standard);
    struct span b = value_of(o, OPTION_MS_ROUTES, &microsoft);

    if (standard && !take_routes(a, q, out))
        out->n_refused++;
    if (microsoft && !take_routes(b, q, out))
        out->n_refused++;
}

static void use_dns(const struct options *o, struct dhcp_answer *out)
{
    bool there;
    struct span v = value_of(o, OPTION_DNS, &there);
    struct rd r = rd_of(v);
    struct inaddr a;
    unsigned n = 0;

    if (!there || v.n % 4 != 0)
        return;
    while (n < ARRAY_LEN(out->dns) && take_v4(&r, &a))
        if (!inaddr_is_any(&a) && !inaddr_is_loopback(&a) && !inaddr_is_multicast(&a) &&
            !inaddr_is_link_local(&a))
            out->dns[n++] = a;
}

/* Host names only (RFC 952, 1123 2.1): they stand in files and commands of others later. */
static bool domain_is_fit(const char *name)
{
    size_t n = strlen(name);
    size_t label = 0;

    if (n == 0 || n >= DHCPINFORM_DOMAIN_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)name[i];

        if (c == '.') {
            if (label == 0 || name[i - 1] == '-')
                return false;
            label = 0;
            continue;
        }
        if (!isascii(c) || (!isalnum(c) && c != '-' && c != '_') || (c == '-' && label == 0) ||
            ++label > LABEL_MAX)
            return false;
    }
    return label > 0 && name[n - 1] != '-';
}

static void add_domain(struct dhcp_answer *out, const char *name)
{
    if (!domain_is_fit(name) || out->n_domains == DHCPINFORM_DOMAINS_MAX)
        return;
    for (unsigned i = 0; i < out->n_domains; i++)
        if (strcasecmp(out->domain[i], name) == 0)
            return;
    memcpy(out->domain[out->n_domains++], name, strlen(name) + 1);
}

/* RFC 2132 3.17; some servers count a NUL, some end it with a dot. */
static void use_domain(const struct options *o, struct dhcp_answer *out)
{
    char name[DHCPINFORM_DOMAIN_MAX] = "";
    bool there;
    struct span v = value_of(o, OPTION_DOMAIN, &there);

    while (v.n > 0 && (v.p[v.n - 1] == '\0' || v.p[v.n - 1] == '.'))
        v.n--;
    if (!there || v.n == 0 || v.n >= sizeof(name) || memchr(v.p, '\0', v.n))
        return;
    memcpy(name, v.p, v.n);
    add_domain(out, name);
}

/* One name at `at` of the option (RFC 1035 4.1.4; pointers count from the option's start). False
 * when it is broken; `next` is what stands behind it. */
static bool take_name(struct span all, size_t at, char out[DHCPINFORM_DOMAIN_MAX], size_t *next)
{
    size_t n = 0;
    unsigned pointers = 0;

    *next = 0;
    for (;;) {
        struct rd r = rd_of(all);
        struct span label;
        uint8_t len, low;

        if (!rd_skip(&r, at) || !rd_u8(&r, &len))
            return false;
        if (len >> 6 == 3) {
            size_t to;

            if (!rd_u8(&r, &low))
                return false;
            to = (size_t)(len & 63) << 8 | low;
            if (*next == 0)
                *next = at + 2;
            if (to >= at || ++pointers > POINTERS_MAX)
                return false;
            at = to;
            continue;
        }
        if (len >> 6 != 0 || !rd_bytes(&r, len, &label))
            return false;
        at += 1u + len;
        if (len == 0)
            break;
        if (n + len + 2 > DHCPINFORM_DOMAIN_MAX || memchr(label.p, '\0', len) ||
            memchr(label.p, '.', len))
            return false;
        if (n > 0)
            out[n++] = '.';
        memcpy(out + n, label.p, len);
        n += len;
    }
    out[n] = '\0';
    if (*next == 0)
        *next = at;
    return true;
}

/* RFC 3397: broken anywhere, all of it is nothing. */
static void use_search(const struct options *o, struct dhcp_answer *out)
{
    struct dhcp_answer some = *out;
    char name[DHCPINFORM_DOMAIN_MAX];
    bool there;
    struct span v = value_of(o, OPTION_SEARCH, &there);
    size_t at = 0;

    if (!there)
        return;
    while (at < v.n) {
        if (!take_name(v, at, name, &at))
            return;
        add_domain(&some, name);
    }
    *out = some;
}

static void use_server(const struct options *o, const struct udp *udp, struct dhcp_answer *out)
{
    bool there;
    struct span v = value_of(o, OPTION_SERVER, &there);

    if (!there || v.n != 4 || !inaddr_from_bytes(&out->server, v))
        out->server = udp->from;
}

bool dhcp_answer_read(struct span packet, const struct dhcp_question *q, struct dhcp_answer *out)
{
    struct options *o;
    struct udp udp;
    bool ok;

    if (packet.n > DHCPINFORM_ANSWER_MAX || !split_udp(packet, &udp) || udp.from_port != 67 ||
        udp.to_port != 68)
        return false;
    /* It comes from somebody else, and to us or to all. */
    if (inaddr_is_any(&udp.from) || inaddr_is_loopback(&udp.from) ||
        inaddr_is_multicast(&udp.from) || inaddr_eq(&udp.from, &q->local) ||
        (!inaddr_eq(&udp.to, &q->local) && inaddr_to_v4(&udp.to) != 0xffffffff))
        return false;
    o = calloc(1, sizeof(*o));
    ok = o && split_bootp(udp.payload, q, o) && is_ack(o);
    if (ok) {
        *out = (struct dhcp_answer){.n_routes = 0};
        use_server(o, &udp, out);
        use_routes(o, q, out);
        use_dns(o, out);
        use_domain(o, out);
        use_search(o, out);
    }
    free(o);
    return ok;
}
