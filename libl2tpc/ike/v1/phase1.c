/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Main mode as initiator (RFC 2409 5.4); what differs with signatures is in phase1_cert.c. */
#include "ike/v1/engine.h"

#include "ike/policy.h"
#include "ike/vendor.h"
#include "wire/rd.h"

#include <stdio.h>
#include <string.h>

/* ---- message 1 ---- */
static const enum vendor_id natt_announced[] = {VENDOR_RFC3947, VENDOR_NATT_03, VENDOR_NATT_02N,
                                                VENDOR_NATT_02};

void phase1_write_vendors(const struct ike *ike, struct build *b)
{
    if (ike->cfg.encapsulation != ENCAPSULATION_ESP)
        for (size_t i = 0; i < ARRAY_LEN(natt_announced); i++)
            build_bytes(b, PAYLOAD_VID, vendor_bytes(natt_announced[i]));
    if (ike->cfg.dpd)
        build_bytes(b, PAYLOAD_VID, vendor_bytes(VENDOR_DPD));
    if (ike->cfg.fragmentation)
        build_bytes(b, PAYLOAD_VID, vendor_bytes(VENDOR_FRAGMENTATION));
}

bool phase1_build_mm1(struct ike *ike, const uint8_t *cky_i, struct build *b, struct span *out)
{
    static const uint8_t no_cookie[ISAKMP_COOKIE_LEN];

    build_start(b, cky_i, no_cookie, EXCHANGE_MAIN, 0, 0);
    build_bytes(b, PAYLOAD_SA, span_of(ike->sai_b, ike->n_sai_b));
    phase1_write_vendors(ike, b);
    return build_finish(b, out);
}

bool phase1_new_cookie(struct ike *ike, uint8_t *out)
{
    static const uint8_t zero[ISAKMP_COOKIE_LEN];

    return env_rand(ike->cfg.env, out, ISAKMP_COOKIE_LEN) &&
           memcmp(out, zero, ISAKMP_COOKIE_LEN) != 0;
}

bool phase1_offer(struct ike *ike)
{
    struct wr w = wr_of(ike->sai_b, sizeof(ike->sai_b));
    struct span sai;

    proposal_write_phase1(&w, &ike->cfg.policy, ike->cfg.ike_lifetime_s);
    if (ike->cfg.policy.n_ike == 0 || ike->cfg.policy.n_esp == 0 || !wr_finish(&w, &sai)) {
        (void)ike_fail_local(ike, "the policy offers nothing");
        return false;
    }
    ike->n_sai_b = sai.n;
    return true;
}

void phase1_start(struct ike *ike, l2tpc_us now)
{
    struct build b;
    struct span mm1;

    if (ike->cfg.aggressive) {
        aggressive_start(ike, now);
        return;
    }
    if (!phase1_offer(ike))
        return;
    if (!phase1_new_cookie(ike, ike->cky_i) || !env_rand(ike->cfg.env, ike->ni, IKE_NONCE_LEN)) {
        struct failure f = failure_make(FAILURE_LOCAL_RANDOM);

        f.stage = STAGE_IKE_PHASE1;
        (void)ike_fail(ike, &f);
        return;
    }
    ike->n_ni = IKE_NONCE_LEN;
    if (!phase1_build_mm1(ike, ike->cky_i, &b, &mm1) ||
        !retransmit_start(&ike->rtx, ike_own_port(ike), mm1, RTO_FIRST, now)) {
        (void)ike_fail_local(ike, "main mode 1");
        return;
    }
    memcpy(ike->facts.cky_i, ike->cky_i, ISAKMP_COOKIE_LEN);
    ike_push_stage(ike, STAGE_IKE_PHASE1);
    ike_send(ike, ike_own_port(ike), mm1, now);
    ike_log(ike, LOG_LEVEL_DEBUG, "sent main mode 1, %u suites", ike->cfg.policy.n_ike);
    ike->stage_first = now;
    ike->state = P1_MM1_SENT;
}

