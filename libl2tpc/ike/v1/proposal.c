/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ike/v1/proposal.h"

#include "base/limits.h"
#include "wire/rd.h"

#include <string.h>

#define ATTR_BASIC 0x8000u /* RFC 2408 3.3: the AF bit */
#define MORE_TRANSFORMS 3
#define MORE_PROPOSALS 2

/* ---- writing ---- */
static void write_basic(struct wr *w, uint16_t type, uint16_t value)
{
    wr_u16(w, (uint16_t)(ATTR_BASIC | type));
    wr_u16(w, value);
}

static void write_life(struct wr *w, uint16_t type_attr, uint16_t life_attr, uint16_t life_type,
                       uint32_t duration)
{
    write_basic(w, type_attr, life_type);
    wr_u16(w, life_attr);
    wr_u16(w, 4);
    wr_u32(w, duration);
}

static struct wr_box open_transform(struct wr *w, bool last, uint8_t number, uint8_t id)
{
    struct wr_box box;

    wr_u8(w, last ? PAYLOAD_NONE : MORE_TRANSFORMS);
    wr_u8(w, 0);
    box = wr_open(w, 2);
    wr_u8(w, number);
    wr_u8(w, id);
    wr_u16(w, 0);
    return box;
}

/* DOI, situation and the one proposal's head. */
static struct wr_box open_proposal(struct wr *w, uint8_t number, uint8_t protocol, uint32_t spi,
                                   unsigned n_transforms)
{
    struct wr_box box;

    wr_u32(w, DOI_IPSEC);
    wr_u32(w, SITUATION_IDENTITY_ONLY);
    wr_u8(w, PAYLOAD_NONE);
    wr_u8(w, 0);
    box = wr_open(w, 2);
    wr_u8(w, number);
    wr_u8(w, protocol);
    wr_u8(w, protocol == PROTOCOL_ESP ? 4 : 0);
    wr_u8(w, (uint8_t)n_transforms);
    if (protocol == PROTOCOL_ESP)
        wr_u32(w, spi);
    return box;
}

static uint16_t auth_of(const struct policy *policy)
{
    return (uint16_t)(policy->auth == IKE_AUTH_DEFAULT ? IKE_AUTH_PSK : policy->auth);
}

void proposal_write_phase1(struct wr *w, const struct policy *policy, uint32_t lifetime_s)
{
    struct wr_box proposal = open_proposal(w, 1, PROTOCOL_ISAKMP, 0, policy->n_ike);

    for (unsigned i = 0; i < policy->n_ike; i++) {
        const struct ike_suite *s = &policy->ike[i];
        struct wr_box box =
            open_transform(w, i + 1 == policy->n_ike, (uint8_t)(i + 1), P1_TRANSFORM_KEY_IKE);

        write_basic(w, P1_ATTR_ENCRYPTION, isakmp_p1_cipher_number(s->cipher));
        if (s->cipher == CIPHER_AES_CBC)
            write_basic(w, P1_ATTR_KEY_LENGTH, s->key_bits);
        write_basic(w, P1_ATTR_HASH, isakmp_p1_hash_number(s->hash));
        write_basic(w, P1_ATTR_GROUP, (uint16_t)s->group);
        write_basic(w, P1_ATTR_AUTH, auth_of(policy));
        write_life(w, P1_ATTR_LIFE_TYPE, P1_ATTR_LIFE, LIFE_SECONDS, lifetime_s);
        wr_close(w, box);
    }
    wr_close(w, proposal);
}

static void write_esp_transform(struct wr *w, const struct esp_offer *offer,
                                const struct esp_suite *s)
{
    write_basic(w, P2_ATTR_ENCAPSULATION, offer->encapsulation);
    write_life(w, P2_ATTR_LIFE_TYPE, P2_ATTR_LIFE, LIFE_SECONDS, offer->lifetime_s);
    if (offer->lifetime_kb)
        write_life(w, P2_ATTR_LIFE_TYPE, P2_ATTR_LIFE, LIFE_KILOBYTES, offer->lifetime_kb);
    if (s->key_bits)
        write_basic(w, P2_ATTR_KEY_LENGTH, s->key_bits);
    if (s->integ != HASH_NONE)
        write_basic(w, P2_ATTR_AUTH, isakmp_esp_auth_number(s->integ));
    if (offer->pfs != DH_NONE)
        write_basic(w, P2_ATTR_GROUP, (uint16_t)offer->pfs);
}

