/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a scan asks for, likely suites first, cut into sets that fit one datagram. */
#include "ike/v1/scan.h"

#include "ike/policy.h"

#define AES(bits) CIPHER_AES_CBC, bits
#define TDES CIPHER_3DES_CBC, 0
#define DES CIPHER_DES_CBC, 0

/* Beside the ladders: what servers are found set to, and what Android up to 11 offers. */
static const struct ike_suite usual[] = {
    {AES(256), HASH_SHA512, DH_MODP2048}, {AES(256), HASH_SHA512, DH_MODP4096},
    {AES(256), HASH_SHA384, DH_MODP3072}, {AES(256), HASH_SHA256, DH_MODP4096},
    {AES(256), HASH_SHA512, DH_ECP521},   {AES(256), HASH_SHA256, DH_ECP384},
    {AES(128), HASH_SHA256, DH_MODP3072}, {AES(256), HASH_SHA256, DH_X25519},
    {AES(192), HASH_SHA1, DH_MODP2048},   {AES(128), HASH_SHA1, DH_MODP1536},
    {TDES, HASH_SHA256, DH_MODP2048},     {TDES, HASH_SHA1, DH_MODP1536},
    {AES(256), HASH_SHA256, DH_MODP1024}, {AES(128), HASH_SHA256, DH_MODP1024},
    {AES(256), HASH_SHA384, DH_MODP1024}, {AES(256), HASH_SHA512, DH_MODP1024},
    {AES(192), HASH_SHA1, DH_MODP1024},   {TDES, HASH_SHA256, DH_MODP1024},
    {AES(256), HASH_MD5, DH_MODP1024},    {AES(128), HASH_MD5, DH_MODP1024},
    {TDES, HASH_MD5, DH_MODP1024},        {DES, HASH_SHA1, DH_MODP1024},
    {DES, HASH_MD5, DH_MODP1024},         {DES, HASH_MD5, DH_MODP768},
};

static const enum dh_group groups[] = {DH_MODP2048, DH_MODP1024, DH_MODP1536, DH_ECP256,
                                       DH_ECP384,   DH_MODP3072, DH_MODP4096, DH_ECP521,
                                       DH_X25519,   DH_MODP768};
static const enum hash_id hashes[] = {HASH_SHA256, HASH_SHA1, HASH_SHA384, HASH_SHA512, HASH_MD5};
static const struct {
    enum cipher_id id;
    uint16_t bits;
} ciphers[] = {{AES(256)}, {AES(128)}, {TDES}, {AES(192)}, {DES}};

_Static_assert(ARRAY_LEN(usual) <= SCAN_SET_MAX &&
                   ARRAY_LEN(hashes) * ARRAY_LEN(ciphers) <= SCAN_SET_MAX &&
                   SCAN_SET_MAX <= IKE_SUITES_MAX,
               "a set fits one offer");

static bool is_there(const struct scan_list *l, const struct ike_suite *s, enum ike_auth auth)
{
    for (unsigned i = 0; i < l->n; i++)
        if (l->item[i].auth == auth && scan_same_suite(&l->item[i].suite, s))
            return true;
    return false;
}

static void add(struct scan_list *l, const struct ike_suite *s, enum ike_auth auth)
{
    if (l->n < SCAN_ITEMS_MAX && !is_there(l, s, auth))
        l->item[l->n++] = (struct scan_item){.suite = *s, .auth = auth, .set = (uint8_t)l->n_sets};
}

static void add_many(struct scan_list *l, const struct ike_suite *s, unsigned n, enum ike_auth auth)
{
    unsigned before = l->n;

    for (unsigned i = 0; i < n; i++)
        add(l, &s[i], auth);
    l->n_sets += l->n > before;
}

/* Each policy is a prefix of the next. Asked apart, one answer tells whether a policy connects. */
static void add_ladder(struct scan_list *l, enum scan_depth depth, enum ike_auth auth)
{
    static const char *const names[] = {"strong", "compatible", "legacy"};
    struct policy p;
    unsigned from = 0;

    for (unsigned i = depth == SCAN_QUICK ? 0 : ARRAY_LEN(names) - 1; i < ARRAY_LEN(names); i++) {
        if (!policy_named(names[i], &p))
            return;
        add_many(l, &p.ike[from], p.n_ike - from, auth);
        from = p.n_ike;
    }
}

static void add_all(struct scan_list *l, enum ike_auth auth)
{
    for (unsigned g = 0; g < ARRAY_LEN(groups); g++) {
        struct ike_suite set[ARRAY_LEN(ciphers) * ARRAY_LEN(hashes)];
        unsigned n = 0;

        for (unsigned c = 0; c < ARRAY_LEN(ciphers); c++)
            for (unsigned h = 0; h < ARRAY_LEN(hashes); h++)
                set[n++] = (struct ike_suite){ciphers[c].id, ciphers[c].bits, hashes[h], groups[g]};
        add_many(l, set, n, auth);
    }
}

void scan_list_fill(struct scan_list *out, enum scan_depth depth, unsigned auths)
{
    static const enum ike_auth ecdsa[] = {IKE_AUTH_ECDSA_256, IKE_AUTH_ECDSA_384,
                                          IKE_AUTH_ECDSA_521};
    static const enum ike_auth full[] = {IKE_AUTH_PSK, IKE_AUTH_RSA};
    static const unsigned bits[] = {SCAN_AUTH_PSK, SCAN_AUTH_RSA};

    *out = (struct scan_list){0};
    for (unsigned i = 0; i < ARRAY_LEN(full); i++)
        if (auths & bits[i])
            add_ladder(out, depth, full[i]);
    for (unsigned i = 0; auths & SCAN_AUTH_ECDSA && i < ARRAY_LEN(ecdsa); i++)
        add_ladder(out, depth, ecdsa[i]);
    for (unsigned i = 0; i < ARRAY_LEN(full); i++)
        if (auths & bits[i])
            add_many(out, usual, ARRAY_LEN(usual), full[i]);
    for (unsigned i = 0; depth == SCAN_ALL && i < ARRAY_LEN(full); i++)
        if (auths & bits[i])
            add_all(out, full[i]);
}