/* ---- vendor IDs ---- */
/* Some add 32 bits behind the hash, of which the first stands for main mode. */
static bool takes_fragments(struct span vid)
{
    struct rd r = rd_of(vid);
    uint32_t modes = UINT32_MAX;

    return rd_skip(&r, 16) && (rd_end(&r) || (rd_u32(&r, &modes) && modes >> 31));
}

struct phase1_said phase1_read_vendors(const struct chain *c)
{
    struct phase1_said a = {.natt = NATT_NONE};

    for (unsigned i = 0; i < c->n_vid; i++) {
        switch (vendor_find(c->vid[i])) {
        case VENDOR_RFC3947:
            a.natt = NATT_RFC;
            break;
        case VENDOR_NATT_03:
        case VENDOR_NATT_02N:
        case VENDOR_NATT_02:
            if (a.natt == NATT_NONE)
                a.natt = NATT_DRAFT;
            break;
        case VENDOR_DPD:
            a.dpd = true;
            break;
        case VENDOR_FRAGMENTATION:
            a.fragments = a.fragments || takes_fragments(c->vid[i]);
            break;
        default:
            break;
        }
    }
    return a;
}

/* DPD may be announced in any message of main mode (RFC 3706 5.1): some do it in the fourth. */
void phase1_keep_vendors(struct ike *ike, const struct chain *c)
{
    struct ike_facts *f = &ike->facts;

    f->dpd = f->dpd || (ike->cfg.dpd && phase1_read_vendors(c).dpd);
    f->fragmentation =
        f->fragmentation || (ike->cfg.fragmentation && phase1_read_vendors(c).fragments);
    for (unsigned i = 0; i < c->n_vid; i++)
        vendor_keep(f->vendor_ids, f->vendor_bytes, &f->n_vendor_ids, c->vid[i]);
}

/* ---- message 2 ---- */
static enum verdict drop_with_hint(struct ike *ike, enum failure_id id, const char *value,
                                   bool early, l2tpc_us now)
{
    struct failure f = failure_make(id);

    failure_set_value(&f, span_str(value));
    ike_note_hint(ike, &f, early, now);
    return VERDICT_DROP;
}

static bool build_mm3(struct ike *ike, const uint8_t *cky_r, const struct phase1_choice *choice,
                      enum natt_flavour natt, struct build *b, struct span *out)
{
    build_start(b, ike->cky_i, cky_r, EXCHANGE_MAIN, 0, 0);
    build_bytes(b, PAYLOAD_KE, dh_public(ike->dh));
    build_bytes(b, PAYLOAD_NONCE, span_of(ike->ni, ike->n_ni));
    if (ike->cfg.credential)
        cert_write_requests(ike, b);
    if (natt != NATT_NONE && !natt_write(ike, b, cky_r, natt, choice->suite.hash))
        return false;
    return build_finish(b, out);
}

void phase1_note_answer(struct ike *ike, l2tpc_us now)
{
    rtt_sample(&ike->facts.rtt, retransmit_answered(&ike->rtx, now));
    ike->hint = (struct ike_hint){0};
    ike_note_alive(ike, now);
}

static enum verdict accept_mm2(struct ike *ike, const struct ike_in *in, const struct chain *c,
                               const struct phase1_choice *choice, const struct phase1_said *said)
{
    struct build b;
    struct span mm3;
    char cipher[24];

    ike->dh = dh_new(ike->cfg.crypto, choice->suite.group, ike->cfg.env);
    if (!ike->dh)
        return ike_fail_local(ike, dh_name(choice->suite.group));
    if (dh_public(ike->dh).n > sizeof(ike->gxi) ||
        !build_mm3(ike, in->header.cky_r, choice, said->natt, &b, &mm3))
        return ike_fail_local(ike, "main mode 3");
    phase1_note_answer(ike, in->now);
    if (!retransmit_start(&ike->rtx, ike_own_port(ike), mm3, rtt_rto(ike->facts.rtt), in->now))
        return ike_fail_local(ike, "main mode 3");
    ike->n_gxi = dh_public(ike->dh).n;
    memcpy(ike->gxi, dh_public(ike->dh).p, ike->n_gxi);
    ike_send(ike, ike_own_port(ike), mm3, in->now);
    ike_log(ike, LOG_LEVEL_INFO, "suite %s %s %s, NAT traversal %s, DPD %s",
            suite_cipher_text(choice->suite.cipher, choice->suite.key_bits, cipher),
            hash_name(choice->suite.hash), dh_name(choice->suite.group),
            said->natt == NATT_RFC     ? "RFC 3947"
            : said->natt == NATT_DRAFT ? "draft"
                                       : "no",
            said->dpd ? "yes" : "no");
    memcpy(ike->cky_r, in->header.cky_r, ISAKMP_COOKIE_LEN);
    memcpy(ike->facts.cky_r, ike->cky_r, ISAKMP_COOKIE_LEN);
    ike->facts.suite = choice->suite;
    ike->facts.lifetime_s = choice->lifetime_s;
    ike->facts.natt = said->offers_natt;
    ike->natt = said->natt;
    phase1_keep_vendors(ike, c);
    ike->state = P1_MM3_SENT;
    return VERDICT_OK;
}

