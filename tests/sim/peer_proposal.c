/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Choosing among proposals and writing them (RFC 2407 4.4 and 4.5, RFC 2408 3.5, RFC 2409 app. A).
 */
#include "peer_i.h"

struct attr {
    uint16_t type;
    uint32_t value;
};
#define ATTRS_MAX 16

struct transform {
    uint8_t number, id;
    struct span attributes;
    struct attr attr[ATTRS_MAX];
    size_t n;
};

struct proposal {
    uint8_t number, protocol, n_transforms;
    struct span spi;
    struct rd transforms;
};

struct wire {
    uint16_t number;
    int id;
};

static const struct wire ike_ciphers[] = {
    {1, CIPHER_DES_CBC}, {5, CIPHER_3DES_CBC}, {7, CIPHER_AES_CBC}, {0, 0}};
static const struct wire ike_hashes[] = {{1, HASH_MD5},    {2, HASH_SHA1},   {4, HASH_SHA256},
                                         {5, HASH_SHA384}, {6, HASH_SHA512}, {0, 0}};
static const struct wire esp_ciphers[] = {
    {2, CIPHER_DES_CBC}, {3, CIPHER_3DES_CBC}, {12, CIPHER_AES_CBC}, {20, CIPHER_AES_GCM}, {0, 0}};
static const struct wire esp_integs[] = {{1, HASH_MD5},    {2, HASH_SHA1},   {5, HASH_SHA256},
                                         {6, HASH_SHA384}, {7, HASH_SHA512}, {0, 0}};

static int from_wire(const struct wire *w, uint32_t number)
{
    for (; w->number; w++)
        if (w->number == number)
            return w->id;
    return 0;
}

static uint16_t to_wire(const struct wire *w, int id)
{
    for (; w->number; w++)
        if (w->id == id)
            return w->number;
    return 0;
}

static bool read_attrs(struct transform *t)
{
    struct rd r = rd_of(t->attributes);

    t->n = 0;
    while (!rd_end(&r)) {
        struct attr *a = &t->attr[t->n];
        struct span v;
        uint16_t type, value;

        if (t->n == ATTRS_MAX || !rd_u16(&r, &type) || !rd_u16(&r, &value))
            return false;
        a->type = type & 0x7fff;
        a->value = value;
        if (!(type & 0x8000)) {
            if (!rd_bytes(&r, value, &v) || v.n == 0 || v.n > 4)
                return false;
            a->value = 0;
            for (size_t i = 0; i < v.n; i++)
                a->value = a->value << 8 | v.p[i];
        }
        t->n++;
    }
    return true;
}

static bool attr_get(const struct transform *t, uint16_t type, uint32_t *out)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->attr[i].type != type)
            continue;
        *out = t->attr[i].value;
        return true;
    }
    return false;
}

/* The lifetime of one kind: a duration belongs to the type in front of it. */
static uint32_t life(const struct transform *t, uint16_t type_attr, uint32_t kind)
{
    for (size_t i = 0; i + 1 < t->n; i++)
        if (t->attr[i].type == type_attr && t->attr[i].value == kind &&
            t->attr[i + 1].type == type_attr + 1)
            return t->attr[i + 1].value;
    return 0;
}

static bool next_proposal(struct peer *p, struct rd *r, struct proposal *out)
{
    uint8_t next, reserved, spi_size;
    uint16_t length;
    struct rd box;

    if (rd_end(r))
        return false;
    if (!rd_u8(r, &next) || !rd_u8(r, &reserved) || !rd_u16(r, &length) || length < 8 ||
        !rd_sub(r, length - 4u, &box) || !rd_u8(&box, &out->number) ||
        !rd_u8(&box, &out->protocol) || !rd_u8(&box, &spi_size) ||
        !rd_u8(&box, &out->n_transforms) || !rd_bytes(&box, spi_size, &out->spi) ||
        (next != 0 && next != PL_P) || (next == 0) != rd_end(r)) {
        peer_complain(p, "malformed proposal payload");
        return false;
    }
    out->transforms = box;
    return true;
}

