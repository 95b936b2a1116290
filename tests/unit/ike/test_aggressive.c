/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a changed message 2 of aggressive mode does to the engine: as good as nothing. */
#include "check.h"
#include "ike/vendor.h"
#include "rig.h"

#include <stdlib.h>
#include <string.h>

/* One suite, one server: message 2 to what the client has sent, without a NAT. */
struct answer {
    uint8_t bytes[2048];
    size_t n, n_covered; /* up to the end of HASH: the vendor IDs behind it are nobody's proof */
    size_t reserved[5];  /* the bytes that RFC 2408 3.2 has no use for */
};

static void must(bool ok)
{
    if (!ok)
        abort();
}

static struct rig *rig_aggressive(void)
{
    struct rig *r = rig_new();

    must(policy_parse_ike("aes128-sha256-curve25519", &r->cfg.policy, NULL));
    r->cfg.aggressive = r->cfg.aggressive_allowed = true;
    rig_start(r);
    return r;
}

static struct span payload_of(struct span message, uint8_t type)
{
    struct isakmp_header h;
    struct span body;
    struct span out = SPAN_NONE;
    struct chain c;

    must(isakmp_parse_header(message, &h, &body) && isakmp_split(h.next_payload, body, &c) &&
         chain_get(&c, type, 0, &out));
    return out;
}

static void answer(struct rig *r, struct answer *a)
{
    static const uint8_t cky_r[8] = {9, 8, 7, 6, 5, 4, 3, 2};
    static const uint8_t id[] = {ID_TYPE_FQDN, 0, 0, 0, 'g', 'a', 't', 'e'};
    struct ike_suite suite = r->cfg.policy.ike[0];
    uint8_t gxy[64];
    uint8_t nr[16] = {1, 2, 3};
    uint8_t hash[HASH_MAX];
    struct payload payloads[5] = {{.type = PAYLOAD_SA},
                                  {.type = PAYLOAD_KE},
                                  {.type = PAYLOAD_NONCE},
                                  {.type = PAYLOAD_ID},
                                  {.type = PAYLOAD_HASH}};
    struct ike_keys keys;
    struct build b;
    struct msg am1;
    struct span m, out;
    struct dh *dh = dh_new(r->c, suite.group, &r->env);

    ike_answer_psk(r->ike, IKE_PSK_NEED, span_str(r->psk), r->now);
    must(ike_pop_out(r->ike, &am1));
    m = span_of(am1.bytes, am1.n);
    must(m.p[18] == EXCHANGE_AGGRESSIVE);
    must(dh && dh_shared(dh, payload_of(m, PAYLOAD_KE), gxy));
    must(ike_keys_derive(r->c, &suite,
                         &(struct phase1_inputs){.psk = span_str(r->psk),
                                                 .ni = payload_of(m, PAYLOAD_NONCE),
                                                 .nr = SPAN_ARRAY(nr),
                                                 .gxy = span_of(gxy, dh_secret_size(suite.group)),
                                                 .cky_i = m.p,
                                                 .cky_r = cky_r},
                         &keys));
    must(keymat_hash_phase1(r->c, &keys, dh_public(dh), payload_of(m, PAYLOAD_KE), cky_r, m.p,
                            payload_of(m, PAYLOAD_SA), SPAN_ARRAY(id), hash));
    payloads[0].body = payload_of(m, PAYLOAD_SA); /* one offer: the answer is the offer */
    payloads[1].body = dh_public(dh);
    payloads[2].body = SPAN_ARRAY(nr);
    payloads[3].body = SPAN_ARRAY(id);
    payloads[4].body = span_of(hash, keys.n);
    build_start(&b, m.p, cky_r, EXCHANGE_AGGRESSIVE, 0, 0);
    for (unsigned i = 0; i < ARRAY_LEN(payloads); i++) {
        a->reserved[i] = b.w.n + 1;
        build_bytes(&b, payloads[i].type, payloads[i].body);
    }
    a->n_covered = b.w.n;
    build_bytes(&b, PAYLOAD_VID, vendor_bytes(VENDOR_DPD));
    must(build_finish(&b, &out) && out.n <= sizeof(a->bytes));
    memcpy(a->bytes, out.p, out.n);
    a->n = out.n;
    msg_done(&am1);
    dh_free(dh);
}