static enum verdict recv_mm2(struct ike *ike, const struct ike_in *in)
{
    struct chain c;
    struct span sa;
    struct phase1_choice choice;
    struct phase1_said said;

    if (!isakmp_split(in->header.next_payload, in->body, &c) || !isakmp_check(MESSAGE_MM2, &c) ||
        !chain_get(&c, PAYLOAD_SA, 0, &sa))
        return VERDICT_DROP;
    switch (proposal_read_phase1(sa, &ike->cfg.policy, ike->cfg.ike_lifetime_s, &choice)) {
    case OFFER_MALFORMED:
        return VERDICT_DROP;
    case OFFER_MISMATCH:
        return drop_with_hint(ike, FAILURE_IKE_PROTOCOL, "main mode 2 is none of our offers", false,
                              in->now);
    case OFFER_POLICY:
        return drop_with_hint(ike, FAILURE_IKE_POLICY, "the IKE lifetime is too short", true,
                              in->now);
    case OFFER_OK:
        break;
    }
    if (ike_suite_strength(&choice.suite) < ike->cfg.floor_ike) {
        struct failure weaker = downgrade_ike(ike, &choice.suite);

        ike_note_hint(ike, &weaker, true, in->now);
        return VERDICT_DROP;
    }
    said = phase1_read_vendors(&c);
    said.offers_natt = said.natt != NATT_NONE;
    if (ike->cfg.encapsulation == ENCAPSULATION_ESP)
        said.natt = NATT_NONE;
    if ((ike->cfg.encapsulation == ENCAPSULATION_UDP || ike->facts.floated) &&
        said.natt == NATT_NONE)
        return drop_with_hint(ike, FAILURE_IKE_ENCAPSULATION, "", true, in->now);
    return accept_mm2(ike, in, &c, &choice, &said);
}

/* ---- message 4 ---- */
static void ask_psk(struct ike *ike, l2tpc_us now)
{
    struct ike_event ev = {.type = IKE_EVENT_NEED_PSK, .need = IKE_PSK_NEED};

    if (ike->role != IKE_ROLE_ROOT || ike->renewal.psk->n > 0) {
        phase1_send_mm5(ike, secret_span(ike->root->renewal.psk), now);
        return;
    }
    if (!ike->psk_asked)
        ike_push_event(ike, &ev);
    ike->psk_asked = true;
    ike->psk_asked_at = now;
}

/*
 * A person took long to type: servers keep a half-made SA for some ten seconds or so, and message 5
 * to one that is gone looks like a wrong key. The exchange begins anew, with the key at hand.
 */
static void begin_anew(struct ike *ike, struct span psk, l2tpc_us now)
{
    if (!secret_set(ike->renewal.psk, psk)) {
        (void)ike_fail_local(ike, "pre-shared key");
        return;
    }
    wipe(ike->secrets->gxy, sizeof(ike->secrets->gxy));
    memset(ike->cky_r, 0, sizeof(ike->cky_r));
    memset(ike->facts.cky_r, 0, sizeof(ike->facts.cky_r));
    ike->hint = (struct ike_hint){0};
    phase1_start(ike, now);
}

