/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the accepted suites mean for a dial; pure functions of the list. */
#include "ike/v1/scan.h"

#include "ike/policy.h"

#include <stdio.h>

enum scan_strength scan_strength(const struct ike_suite *s)
{
    if (s->cipher == CIPHER_DES_CBC || s->hash == HASH_MD5 || s->group == DH_MODP768)
        return SCAN_BROKEN;
    if (ike_suite_is_weak(s))
        return SCAN_LEGACY;
    if (s->cipher == CIPHER_3DES_CBC || s->hash == HASH_SHA1 || s->group == DH_MODP1536)
        return SCAN_COMPATIBLE;
    return SCAN_STRONG;
}

static const char *hash_word(enum hash_id h)
{
    switch (h) {
    case HASH_MD5:
        return "md5";
    case HASH_SHA256:
        return "sha256";
    case HASH_SHA384:
        return "sha384";
    case HASH_SHA512:
        return "sha512";
    default:
        return "sha1";
    }
}

static const char *group_word(enum dh_group g)
{
    static const struct {
        enum dh_group group;
        const char *name;
    } rows[] = {
        {DH_MODP768, "modp768"},   {DH_MODP1024, "modp1024"}, {DH_MODP1536, "modp1536"},
        {DH_MODP2048, "modp2048"}, {DH_MODP3072, "modp3072"}, {DH_MODP4096, "modp4096"},
        {DH_MODP6144, "modp6144"}, {DH_MODP8192, "modp8192"}, {DH_ECP256, "ecp256"},
        {DH_ECP384, "ecp384"},     {DH_ECP521, "ecp521"},     {DH_X25519, "x25519"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].group == g)
            return rows[i].name;
    return "?";
}

const char *scan_suite_text(const struct ike_suite *s, char out[SCAN_SUITE_TEXT])
{
    const char *hash = hash_word(s->hash);
    const char *group = group_word(s->group);

    if (s->cipher == CIPHER_AES_CBC)
        (void)snprintf(out, SCAN_SUITE_TEXT, "aes%u-%s-%s", s->key_bits, hash, group);
    else
        (void)snprintf(out, SCAN_SUITE_TEXT, "%s-%s-%s",
                       s->cipher == CIPHER_3DES_CBC ? "3des" : "des", hash, group);
    return out;
}

bool scan_same_suite(const struct ike_suite *a, const struct ike_suite *b)
{
    return a->cipher == b->cipher && a->key_bits == b->key_bits && a->hash == b->hash &&
           a->group == b->group;
}

/* Among the first `n`: the same suite may be accepted for several ways to authenticate. */
static bool is_accepted(const struct scan_list *l, unsigned n, const struct ike_suite *s)
{
    for (unsigned i = 0; i < n; i++)
        if (l->item[i].state == SCAN_ACCEPTED && scan_same_suite(&l->item[i].suite, s))
            return true;
    return false;
}

const char *scan_policy(const struct scan_list *l)
{
    static const char *const names[] = {"strong", "compatible", "legacy"};
    struct policy p;

    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        for (unsigned k = 0; policy_named(names[i], &p) && k < p.n_ike; k++)
            if (is_accepted(l, l->n, &p.ike[k]))
                return names[i];
    return NULL;
}

bool scan_offer(const struct scan_list *l, char *out, size_t cap, enum scan_strength *out_best)
{
    enum scan_strength best = SCAN_BROKEN;
    char text[SCAN_SUITE_TEXT];
    unsigned n = 0;
    size_t at = 0;
    bool any = false;

    out[0] = '\0';
    for (unsigned i = 0; i < l->n; i++) {
        if (l->item[i].state != SCAN_ACCEPTED)
            continue;
        any = true;
        if (scan_strength(&l->item[i].suite) < best)
            best = scan_strength(&l->item[i].suite);
    }
    for (unsigned i = 0; any && i < l->n && n < SCAN_OFFER_MAX; i++) {
        const struct scan_item *item = &l->item[i];

        if (item->state != SCAN_ACCEPTED || scan_strength(&item->suite) != best ||
            is_accepted(l, i, &item->suite) || at + SCAN_SUITE_TEXT + 1 > cap)
            continue;
        at += (size_t)snprintf(out + at, cap - at, "%s%s", n ? "," : "",
                               scan_suite_text(&item->suite, text));
        n++;
    }
    *out_best = best;
    return any;
}