void proposal_write_esp(struct wr *w, const struct esp_offer *offer)
{
    const struct policy *p = offer->policy;
    struct wr_box proposal = open_proposal(w, 1, PROTOCOL_ESP, offer->spi, p->n_esp);

    for (unsigned i = 0; i < p->n_esp; i++) {
        struct wr_box box = open_transform(w, i + 1 == p->n_esp, (uint8_t)(i + 1),
                                           isakmp_esp_transform_number(p->esp[i].cipher));

        write_esp_transform(w, offer, &p->esp[i]);
        wr_close(w, box);
    }
    wr_close(w, proposal);
}

void proposal_write_phase1_answer(struct wr *w, const struct phase1_choice *choice)
{
    struct wr_box outer = open_proposal(w, choice->proposal, PROTOCOL_ISAKMP, 0, 1);
    struct wr_box box = open_transform(w, true, choice->transform, P1_TRANSFORM_KEY_IKE);

    wr_bytes(w, choice->attributes);
    wr_close(w, box);
    wr_close(w, outer);
}

void proposal_write_esp_answer(struct wr *w, const struct esp_choice *choice, uint8_t proposal,
                               uint32_t spi)
{
    struct wr_box outer = open_proposal(w, proposal, PROTOCOL_ESP, spi, 1);
    struct wr_box box = open_transform(w, true, choice->transform_number,
                                       isakmp_esp_transform_number(choice->suite.cipher));

    wr_bytes(w, choice->attributes);
    wr_close(w, box);
    wr_close(w, outer);
}

/* ---- reading: boxes ---- */
struct proposal {
    uint8_t number, protocol;
    uint8_t n_transforms;
    struct span spi;
    struct rd transforms;
    bool more; /* another proposal follows */
};

struct transform {
    uint8_t number, id;
    struct span attributes;
};

/* DOI and situation, which must be ours. */
static bool read_sa_head(struct rd *r)
{
    uint32_t doi;
    uint32_t situation;

    return rd_u32(r, &doi) && rd_u32(r, &situation) && doi == DOI_IPSEC &&
           situation == SITUATION_IDENTITY_ONLY;
}

static bool read_proposal(struct rd *r, struct proposal *out)
{
    uint8_t next;
    uint8_t spi_size;
    uint16_t length;
    struct rd box;

    if (!rd_u8(r, &next) || !rd_skip(r, 1) || !rd_u16(r, &length) || length < 8 ||
        !rd_sub(r, (size_t)length - 4, &box))
        return false;
    if (!rd_u8(&box, &out->number) || !rd_u8(&box, &out->protocol) || !rd_u8(&box, &spi_size) ||
        !rd_u8(&box, &out->n_transforms) || !rd_bytes(&box, spi_size, &out->spi))
        return false;
    out->transforms = box;
    out->more = next == MORE_PROPOSALS;
    return (next == PAYLOAD_NONE || next == MORE_PROPOSALS) && out->more != rd_end(r) &&
           out->n_transforms > 0;
}

/* The index-th of n: the "more follows" byte and the count must agree. */
static bool read_transform(struct rd *r, bool last, struct transform *out)
{
    uint8_t next;
    uint16_t length;
    struct rd box;

    if (!rd_u8(r, &next) || !rd_skip(r, 1) || !rd_u16(r, &length) || length < 8 ||
        !rd_sub(r, (size_t)length - 4, &box))
        return false;
    if (!rd_u8(&box, &out->number) || !rd_u8(&box, &out->id) || !rd_skip(&box, 2))
        return false;
    out->attributes = rd_rest(&box);
    return next == (last ? PAYLOAD_NONE : MORE_TRANSFORMS) && (!last || rd_end(r));
}

/* ---- reading: attributes ---- */
struct attribute {
    uint16_t type;
    bool basic;
    uint64_t value;
};

static bool read_attribute(struct rd *r, struct attribute *out)
{
    uint16_t type;
    uint16_t length_or_value;
    struct rd box;
    uint8_t byte;

    if (!rd_u16(r, &type) || !rd_u16(r, &length_or_value))
        return false;
    out->type = (uint16_t)(type & ~ATTR_BASIC);
    out->basic = (type & ATTR_BASIC) != 0;
    out->value = length_or_value;
    if (out->basic)
        return true;
    if (length_or_value == 0 || length_or_value > 8 || !rd_sub(r, length_or_value, &box))
        return false;
    out->value = 0;
    while (rd_u8(&box, &byte))
        out->value = out->value << 8 | byte;
    return true;
}