void phase1_answer_psk(struct ike *ike, struct span psk, l2tpc_us now)
{
    if (ike->cfg.aggressive)
        aggressive_answer_psk(ike, psk, now);
    else if (now > us_add(ike->psk_asked_at, IKE_PSK_FRESH) && psk.n > 0)
        begin_anew(ike, psk, now);
    else
        phase1_send_mm5(ike, psk, now);
}

static enum verdict recv_mm4(struct ike *ike, const struct ike_in *in)
{
    struct ike_facts before = ike->facts;
    struct chain c;
    struct span ke;
    struct span nonce;
    bool natt_usable;

    if (!isakmp_split(in->header.next_payload, in->body, &c) || !isakmp_check(MESSAGE_MM4, &c) ||
        !chain_get(&c, PAYLOAD_KE, 0, &ke) || !chain_get(&c, PAYLOAD_NONCE, 0, &nonce) ||
        (ike->cfg.credential && !cert_may_ask(ike->root)))
        return VERDICT_DROP;
    if (!quick_nonce_ok(nonce, span_of(ike->ni, ike->n_ni)))
        return drop_with_hint(ike, FAILURE_IKE_PROTOCOL, "main mode 4: bad nonce", false, in->now);
    if (!natt_read(ike, &c, &natt_usable)) {
        ike->facts = before;
        return drop_with_hint(ike, FAILURE_IKE_PROTOCOL, "main mode 4: bad NAT-D", false, in->now);
    }
    if (ke.n == 0 || ke.n > sizeof(ike->gxr) || !dh_shared(ike->dh, ke, ike->secrets->gxy)) {
        ike->facts = before;
        return drop_with_hint(ike, FAILURE_IKE_PROTOCOL, "main mode 4: bad key exchange value",
                              false, in->now);
    }
    if (!natt_usable && (ike->cfg.encapsulation == ENCAPSULATION_UDP || ike->facts.floated)) {
        ike->facts = before;
        return drop_with_hint(ike, FAILURE_IKE_ENCAPSULATION, "", true, in->now);
    }
    phase1_note_answer(ike, in->now);
    if (!natt_usable)
        ike->natt = NATT_NONE;
    /* The hashes take KE and nonce as they were sent, even when leading zeros are missing. */
    memcpy(ike->gxr, ke.p, ke.n);
    ike->n_gxr = ke.n;
    memcpy(ike->nr, nonce.p, nonce.n);
    ike->n_nr = nonce.n;
    ike->n_gxy = dh_secret_size(ike->facts.suite.group);
    dh_free(ike->dh);
    ike->dh = NULL;
    phase1_keep_vendors(ike, &c);
    if (ike->cfg.credential)
        return cert_ask_signature(ike, &c);
    ike->state = P1_PSK_ASKED;
    ask_psk(ike, in->now);
    return VERDICT_OK;
}

/* ---- message 5 ---- */
bool phase1_derive(struct ike *ike, struct span psk)
{
    struct phase1_inputs inputs = {
        .psk = psk,
        .ni = span_of(ike->ni, ike->n_ni),
        .nr = span_of(ike->nr, ike->n_nr),
        .gxy = span_of(ike->secrets->gxy, ike->n_gxy),
        .cky_i = ike->cky_i,
        .cky_r = ike->cky_r,
        .signatures = ike->cfg.credential != NULL,
    };

    ike->has_keys =
        ike_keys_derive(ike->cfg.crypto, &ike->facts.suite, &inputs, &ike->secrets->keys) &&
        keymat_iv_phase1(ike->cfg.crypto, &ike->secrets->keys, span_of(ike->gxi, ike->n_gxi),
                         span_of(ike->gxr, ike->n_gxr), ike->iv);
    wipe(ike->secrets->gxy, sizeof(ike->secrets->gxy));
    return ike->has_keys;
}

bool phase1_hash_i(struct ike *ike, struct span id, uint8_t *out)
{
    return keymat_hash_phase1(ike->cfg.crypto, &ike->secrets->keys, span_of(ike->gxi, ike->n_gxi),
                              span_of(ike->gxr, ike->n_gxr), ike->cky_i, ike->cky_r,
                              span_of(ike->sai_b, ike->n_sai_b), id, out);
}

