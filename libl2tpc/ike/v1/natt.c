/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NAT traversal in main mode: RFC 3947 and the drafts 02 and 03, which differ in numbers only. */
#include "ike/v1/engine.h"

#include <string.h>

uint8_t natt_d_payload(enum natt_flavour flavour)
{
    return flavour == NATT_RFC ? PAYLOAD_NAT_D : PAYLOAD_NAT_D_DRAFT;
}

uint8_t natt_oa_payload(enum natt_flavour flavour)
{
    return flavour == NATT_RFC ? PAYLOAD_NAT_OA : PAYLOAD_NAT_OA_DRAFT;
}

uint16_t natt_encapsulation_mode(const struct ike *ike)
{
    if (!ike->facts.floated)
        return ENCAP_MODE_TRANSPORT;
    return ike->natt == NATT_RFC ? ENCAP_MODE_UDP_TRANSPORT : ENCAP_MODE_UDP_TRANSPORT_DRAFT;
}

/*
 * The first payload is the hash of the peer, as RFC 3947 3.2 says. The second, of our own address,
 * is filled with random bytes: the server then sees a NAT and sends UDP-encapsulated ESP, which
 * passes where protocol 50 does not.
 */
bool natt_write(struct ike *ike, struct build *b, const uint8_t *cky_r, enum natt_flavour flavour,
                enum hash_id hash)
{
    struct endpoint peer = ike->peer[ike_own_port(ike)];
    uint8_t digest[HASH_MAX];
    size_t n = hash_size(hash);

    if (!keymat_nat_d(ike->cfg.crypto, hash, ike->cky_i, cky_r, &peer, digest))
        return false;
    build_bytes(b, natt_d_payload(flavour), span_of(digest, n));
    if (!env_rand(ike->cfg.env, digest, n))
        return false;
    build_bytes(b, natt_d_payload(flavour), span_of(digest, n));
    return true;
}

/* The hash of one end stands in the payloads from..to. */
static bool stands_in(const struct chain *c, uint8_t type, unsigned from, unsigned to,
                      struct span digest)
{
    struct span got;

    for (unsigned i = from; i < to; i++)
        if (chain_get(c, type, i, &got) && span_eq(got, digest))
            return true;
    return false;
}

bool natt_read(struct ike *ike, const struct chain *c, bool *out_usable)
{
    enum hash_id hash = ike->facts.suite.hash;
    uint8_t type = natt_d_payload(ike->natt);
    /* A renewal takes place where the float went (RFC 3947 4). */
    struct endpoint here = {.addr = ike->cfg.local.addr,
                            .port = ike->facts.floated ? ike->cfg.local_natt_port
                                                       : ike->cfg.local.port};
    struct endpoint there = ike->peer[ike_own_port(ike)];
    unsigned n = chain_count(c, type);
    uint8_t local[HASH_MAX];
    uint8_t remote[HASH_MAX];
    struct span got;

    *out_usable = false;
    if (ike->natt == NATT_NONE)
        return true;
    for (unsigned i = 0; i < n; i++)
        if (!chain_get(c, type, i, &got) || got.n != hash_size(hash))
            return false;
    if (n < 2 || n > IKE_NAT_D_MAX)
        return true;
    if (!keymat_nat_d(ike->cfg.crypto, hash, ike->cky_i, ike->cky_r, &here, local) ||
        !keymat_nat_d(ike->cfg.crypto, hash, ike->cky_i, ike->cky_r, &there, remote))
        return false;
    /* A hash that matches proves that there is no NAT; one that does not proves nothing, as servers
     * falsify it to force encapsulation. */
    ike->facts.nat_local =
        stands_in(c, type, 0, 1, span_of(local, hash_size(hash))) ? IKE_NAT_NO : IKE_NAT_UNKNOWN;
    ike->facts.nat_remote =
        stands_in(c, type, 1, n, span_of(remote, hash_size(hash))) ? IKE_NAT_NO : IKE_NAT_UNKNOWN;
    *out_usable = true;
    return true;
}