/* Every attribute once, in any order; only a life duration may have the variable form. */
struct attributes {
    uint32_t seen; /* bit per type, 0 to 31 */
    uint16_t value[16];
    bool has_seconds, has_kilobytes;
    uint64_t seconds, kilobytes;
};

struct attribute_kinds {
    uint16_t life_type, life, last;
};

static const struct attribute_kinds p1_kinds = {P1_ATTR_LIFE_TYPE, P1_ATTR_LIFE,
                                                P1_ATTR_KEY_LENGTH};
static const struct attribute_kinds p2_kinds = {P2_ATTR_LIFE_TYPE, P2_ATTR_LIFE,
                                                P2_ATTR_KEY_LENGTH};

/* A life type is followed by its duration (RFC 2407 4.5); each type once. */
static bool read_life(struct rd *r, const struct attribute_kinds *kinds, uint64_t life_type,
                      struct attributes *out)
{
    struct attribute a;

    if (!read_attribute(r, &a) || a.type != kinds->life)
        return false;
    if (life_type == LIFE_SECONDS && !out->has_seconds) {
        out->has_seconds = true;
        out->seconds = a.value;
        return true;
    }
    if (life_type == LIFE_KILOBYTES && !out->has_kilobytes) {
        out->has_kilobytes = true;
        out->kilobytes = a.value;
        return true;
    }
    return false;
}

/* Types that have no row in the table are remembered as bit 31: no offer of ours has them. */
#define SEEN_FOREIGN (UINT32_C(1) << 31)

static bool read_attributes(struct span attributes, const struct attribute_kinds *kinds,
                            struct attributes *out)
{
    struct rd r = rd_of(attributes);

    memset(out, 0, sizeof(*out));
    while (!rd_end(&r)) {
        struct attribute a;

        if (!read_attribute(&r, &a))
            return false;
        if (a.type == kinds->life_type) {
            if (!a.basic || !read_life(&r, kinds, a.value, out))
                return false;
            continue;
        }
        if (a.type == 0 || a.type > kinds->last || a.type == kinds->life) {
            out->seen |= SEEN_FOREIGN;
            continue;
        }
        if (!a.basic || (out->seen & UINT32_C(1) << a.type))
            return false;
        out->seen |= UINT32_C(1) << a.type;
        out->value[a.type] = (uint16_t)a.value;
    }
    return true;
}

static bool has_exactly(const struct attributes *a, uint32_t mask)
{
    return a->seen == mask;
}

#define BIT(type) (UINT32_C(1) << (type))

/* Ours when the peer's is longer; false below what can be rekeyed in time. */
static bool settle_seconds(const struct attributes *a, uint32_t ours, uint32_t *out)
{
    *out = !a->has_seconds || a->seconds > ours ? ours : (uint32_t)a->seconds;
    return *out >= LIFE_MIN_S;
}

static bool settle_bytes(const struct attributes *a, uint32_t ours_kb, uint64_t *out)
{
    uint64_t ours = (uint64_t)ours_kb * 1024;

    *out = ours;
    if (!a->has_kilobytes)
        return true;
    *out = a->kilobytes > UINT64_MAX / 1024 ? UINT64_MAX : a->kilobytes * 1024;
    if (ours != 0 && *out > ours)
        *out = ours;
    return *out >= LIFE_MIN_BYTES;
}

/* ---- phase 1 ---- */
static bool matches_phase1(const struct attributes *a, const struct ike_suite *s, uint16_t auth)
{
    uint32_t mask =
        BIT(P1_ATTR_ENCRYPTION) | BIT(P1_ATTR_HASH) | BIT(P1_ATTR_GROUP) | BIT(P1_ATTR_AUTH);

    if (s->cipher == CIPHER_AES_CBC)
        mask |= BIT(P1_ATTR_KEY_LENGTH);
    return has_exactly(a, mask) && a->value[P1_ATTR_AUTH] == auth &&
           isakmp_p1_cipher(a->value[P1_ATTR_ENCRYPTION]) == s->cipher &&
           isakmp_p1_hash(a->value[P1_ATTR_HASH]) == s->hash &&
           a->value[P1_ATTR_GROUP] == (uint16_t)s->group &&
           (s->cipher != CIPHER_AES_CBC || a->value[P1_ATTR_KEY_LENGTH] == s->key_bits);
}

