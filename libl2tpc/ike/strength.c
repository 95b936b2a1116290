/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ike/strength.h"

#include "ike/policy.h"

#include <stdio.h>
#include <string.h>

static const char *const names[STRENGTH_COUNT] = {
    [STRENGTH_NONE] = "none", [STRENGTH_BROKEN] = "broken",         [STRENGTH_LEGACY] = "legacy",
    [STRENGTH_FAIR] = "fair", [STRENGTH_COMPATIBLE] = "compatible", [STRENGTH_STRONG] = "strong",
};

static const struct {
    enum dh_group group;
    const char *name;
    enum strength strength;
} groups[] = {
    {DH_NONE, "none", STRENGTH_STRONG},         {DH_MODP768, "modp768", STRENGTH_BROKEN},
    {DH_MODP1024, "modp1024", STRENGTH_LEGACY}, {DH_MODP1536, "modp1536", STRENGTH_FAIR},
    {DH_MODP2048, "modp2048", STRENGTH_STRONG}, {DH_MODP3072, "modp3072", STRENGTH_STRONG},
    {DH_MODP4096, "modp4096", STRENGTH_STRONG}, {DH_MODP6144, "modp6144", STRENGTH_STRONG},
    {DH_MODP8192, "modp8192", STRENGTH_STRONG}, {DH_ECP256, "ecp256", STRENGTH_STRONG},
    {DH_ECP384, "ecp384", STRENGTH_STRONG},     {DH_ECP521, "ecp521", STRENGTH_STRONG},
    {DH_X25519, "curve25519", STRENGTH_STRONG},
};

static enum strength weakest(enum strength a, enum strength b)
{
    return a < b ? a : b;
}

static enum strength of_cipher(enum cipher_id id)
{
    return id == CIPHER_AES_CBC || id == CIPHER_AES_GCM ? STRENGTH_STRONG
           : id == CIPHER_3DES_CBC                      ? STRENGTH_FAIR
                                                        : STRENGTH_BROKEN;
}

static enum strength of_hash(enum hash_id id)
{
    return id == HASH_MD5 || id == HASH_MD4 ? STRENGTH_BROKEN
           : id == HASH_SHA1                ? STRENGTH_COMPATIBLE
                                            : STRENGTH_STRONG;
}

static enum strength of_group(enum dh_group group)
{
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        if (groups[i].group == group)
            return groups[i].strength;
    return STRENGTH_BROKEN;
}

enum strength ike_suite_strength(const struct ike_suite *s)
{
    enum strength least =
        weakest(of_cipher(s->cipher), weakest(of_hash(s->hash), of_group(s->group)));

    return ike_suite_is_weak(s) ? weakest(least, STRENGTH_LEGACY) : least;
}

enum strength esp_suite_strength(const struct esp_suite *s)
{
    enum strength least = weakest(of_cipher(s->cipher), of_hash(s->integ));

    return s->truncate_96 ? weakest(least, STRENGTH_FAIR) : least;
}

enum strength policy_best_ike(const struct policy *p)
{
    enum strength best = STRENGTH_NONE;

    for (unsigned i = 0; i < p->n_ike; i++)
        if (ike_suite_strength(&p->ike[i]) > best)
            best = ike_suite_strength(&p->ike[i]);
    return best;
}

enum strength policy_best_esp(const struct policy *p)
{
    enum strength best = STRENGTH_NONE;

    for (unsigned i = 0; i < p->n_esp; i++)
        if (esp_suite_strength(&p->esp[i]) > best)
            best = esp_suite_strength(&p->esp[i]);
    return best;
}

const char *strength_name(enum strength s)
{
    return (unsigned)s < STRENGTH_COUNT ? names[s] : names[STRENGTH_NONE];
}

bool strength_parse(enum strength *out, const char *name)
{
    for (unsigned i = 0; i < STRENGTH_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum strength)i;
            return true;
        }
    }
    return false;
}

const char *group_spell(enum dh_group group)
{
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        if (groups[i].group == group)
            return groups[i].name;
    return "?";
}

bool group_parse(enum dh_group *out, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (strcmp(groups[i].name, name) == 0) {
            *out = groups[i].group;
            return true;
        }
    }
    return false;
}

static void spell_cipher(enum cipher_id id, unsigned bits, char out[24])
{
    if (id == CIPHER_AES_CBC)
        (void)snprintf(out, 24, "aes%u", bits);
    else if (id == CIPHER_AES_GCM)
        (void)snprintf(out, 24, "aes%ugcm16", bits);
    else
        (void)snprintf(out, 24, "%s",
                       id == CIPHER_3DES_CBC  ? "3des"
                       : id == CIPHER_DES_CBC ? "des"
                                              : "?");
}

static const char *spell_hash(enum hash_id id)
{
    static const char *const hashes[] = {
        [HASH_MD5] = "md5",       [HASH_SHA1] = "sha1",     [HASH_SHA256] = "sha256",
        [HASH_SHA384] = "sha384", [HASH_SHA512] = "sha512",
    };
    const char *name = (unsigned)id < ARRAY_LEN(hashes) ? hashes[id] : NULL;

    return name ? name : "?";
}

const char *ike_suite_spell(const struct ike_suite *s, char out[SUITE_SPELLING_MAX])
{
    char cipher[24];

    spell_cipher(s->cipher, s->key_bits, cipher);
    (void)snprintf(out, SUITE_SPELLING_MAX, "%s-%s-%s", cipher, spell_hash(s->hash),
                   group_spell(s->group));
    return out;
}

const char *esp_suite_spell(const struct esp_suite *s, char out[SUITE_SPELLING_MAX])
{
    char cipher[24];

    spell_cipher(s->cipher, s->key_bits, cipher);
    if (s->integ == HASH_NONE)
        (void)snprintf(out, SUITE_SPELLING_MAX, "%s", cipher);
    else
        (void)snprintf(out, SUITE_SPELLING_MAX, "%s-%s%s", cipher, spell_hash(s->integ),
                       s->truncate_96 ? "_96" : "");
    return out;
}

bool ike_suite_eq(const struct ike_suite *a, const struct ike_suite *b)
{
    return a->cipher == b->cipher && a->key_bits == b->key_bits && a->hash == b->hash &&
           a->group == b->group;
}

bool esp_suite_eq(const struct esp_suite *a, const struct esp_suite *b)
{
    return a->cipher == b->cipher && a->key_bits == b->key_bits && a->integ == b->integ &&
           a->truncate_96 == b->truncate_96;
}