static bool next_transform(struct peer *p, struct proposal *pr, struct transform *out)
{
    struct rd *r = &pr->transforms;
    uint8_t next, reserved;
    uint16_t length, reserved2;
    struct rd box;

    if (rd_end(r))
        return false;
    if (!rd_u8(r, &next) || !rd_u8(r, &reserved) || !rd_u16(r, &length) || length < 8 ||
        !rd_sub(r, length - 4u, &box) || !rd_u8(&box, &out->number) || !rd_u8(&box, &out->id) ||
        !rd_u16(&box, &reserved2) || (next != 0 && next != PL_T) || (next == 0) != rd_end(r)) {
        peer_complain(p, "malformed transform payload");
        return false;
    }
    out->attributes = rd_rest(&box);
    if (!read_attrs(out)) {
        peer_complain(p, "malformed attributes");
        return false;
    }
    return true;
}

static bool sa_begin(struct peer *p, struct span body, struct rd *out)
{
    struct rd r = rd_of(body);
    uint32_t doi, situation;

    if (!rd_u32(&r, &doi) || !rd_u32(&r, &situation) || doi != 1 || situation != 1) {
        peer_complain(p, "SA payload: DOI or situation");
        return false;
    }
    *out = r;
    return true;
}

static bool ike_allowed(const struct policy *pol, const struct ike_suite *s)
{
    for (unsigned i = 0; i < pol->n_ike; i++)
        if (pol->ike[i].cipher == s->cipher && pol->ike[i].key_bits == s->key_bits &&
            pol->ike[i].hash == s->hash && pol->ike[i].group == s->group)
            return true;
    return pol->n_ike == 0;
}

static bool ike_suite_of(const struct transform *t, struct ike_suite *s)
{
    uint32_t enc = 0, hash = 0, auth = 0, group = 0, bits = 0;

    if (!attr_get(t, 1, &enc) || !attr_get(t, 2, &hash) || !attr_get(t, 3, &auth) ||
        !attr_get(t, 4, &group))
        return false;
    (void)attr_get(t, 14, &bits);
    s->cipher = (enum cipher_id)from_wire(ike_ciphers, enc);
    s->hash = (enum hash_id)from_wire(ike_hashes, hash);
    s->group = (enum dh_group)group;
    s->key_bits = (uint16_t)bits;
    return t->id == 1 && auth == 1 && s->cipher != CIPHER_NONE && s->hash != HASH_NONE &&
           dh_public_size(s->group) > 0 && cipher_key_len(s->cipher, bits) > 0;
}

/* The answer repeats the transform as it was offered (RFC 2408 4.2). */
static void write_ike(const struct peer *p, struct build *b, const struct proposal *pr,
                      const struct transform *t)
{
    struct wr_box sa = peer_build_open(b, PL_SA);
    struct wr_box pbox, tbox;

    wr_u32(&b->w, 1);
    wr_u32(&b->w, 1);
    wr_u16(&b->w, 0);
    pbox = wr_open(&b->w, 2);
    wr_u8(&b->w, pr->number);
    wr_u8(&b->w, 1);
    wr_u8(&b->w, 0);
    wr_u8(&b->w, 1);
    wr_u16(&b->w, 0);
    tbox = wr_open(&b->w, 2);
    wr_u8(&b->w, t->number);
    wr_u8(&b->w, 1);
    wr_u16(&b->w, 0);
    for (size_t i = 0; i < t->n; i++) {
        uint32_t v = t->attr[i].value;

        if (t->attr[i].type == 2 && peer_bug(p, BUG_IKE_WRONG_TRANSFORM))
            v = v == 3 ? 1 : 3; /* Tiger: nobody offers it */
        if (v > 0xffff) {
            wr_u16(&b->w, t->attr[i].type);
            wr_u16(&b->w, 4);
            wr_u32(&b->w, v);
        } else {
            wr_u16(&b->w, t->attr[i].type | 0x8000);
            wr_u16(&b->w, (uint16_t)v);
        }
    }
    wr_close(&b->w, tbox);
    wr_close(&b->w, pbox);
    wr_close(&b->w, sa);
}

/* The transforms of all proposals, by their own counts. */
unsigned peer_proposal_count(struct span sa_body)
{
    struct rd r = rd_of(sa_body);
    unsigned n = 0;

    if (!rd_skip(&r, 8))
        return 0;
    while (!rd_end(&r)) {
        uint8_t count;
        uint16_t length;
        struct rd box;

        if (!rd_skip(&r, 2) || !rd_u16(&r, &length) || length < 8 ||
            !rd_sub(&r, length - 4u, &box) || !rd_skip(&box, 3) || !rd_u8(&box, &count))
            return n;
        n += count;
    }
    return n;
}