/* One transform against the policy; `out` is filled when it is in there. */
static enum offer_verdict settle_phase1(const struct transform *t, const struct policy *policy,
                                        uint32_t lifetime_s, struct phase1_choice *out)
{
    struct attributes a;

    if (!read_attributes(t->attributes, &p1_kinds, &a))
        return OFFER_MALFORMED;
    if (t->id != P1_TRANSFORM_KEY_IKE || !a.has_seconds || a.has_kilobytes)
        return OFFER_MISMATCH;
    for (unsigned i = 0; i < policy->n_ike; i++) {
        if (!matches_phase1(&a, &policy->ike[i], auth_of(policy)))
            continue;
        out->suite = policy->ike[i];
        out->transform = t->number;
        out->attributes = t->attributes;
        return settle_seconds(&a, lifetime_s, &out->lifetime_s) ? OFFER_OK : OFFER_POLICY;
    }
    return OFFER_MISMATCH;
}

/* The one proposal with the one transform of an answer. */
static enum offer_verdict read_single(struct span sa, struct proposal *p, struct transform *t)
{
    struct rd r = rd_of(sa);

    if (!read_sa_head(&r) || !read_proposal(&r, p))
        return OFFER_MALFORMED;
    if (p->more || p->n_transforms != 1)
        return OFFER_MISMATCH;
    return read_transform(&p->transforms, true, t) ? OFFER_OK : OFFER_MALFORMED;
}

enum offer_verdict proposal_read_phase1(struct span sa, const struct policy *policy,
                                        uint32_t lifetime_s, struct phase1_choice *out)
{
    struct proposal p;
    struct transform t;
    enum offer_verdict v = read_single(sa, &p, &t);

    if (v != OFFER_OK)
        return v;
    v = settle_phase1(&t, policy, lifetime_s, out);
    /* RFC 2408 3.5: an ISAKMP SPI is the cookie pair, or nothing, up to 16 bytes. */
    if (v != OFFER_MALFORMED && (p.protocol != PROTOCOL_ISAKMP || p.spi.n > 16))
        return OFFER_MISMATCH;
    return v;
}

enum offer_verdict proposal_choose_phase1(struct span sa, const struct policy *policy,
                                          uint32_t lifetime_s, struct phase1_choice *out)
{
    struct rd r = rd_of(sa);
    struct proposal p;

    /* RFC 2409 5: phase 1 is one proposal with any number of transforms. */
    if (!read_sa_head(&r) || !read_proposal(&r, &p))
        return OFFER_MALFORMED;
    if (p.more || p.protocol != PROTOCOL_ISAKMP || p.spi.n > 16)
        return OFFER_MISMATCH;
    out->proposal = p.number;
    for (unsigned i = 0; i < p.n_transforms; i++) {
        struct transform t;
        enum offer_verdict v;

        if (!read_transform(&p.transforms, i + 1 == p.n_transforms, &t))
            return OFFER_MALFORMED;
        v = settle_phase1(&t, policy, lifetime_s, out);
        if (v != OFFER_MISMATCH)
            return v;
    }
    return OFFER_MISMATCH;
}

/* ---- quick mode ---- */
static bool matches_esp(const struct transform *t, const struct attributes *a,
                        const struct esp_suite *s)
{
    uint32_t mask = BIT(P2_ATTR_ENCAPSULATION) | (a->seen & BIT(P2_ATTR_GROUP));

    if (s->key_bits)
        mask |= BIT(P2_ATTR_KEY_LENGTH);
    if (s->integ != HASH_NONE)
        mask |= BIT(P2_ATTR_AUTH);
    return has_exactly(a, mask) && isakmp_esp_transform(t->id) == s->cipher &&
           (!s->key_bits || a->value[P2_ATTR_KEY_LENGTH] == s->key_bits) &&
           (s->integ == HASH_NONE || isakmp_esp_auth(a->value[P2_ATTR_AUTH]) == s->integ);
}

static bool read_spi(const struct proposal *p, uint32_t *out)
{
    struct rd r = rd_of(p->spi);

    return p->protocol == PROTOCOL_ESP && p->spi.n == 4 && rd_u32(&r, out) && *out > 255;
}

/* The suite of one transform, its lifetimes and its group. */
static enum offer_verdict settle_esp(const struct transform *t, const struct esp_offer *offer,
                                     struct esp_choice *out)
{
    struct attributes a;