bool phase1_hash_r(struct ike *ike, struct span id, uint8_t *out)
{
    return keymat_hash_phase1(ike->cfg.crypto, &ike->secrets->keys, span_of(ike->gxr, ike->n_gxr),
                              span_of(ike->gxi, ike->n_gxi), ike->cky_r, ike->cky_i,
                              span_of(ike->sai_b, ike->n_sai_b), id, out);
}

static bool build_mm5(struct ike *ike, struct build *b, struct span *out)
{
    uint8_t id[4 + CERT_ID_MAX];
    size_t n_id = identity_own(ike, id);
    uint8_t hash[HASH_MAX];

    build_start(b, ike->cky_i, ike->cky_r, EXCHANGE_MAIN, ISAKMP_FLAG_ENCRYPTION, 0);
    if (!phase1_hash_i(ike, span_of(id, n_id), hash))
        return false;
    build_bytes(b, PAYLOAD_ID, span_of(id, n_id));
    build_bytes(b, PAYLOAD_HASH, span_of(hash, ike->secrets->keys.n));
    return build_seal(b, ike->cfg.crypto, &ike->secrets->keys, ike->iv, out);
}

void phase1_send_mm5(struct ike *ike, struct span psk, l2tpc_us now)
{
    struct build b;
    struct span mm5;

    if (psk.n == 0 || psk.n > SECRET_MAX) {
        struct failure f = failure_make(FAILURE_LOCAL_SECRET);

        failure_set_value(&f, span_str("pre-shared key"));
        (void)ike_fail(ike, &f);
        return;
    }
    if (!phase1_derive(ike, psk) || !build_mm5(ike, &b, &mm5)) {
        (void)ike_fail_local(ike, "main mode 5");
        return;
    }
    /* Kept to renew phase 1 without asking again. */
    if (ike->role == IKE_ROLE_ROOT && !secret_set(ike->renewal.psk, psk)) {
        (void)ike_fail_local(ike, "pre-shared key");
        return;
    }
    phase1_mm5_sent(ike, mm5, now);
}

void phase1_mm5_sent(struct ike *ike, struct span mm5, l2tpc_us now)
{
    /* RFC 3947 4: from here on both sides use port 4500. */
    ike->facts.floated = ike->natt != NATT_NONE;
    if (!retransmit_start(&ike->rtx, ike_own_port(ike), mm5, rtt_rto(ike->facts.rtt), now)) {
        (void)ike_fail_local(ike, "main mode 5");
        return;
    }
    ike_push_stage(ike, STAGE_IKE_AUTH);
    ike_send(ike, ike_own_port(ike), mm5, now);
    ike_log(ike, LOG_LEVEL_DEBUG, "sent main mode 5 from port %s",
            ike->facts.floated ? "4500" : "500");
    ike->stage_first = now;
    ike->state = P1_MM5_SENT;
}

/* ---- message 6 ---- */
static bool hash_r_matches(struct ike *ike, const struct chain *c, struct span id)
{
    uint8_t want[HASH_MAX];
    struct span got;

    return chain_get(c, PAYLOAD_HASH, 0, &got) && got.n == ike->secrets->keys.n &&
           phase1_hash_r(ike, id, want) && equal_ct(got.p, want, got.n);
}

/* A server behind a NAT names the address that it knows of itself. */
static void judge_server_nat(struct ike *ike, const struct identity *id)
{
    if (id->type != ID_TYPE_IPV4_ADDR && id->type != ID_TYPE_IPV6_ADDR)
        return;
    if (ike->facts.nat_remote == IKE_NAT_UNKNOWN && !inaddr_is_any(&id->addr) &&
        !inaddr_eq(&id->addr, &ike->cfg.remote.addr))
        ike->facts.nat_remote = IKE_NAT_YES;
}