bool peer_proposal_pick_ike(struct peer *p, struct span sa_body, struct ike_suite *out,
                            uint32_t *life_s, struct build *answer)
{
    struct proposal pr;
    struct transform t;
    struct rd r;

    if (!sa_begin(p, sa_body, &r))
        return false;
    while (next_proposal(p, &r, &pr)) {
        while (pr.protocol == 1 && next_transform(p, &pr, &t)) {
            if (!ike_suite_of(&t, out) || !ike_allowed(&p->config.policy, out))
                continue;
            *life_s = life(&t, 11, 1);
            write_ike(p, answer, &pr, &t);
            return true;
        }
    }
    return false;
}

size_t peer_esp_key_sizes(const struct esp_suite *s, size_t *integ)
{
    size_t n = cipher_key_len(s->cipher, s->key_bits);

    *integ = s->integ == HASH_NONE ? 0 : hash_size(s->integ);
    return s->cipher == CIPHER_AES_GCM ? n + 4 : n;
}

static bool esp_allowed(const struct policy *pol, struct esp_suite *s)
{
    for (unsigned i = 0; i < pol->n_esp; i++) {
        if (pol->esp[i].cipher != s->cipher || pol->esp[i].key_bits != s->key_bits ||
            pol->esp[i].integ != s->integ)
            continue;
        s->truncate_96 = pol->esp[i].truncate_96;
        return true;
    }
    return pol->n_esp == 0;
}

static bool esp_encap_allowed(const struct peer *p, const struct ike_sa *sa, uint32_t encap)
{
    if (encap == 2)
        return !p->config.no_raw;
    if (p->config.no_natt || sa->port != PEER_UDP4500)
        return false;
    if (encap == 4)
        return sa->natt == PEER_NATT_RFC;
    return encap == 61444 && (sa->natt & (PEER_NATT_DRAFT02 | PEER_NATT_DRAFT03));
}

static bool esp_choice_of(struct peer *p, const struct ike_sa *sa, const struct transform *t,
                          struct esp_choice *c)
{
    uint32_t v = 0, bits = 0;

    c->suite = (struct esp_suite){.cipher = (enum cipher_id)from_wire(esp_ciphers, t->id)};
    (void)attr_get(t, 6, &bits);
    c->suite.key_bits = (uint16_t)bits;
    if (attr_get(t, 5, &v))
        c->suite.integ = (enum hash_id)from_wire(esp_integs, v);
    if (c->suite.cipher == CIPHER_NONE || cipher_key_len(c->suite.cipher, bits) == 0 ||
        (c->suite.cipher == CIPHER_AES_GCM) != (c->suite.integ == HASH_NONE))
        return false;
    v = 0;
    if (!attr_get(t, 4, &v) || !esp_encap_allowed(p, sa, v))
        return false;
    c->encap = (uint16_t)v;
    v = 0;
    (void)attr_get(t, 3, &v);
    c->pfs = (enum dh_group)v;
    if (v && dh_public_size(c->pfs) == 0)
        return false;
    c->life_s = life(t, 1, 1);
    c->life_kb = life(t, 1, 2);
    return esp_allowed(&p->config.policy, &c->suite);
}

bool peer_proposal_pick_esp(struct peer *p, const struct ike_sa *sa, struct span sa_body,
                            struct esp_choice *out)
{
    struct proposal pr;
    struct transform t;
    struct rd r, spi;

    if (!sa_begin(p, sa_body, &r))
        return false;
    while (next_proposal(p, &r, &pr)) {
        if (pr.protocol != 3 || pr.spi.n != 4)
            continue;
        spi = rd_of(pr.spi);
        while (next_transform(p, &pr, &t)) {
            if (!esp_choice_of(p, sa, &t, out) || !rd_u32(&spi, &out->spi) || out->spi < 256)
                continue;
            out->proposal = pr.number;
            out->transform = t.number;
            out->transform_id = t.id;
            out->attributes = t.attributes;
            return true;
        }
    }
    return false;
}