    if (!read_attributes(t->attributes, &p2_kinds, &a))
        return OFFER_MALFORMED;
    out->attributes = t->attributes;
    out->transform_number = t->number;
    out->encapsulation = a.value[P2_ATTR_ENCAPSULATION];
    out->group = a.value[P2_ATTR_GROUP];
    if (a.value[P2_ATTR_ENCAPSULATION] != offer->encapsulation)
        return OFFER_MISMATCH;
    for (unsigned i = 0; i < offer->policy->n_esp; i++) {
        bool lives;

        if (!matches_esp(t, &a, &offer->policy->esp[i]))
            continue;
        out->suite = offer->policy->esp[i];
        lives = settle_seconds(&a, offer->lifetime_s, &out->lifetime_s);
        lives = settle_bytes(&a, offer->lifetime_kb, &out->lifetime_bytes) && lives;
        return lives ? OFFER_OK : OFFER_POLICY;
    }
    return OFFER_MISMATCH;
}

enum offer_verdict proposal_read_esp(struct span sa, const struct esp_offer *offer,
                                     struct esp_choice *out)
{
    struct proposal p;
    struct transform t;
    enum offer_verdict v = read_single(sa, &p, &t);

    if (v != OFFER_OK)
        return v;
    if (!read_spi(&p, &out->spi))
        return OFFER_MISMATCH;
    v = settle_esp(&t, offer, out);
    /* A group that we did not offer is no answer; one that is missing may mean "no PFS" and is
     * judged together with the KE payload. */
    if (v == OFFER_OK && out->group != 0 && out->group != (uint16_t)offer->pfs)
        return OFFER_MISMATCH;
    return v;
}

/* The proposals of an offer; the same number twice means "both together" (RFC 2408 4.2). */
static enum offer_verdict read_proposals(struct span sa, struct proposal *out, unsigned *n)
{
    struct rd r = rd_of(sa);
    bool more = true;

    *n = 0;
    if (!read_sa_head(&r))
        return OFFER_MALFORMED;
    while (more) {
        if (*n == IKE_PROPOSALS_MAX || !read_proposal(&r, &out[*n]))
            return OFFER_MALFORMED;
        more = out[(*n)++].more;
    }
    return OFFER_OK;
}

static bool is_alone(const struct proposal *all, unsigned n, unsigned i)
{
    for (unsigned k = 0; k < n; k++)
        if (k != i && all[k].number == all[i].number)
            return false;
    return true;
}

static enum offer_verdict choose_transform(struct proposal *p, const struct esp_offer *ours,
                                           struct esp_choice *out)
{
    for (unsigned i = 0; i < p->n_transforms; i++) {
        struct transform t;
        enum offer_verdict v;

        if (!read_transform(&p->transforms, i + 1 == p->n_transforms, &t))
            return OFFER_MALFORMED;
        v = settle_esp(&t, ours, out);
        if (v == OFFER_OK || v == OFFER_MALFORMED)
            return v;
    }
    return OFFER_MISMATCH;
}

enum offer_verdict proposal_choose_esp(struct span sa, const struct esp_offer *ours,
                                       struct esp_choice *out, uint8_t *out_number)
{
    struct proposal all[IKE_PROPOSALS_MAX];
    unsigned n;
    enum offer_verdict v = read_proposals(sa, all, &n);

    for (unsigned i = 0; v == OFFER_OK && i < n; i++) {
        uint32_t spi;

        if (!is_alone(all, n, i) || !read_spi(&all[i], &spi))
            continue;
        v = choose_transform(&all[i], ours, out);
        if (v == OFFER_OK) {
            out->spi = spi;
            *out_number = all[i].number;
            return OFFER_OK;
        }
        if (v == OFFER_MISMATCH)
            v = OFFER_OK;
    }
    return v == OFFER_OK ? OFFER_MISMATCH : v;
}

bool proposal_lower_lifetime(struct span attributes, uint32_t *seconds, uint64_t *bytes)
{
    struct attributes a;
    uint32_t s;
    uint64_t b;

    if (!read_attributes(attributes, &p2_kinds, &a) || a.seen != 0 ||
        !settle_seconds(&a, *seconds, &s) || !settle_bytes(&a, 0, &b))
        return false;
    *seconds = s;
    if (b != 0 && (*bytes == 0 || b < *bytes))
        *bytes = b;
    return true;
}

bool proposal_lower_phase1_lifetime(struct span attributes, uint32_t *seconds)
{
    struct attributes a;
    uint32_t s;

    if ((!read_attributes(attributes, &p2_kinds, &a) || a.seen != 0) &&
        (!read_attributes(attributes, &p1_kinds, &a) || a.seen != 0))
        return false;
    if (!settle_seconds(&a, *seconds, &s))
        return false;
    *seconds = s;
    return true;
}