void phase1_note_mm6(struct ike *ike, const struct ike_in *in, const struct identity *id)
{
    phase1_note_answer(ike, in->now);
    retransmit_stop(&ike->probe.rtx);
    ike_follow_peer(ike, in);
    identity_note(ike, id);
    judge_server_nat(ike, id);
}

bool phase1_keep_lifetime(struct ike *ike, const struct chain *c)
{
    struct span body;

    for (unsigned i = 0; chain_get(c, PAYLOAD_N, i, &body); i++) {
        struct notify n;

        if (isakmp_parse_notify(body, &n) && n.type == NOTIFY_RESPONDER_LIFETIME &&
            n.protocol == PROTOCOL_ISAKMP && !renewal_lower(ike, n.data))
            return false;
    }
    return true;
}

enum verdict phase1_fail_lifetime(struct ike *ike)
{
    struct failure f = failure_make(FAILURE_IKE_POLICY);

    failure_set_value(&f, span_str("the IKE lifetime is too short"));
    return ike_fail(ike, &f);
}

enum verdict phase1_up(struct ike *ike, l2tpc_us now)
{
    struct ike_event up = {.type = IKE_EVENT_AUTHENTICATED};

    ike_log(ike, LOG_LEVEL_INFO, "authenticated; the server calls itself %s", ike->facts.peer_id);
    ike->facts.established = true;
    ike->state = P1_UP;
    renewal_plan(ike, now);
    if (ike->role != IKE_ROLE_ROOT)
        return VERDICT_OK;
    ike_push_event(ike, &up);
    quick_start(ike, now);
    return ike->state == P1_UP ? VERDICT_OK : VERDICT_FATAL;
}

static enum verdict recv_mm6(struct ike *ike, const struct ike_in *in)
{
    bool clear = !(in->header.flags & ISAKMP_FLAG_ENCRYPTION);
    uint8_t iv[IKE_BLOCK_MAX];
    struct chain c;
    struct span id_body;
    struct identity id;
    struct failure f;

    memcpy(iv, ike->iv, sizeof(iv));
    if (!(clear ? aggressive_open_clear(ike, in, &c) : ike_open(ike, in, MESSAGE_MM6, iv, &c)) ||
        !chain_get(&c, PAYLOAD_ID, 0, &id_body))
        return VERDICT_DROP;
    if (!hash_r_matches(ike, &c, id_body))
        return drop_with_hint(ike, FAILURE_IKE_AUTH_PEER, "", false, in->now);
    if (!identity_accept(ike, id_body, &id, &f)) {
        /* The server believes that all is well: it is to forget this SA. */
        memcpy(ike->iv, iv, sizeof(ike->iv));
        info_send_deletes(ike, in->now);
        return ike_fail(ike, &f);
    }
    if (!phase1_keep_lifetime(ike, &c))
        return phase1_fail_lifetime(ike);
    memcpy(ike->iv, iv, sizeof(iv));
    ike->facts.clear_identity = clear;
    phase1_keep_vendors(ike, &c);
    phase1_note_mm6(ike, in, &id);
    return phase1_up(ike, in->now);
}

/* ---- the table: which message a state waits for ---- */
enum verdict phase1_input(struct ike *ike, const struct ike_in *in)
{
    bool encrypted = in->header.flags & ISAKMP_FLAG_ENCRYPTION;

    switch (ike->state) {
    case P1_MM1_SENT:
        return encrypted ? VERDICT_DROP : recv_mm2(ike, in);
    case P1_MM3_SENT:
        return encrypted ? VERDICT_DROP : recv_mm4(ike, in);
    case P1_MM5_SENT:
        if (ike->cfg.credential)
            return encrypted ? cert_recv_proof(ike, in) : VERDICT_DROP;
        return recv_mm6(ike, in);
    case P1_MM2_SENT:
    case P1_MM4_SENT:
    case P1_UP:
        return phase1_peer_input(ike, in);
    case P1_NEW:
    case P1_PSK_ASKED:
    case P1_SIGN_ASKED:
    case P1_CERT_ASKED:
    case P1_DELETED:
    case P1_CLOSED:
    case P1_AM1_SENT:
        break;
    }
    return VERDICT_DROP;
}