static void open_esp(struct build *b, uint8_t number, uint32_t spi, uint8_t t_number, uint8_t id,
                     struct wr_box box[3])
{
    box[0] = peer_build_open(b, PL_SA);
    wr_u32(&b->w, 1);
    wr_u32(&b->w, 1);
    wr_u16(&b->w, 0);
    box[1] = wr_open(&b->w, 2);
    wr_u8(&b->w, number);
    wr_u8(&b->w, 3);
    wr_u8(&b->w, 4);
    wr_u8(&b->w, 1);
    wr_u32(&b->w, spi);
    wr_u16(&b->w, 0);
    box[2] = wr_open(&b->w, 2);
    wr_u8(&b->w, t_number);
    wr_u8(&b->w, id);
    wr_u16(&b->w, 0);
}

static void close_esp(struct build *b, struct wr_box box[3])
{
    wr_close(&b->w, box[2]);
    wr_close(&b->w, box[1]);
    wr_close(&b->w, box[0]);
}

static void write_attr(struct build *b, uint16_t type, uint32_t v)
{
    if (v > 0xffff) {
        wr_u16(&b->w, type);
        wr_u16(&b->w, 4);
        wr_u32(&b->w, v);
    } else {
        wr_u16(&b->w, type | 0x8000);
        wr_u16(&b->w, (uint16_t)v);
    }
}

void peer_proposal_write_esp(struct build *b, const struct esp_choice *c, uint32_t spi,
                             uint64_t bugs)
{
    struct transform t = {.attributes = c->attributes};
    struct wr_box box[3];

    open_esp(b, c->proposal, spi, c->transform, c->transform_id, box);
    if (!(bugs & (BUG_QM_WRONG_TRANSFORM | BUG_IKE_LIFE_1S))) {
        wr_bytes(&b->w, c->attributes);
        close_esp(b, box);
        return;
    }
    if (!read_attrs(&t))
        b->w.failed = true;
    for (size_t i = 0; i < t.n; i++) {
        uint32_t v = t.attr[i].value;

        if (t.attr[i].type == 5 && (bugs & BUG_QM_WRONG_TRANSFORM))
            v = 4; /* KPDK: nobody offers it */
        if (t.attr[i].type == 2 && (bugs & BUG_IKE_LIFE_1S))
            v = 1;
        write_attr(b, t.attr[i].type, v);
    }
    close_esp(b, box);
}

void peer_proposal_offer_ike(struct build *b, const struct ike_suite *s, uint32_t life_s)
{
    struct wr_box box[3];

    box[0] = peer_build_open(b, PL_SA);
    wr_u32(&b->w, 1);
    wr_u32(&b->w, 1);
    wr_u16(&b->w, 0);
    box[1] = wr_open(&b->w, 2);
    wr_u8(&b->w, 1);
    wr_u8(&b->w, 1);
    wr_u8(&b->w, 0);
    wr_u8(&b->w, 1);
    wr_u16(&b->w, 0);
    box[2] = wr_open(&b->w, 2);
    wr_u8(&b->w, 1);
    wr_u8(&b->w, 1);
    wr_u16(&b->w, 0);
    write_attr(b, 1, to_wire(ike_ciphers, (int)s->cipher));
    write_attr(b, 2, to_wire(ike_hashes, (int)s->hash));
    write_attr(b, 3, 1);
    write_attr(b, 4, (uint32_t)s->group);
    if (s->key_bits && s->cipher == CIPHER_AES_CBC)
        write_attr(b, 14, s->key_bits);
    write_attr(b, 11, 1);
    write_attr(b, 12, life_s);
    close_esp(b, box);
}

void peer_proposal_offer_esp(struct build *b, const struct esp_suite *suite, enum dh_group pfs,
                             uint16_t encap, uint32_t life_s, uint32_t spi)
{
    struct wr_box box[3];

    open_esp(b, 1, spi, 1, (uint8_t)to_wire(esp_ciphers, (int)suite->cipher), box);
    write_attr(b, 4, encap);
    write_attr(b, 1, 1);
    write_attr(b, 2, life_s);
    if (suite->integ != HASH_NONE)
        write_attr(b, 5, to_wire(esp_integs, (int)suite->integ));
    if (suite->key_bits)
        write_attr(b, 6, suite->key_bits);
    if (pfs != DH_NONE)
        write_attr(b, 3, (uint32_t)pfs);
    close_esp(b, box);
}