static enum verdict deliver(struct rig *r, struct span m)
{
    return ike_input(r->ike, IKE_PORT_500, &r->cfg.remote, m, r->now);
}

/* The minor version, flags but Encryption, reserved bytes, and the server's SA payload, which no
 * HASH covers: what it may say is the proposal's to judge. */
static bool may_differ(const struct answer *a, size_t byte)
{
    struct span sa = payload_of(span_of(a->bytes, a->n), PAYLOAD_SA);
    size_t sa_at = (size_t)(sa.p - a->bytes);

    for (unsigned i = 0; i < ARRAY_LEN(a->reserved); i++)
        if (byte == a->reserved[i])
            return true;
    if (byte == a->reserved[4] - 1) /* the type of what follows HASH */
        return true;
    return byte == 17 || byte == 19 || (byte >= sa_at && byte < sa_at + sa.n);
}

TEST(aggressive_bit_flips_of_message_2)
{
    unsigned taken = 0;
    unsigned flips = 0;
    size_t n = 1;

    for (size_t bit = 0; bit < n * 8; bit += 5) {
        struct rig *r = rig_aggressive();
        struct answer a;
        uint8_t m[2048];
        enum verdict v;

        answer(r, &a);
        n = a.n_covered;
        memcpy(m, a.bytes, a.n);
        m[bit / 8] ^= (uint8_t)(1u << bit % 8);
        v = deliver(r, span_of(m, a.n));
        flips++;
        CHECK(v != VERDICT_FATAL);
        if (v == VERDICT_OK && !may_differ(&a, bit / 8)) {
            taken++;
            check_fail(__FILE__, __LINE__, "byte %zu", bit / 8);
        }
        if (v == VERDICT_DROP) {
            CHECK_INT(r->ike->state, P1_AM1_SENT);
            CHECK(!r->ike->has_keys && r->ike->out.used == 0);
            CHECK_INT(deliver(r, span_of(a.bytes, a.n)), VERDICT_OK);
            CHECK_INT(r->ike->state, P1_UP);
        }
        rig_free(r);
    }
    CHECK_INT(taken, 0);
    CHECK(flips > 200);
}

/* Each one costs a Diffie-Hellman; whoever sends many gets no more of them. */
TEST(aggressive_wrong_messages_2_are_bounded)
{
    struct rig *r = rig_aggressive();
    struct answer a;

    answer(r, &a);
    a.bytes[a.n_covered - 1] ^= 1;
    for (unsigned i = 0; i < 100; i++)
        CHECK_INT(deliver(r, span_of(a.bytes, a.n)), VERDICT_DROP);
    CHECK_INT(r->ike->wrong_hashes, IKE_WRONG_HASHES_MAX);
    ike_timer(r->ike, r->now + IKE_HINT_WAIT + US_MS(1));
    rig_run(r, r->now + US_S(4));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.auth.psk");
    rig_free(r);
}

/* Row H26 and H7: what is not a message 2 of ours changes nothing. */
TEST(h26_aggressive_only_message_2_in_clear)
{
    struct rig *r = rig_aggressive();
    struct answer a;

    answer(r, &a);
    a.bytes[19] = ISAKMP_FLAG_ENCRYPTION;
    CHECK_INT(deliver(r, span_of(a.bytes, a.n)), VERDICT_DROP);
    a.bytes[19] = 0;
    a.bytes[18] = EXCHANGE_MAIN;
    CHECK_INT(deliver(r, span_of(a.bytes, a.n)), VERDICT_DROP);
    a.bytes[18] = EXCHANGE_AGGRESSIVE;
    a.bytes[23] = 1; /* a message id */
    CHECK_INT(deliver(r, span_of(a.bytes, a.n)), VERDICT_DROP);
    a.bytes[23] = 0;
    CHECK_INT(deliver(r, span_of(a.bytes, a.n)), VERDICT_OK);
    rig_free(r);
}

TEST(aggressive_is_not_for_certificates)
{
    static const struct ike_credential none;
    struct rig *r = rig_new();

    r->cfg.aggressive = r->cfg.aggressive_allowed = true;
    r->cfg.credential = &none;
    rig_start(r);
    rig_run(r, r->now + US_S(1));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.aggressive-certificate");
    CHECK_INT(r->n_sent, 0);
    rig_free(r);
}
