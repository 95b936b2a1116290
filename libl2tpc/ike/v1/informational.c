/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Informational exchanges: Delete, notifies, and what a clear notify may hint at. */
#include "ike/v1/engine.h"

#include "wire/rd.h"

#include <stdio.h>
#include <string.h>

/* ---- sending ---- */
static bool seal(struct ike *ike, struct build *b, uint32_t message_id, size_t at, struct span *out)
{
    uint8_t iv[IKE_BLOCK_MAX];
    uint8_t hash[HASH_MAX];

    if (!keymat_iv_exchange(ike->cfg.crypto, &ike->secrets->keys, ike->iv, message_id, iv) ||
        !keymat_hash_exchange(ike->cfg.crypto, &ike->secrets->keys, message_id,
                              build_behind(b, at, ike->secrets->keys.n), SPAN_NONE, hash))
        return false;
    build_hash_fill(b, at, span_of(hash, ike->secrets->keys.n));
    return build_seal(b, ike->cfg.crypto, &ike->secrets->keys, iv, out);
}

/* Starts a protected message; false when there is no message id or no key. */
static bool start(struct ike *ike, struct build *b, uint32_t *message_id, size_t *at)
{
    if (!ike->has_keys || !ike_new_message_id(ike, message_id))
        return false;
    ike_ids_keep(&ike->own, *message_id);
    build_start(b, ike->cky_i, ike->cky_r, EXCHANGE_INFORMATIONAL, ISAKMP_FLAG_ENCRYPTION,
                *message_id);
    *at = build_hash(b, ike->secrets->keys.n);
    return true;
}

/* Notify and Delete differ in one number only: the type of the one, the count of the other's SPIs
 * (RFC 2408 3.14, 3.15). */
static void send_about(struct ike *ike, uint8_t payload, uint8_t protocol, struct span spi,
                       uint16_t number, struct span data, l2tpc_us now)
{
    struct build b;
    struct wr_box box;
    struct span out;
    uint32_t message_id;
    size_t at;

    if (!start(ike, &b, &message_id, &at))
        return;
    box = build_payload(&b, payload);
    wr_u32(&b.w, DOI_IPSEC);
    wr_u8(&b.w, protocol);
    wr_u8(&b.w, (uint8_t)spi.n);
    wr_u16(&b.w, number);
    wr_bytes(&b.w, spi);
    wr_bytes(&b.w, data);
    wr_close(&b.w, box);
    if (seal(ike, &b, message_id, at, &out))
        ike_send(ike, ike_own_port(ike), out, now);
}

void info_send_notify(struct ike *ike, uint8_t protocol, struct span spi, uint16_t type,
                      struct span data, l2tpc_us now)
{
    send_about(ike, PAYLOAD_N, protocol, spi, type, data, now);
}

static void send_delete(struct ike *ike, uint8_t protocol, struct span spi, l2tpc_us now)
{
    send_about(ike, PAYLOAD_D, protocol, spi, 1, SPAN_NONE, now);
}

/* The SPI of a Delete is the one that its sender receives on (RFC 2408 3.15). */
void info_send_delete_esp(struct ike *ike, uint32_t spi_in, l2tpc_us now)
{
    uint8_t spi[4];
    struct wr w = wr_of(spi, sizeof(spi));

    wr_u32(&w, spi_in);
    send_delete(ike, PROTOCOL_ESP, SPAN_ARRAY(spi), now);
}

void info_send_deletes(struct ike *ike, l2tpc_us now)
{
    for (unsigned i = 0; i < IKE_SAS_MAX; i++) {
        if (ike->sas[i].live)
            info_send_delete_esp(ike, ike->sas[i].spi_in, now);
        ike->sas[i].live = false;
    }
    info_send_delete_ike(ike, now);
}

void info_send_delete_ike(struct ike *ike, l2tpc_us now)
{
    uint8_t cookies[2 * ISAKMP_COOKIE_LEN];

    memcpy(cookies, ike->cky_i, ISAKMP_COOKIE_LEN);
    memcpy(cookies + ISAKMP_COOKIE_LEN, ike->cky_r, ISAKMP_COOKIE_LEN);
    send_delete(ike, PROTOCOL_ISAKMP, SPAN_ARRAY(cookies), now);
}

/* ---- notifies ---- */
static struct failure failure_of(enum failure_id id, uint16_t type)
{
    struct failure f = failure_make(id);
    const char *name = isakmp_notify_name(type);
    char text[24];

    if (!name) {
        (void)snprintf(text, sizeof(text), "notify %u", type);
        name = text;
    }
    failure_set_peer_code(&f, type);
    failure_set_peer_text(&f, span_str(name));
    return f;
}

static bool is_error(const struct notify *n)
{
    return n->type > 0 && n->type < NOTIFY_STATUS_FIRST;
}

static bool waits_for_suite(const struct ike *ike)
{
    return ike->state == P1_MM1_SENT || ike->state == P1_AM1_SENT;
}

/* Before phase 1 is up nothing is believed: it may explain a silence. */
static void hint_notify(struct ike *ike, const struct notify *n, l2tpc_us now)
{
    enum failure_id id = FAILURE_IKE_REFUSED;
    struct failure f;

    if (!is_error(n))
        return;
    if (ike->state == P1_MM5_SENT)
        id = !ike->cfg.credential   ? FAILURE_IKE_AUTH_REFUSED
             : ike->other_issuer[0] ? FAILURE_IKE_AUTH_CERT_ISSUER
                                    : FAILURE_IKE_AUTH_CERT_REFUSED;
    else if (n->type == NOTIFY_NO_PROPOSAL_CHOSEN && waits_for_suite(ike))
        id = FAILURE_IKE_NO_PROPOSAL;
    else if (ike->state == P1_AM1_SENT &&
             (n->type == NOTIFY_AUTHENTICATION_FAILED || n->type == NOTIFY_INVALID_ID_INFORMATION))
        id = FAILURE_IKE_AUTH_REFUSED;
    else if (ike->state == P1_MM1_SENT && (n->type == NOTIFY_INVALID_EXCHANGE_TYPE ||
                                           n->type == NOTIFY_UNSUPPORTED_EXCHANGE_TYPE))
        id = FAILURE_IKE_AGGRESSIVE_ONLY;
    f = failure_of(id, n->type);
    if (id == FAILURE_IKE_AUTH_CERT_ISSUER)
        (void)snprintf(f.value, sizeof(f.value), "%s", ike->other_issuer);
    ike_note_hint(ike, &f, true, now);
}

enum verdict info_clear_input(struct ike *ike, const struct ike_in *in)
{
    struct chain c;
    struct span body;
    struct notify n;

    if (!waits_for_suite(ike) && ike->state != P1_MM3_SENT && ike->state != P1_MM5_SENT)
        return VERDICT_DROP;
    if (!isakmp_split(in->header.next_payload, in->body, &c) ||
        !isakmp_check(MESSAGE_INFO_CLEAR, &c))
        return VERDICT_DROP;
    for (unsigned i = 0; chain_get(&c, PAYLOAD_N, i, &body); i++)
        if (isakmp_parse_notify(body, &n))
            hint_notify(ike, &n, in->now);
    return VERDICT_DROP;
}

/* A refusal of the quick mode that we wait for: PFS may help, or else it fails at once. */
static enum verdict recv_error(struct ike *ike, const struct notify *n, l2tpc_us now)
{
    struct failure f;

    ike_log(ike, LOG_LEVEL_WARN, "the server notifies an error: %u", n->type);
    /* INVALID-SPI speaks of another SA; a server that lost ours is found by DPD. */
    for (unsigned i = 0; i < IKE_QUICK_SLOTS && n->type != NOTIFY_INVALID_SPI; i++) {
        struct quick *q = &ike->quick[i];

        if (q->state != QUICK_QM1_SENT)
            continue;
        if (n->type == NOTIFY_NO_PROPOSAL_CHOSEN && quick_try_pfs(ike, now))
            return VERDICT_OK;
        f = failure_of(n->type == NOTIFY_NO_PROPOSAL_CHOSEN ? FAILURE_IKE_QUICK_NO_PROPOSAL
                                                            : FAILURE_IKE_QUICK_REFUSED,
                       n->type);
        ike->root->pfs = ike->root->cfg.policy.pfs; /* what was learned does not hold any more */
        return quick_fail(ike, q, &f) == VERDICT_FATAL ? VERDICT_FATAL : VERDICT_OK;
    }
    return VERDICT_OK;
}

static enum verdict recv_connected(struct ike *ike)
{
    for (unsigned i = 0; i < IKE_QUICK_SLOTS; i++)
        if (ike->quick[i].state == QUICK_COMMIT)
            quick_connected(ike, &ike->quick[i], true);
    return VERDICT_OK;
}

/*
 * RESPONDER-LIFETIME (RFC 2407 4.6.3.1), of the IKE SA or of a pair, which its SPI names. One that
 * is too short to be lived with is not followed: the server's own Delete ends the SA then.
 */
static enum verdict recv_lifetime(struct ike *ike, const struct notify *n)
{
    struct ike_event ev = {.type = IKE_EVENT_SA_LIFETIME, .sa = {.lifetime_s = UINT32_MAX}};
    struct rd r = rd_of(n->spi);
    uint32_t spi;

    if (n->protocol == PROTOCOL_ISAKMP)
        return renewal_lower(ike, n->data) ? VERDICT_OK : VERDICT_DROP;
    if (n->protocol != PROTOCOL_ESP || !rd_u32(&r, &spi) || !rd_end(&r) ||
        !proposal_lower_lifetime(n->data, &ev.sa.lifetime_s, &ev.sa.lifetime_bytes))
        return VERDICT_DROP;
    for (unsigned i = 0; i < IKE_SAS_MAX; i++) {
        const struct ike_sa_record *sa = &ike->root->sas[i];

        if (!sa->live || (sa->spi_out != spi && sa->spi_in != spi))
            continue;
        ev.spi = sa->spi_out;
        ike_push_event(ike, &ev);
    }
    return VERDICT_OK;
}

/* `fresh`: this message id was not seen before. */
static enum verdict recv_notify(struct ike *ike, const struct notify *n, const struct ike_in *in,
                                bool fresh)
{
    switch (n->type) {
    case NOTIFY_R_U_THERE:
        return liveness_recv_r_u_there(ike, n, in);
    case NOTIFY_R_U_THERE_ACK:
        return liveness_recv_ack(ike, n, in);
    case NOTIFY_CONNECTED:
        return fresh ? recv_connected(ike) : VERDICT_DROP;
    case NOTIFY_RESPONDER_LIFETIME:
        return fresh ? recv_lifetime(ike, n) : VERDICT_DROP;
    default:
        return is_error(n) && fresh ? recv_error(ike, n, in->now) : VERDICT_OK;
    }
}

/* ---- Delete ---- */
static void delete_esp(struct ike *ike, uint32_t spi)
{
    for (unsigned i = 0; i < IKE_SAS_MAX; i++) {
        struct ike_sa_record *sa = &ike->root->sas[i];

        /* Some servers list both directions: either names the pair. */
        if (!sa->live || (sa->spi_out != spi && sa->spi_in != spi))
            continue;
        sa->live = false;
        ike_log(ike, LOG_LEVEL_INFO, "the server deleted ESP pair %08x", sa->spi_out);
        ike_push_spi(ike, IKE_EVENT_SA_DELETED, sa->spi_out);
    }
}

/* True when it names our IKE SA. */
static bool recv_delete(struct ike *ike, const struct delete_payload *d)
{
    struct rd r = rd_of(d->spis);
    uint8_t cookies[2 * ISAKMP_COOKIE_LEN];
    uint32_t spi;

    if (d->protocol == PROTOCOL_ESP && d->spi_size == 4) {
        while (rd_u32(&r, &spi))
            delete_esp(ike, spi);
        return false;
    }
    if (d->protocol != PROTOCOL_ISAKMP || d->spi_size != sizeof(cookies))
        return false;
    while (rd_copy(&r, cookies, sizeof(cookies)))
        if (memcmp(cookies, ike->cky_i, ISAKMP_COOKIE_LEN) == 0 &&
            memcmp(cookies + ISAKMP_COOKIE_LEN, ike->cky_r, ISAKMP_COOKIE_LEN) == 0)
            return true;
    return false;
}

/* At the end of the message, so that every payload before was read under a living SA. */
static enum verdict delete_ike(struct ike *ike, l2tpc_us now)
{
    struct ike_event ev = {.type = IKE_EVENT_CLOSED, .by_peer = true};

    if (ike->state != P1_UP)
        return VERDICT_DROP;
    ike_log(ike, LOG_LEVEL_INFO, "the server deleted the IKE SA");
    if (ike->role != IKE_ROLE_ROOT) {
        ike->deleted_at = now;
        ike->state = P1_DELETED;
        return VERDICT_OK;
    }
    if (renewal_survives(ike, now))
        return VERDICT_OK;
    if (quick_is_pending(ike)) {
        struct failure f = failure_make(FAILURE_IKE_QUICK_REFUSED);

        failure_set_peer_text(&f, span_str("Delete of the IKE SA"));
        return ike_fail(ike, &f);
    }
    (void)recv_connected(ike);
    for (unsigned i = 0; i < IKE_QUICK_SLOTS; i++)
        quick_release(&ike->quick[i]);
    ike->facts.established = false;
    ike->deleted_at = now;
    ike->state = P1_DELETED;
    ike_push_event(ike, &ev);
    return VERDICT_OK;
}

/* ---- receiving ---- */
static bool open_info(struct ike *ike, const struct ike_in *in, struct chain *c)
{
    struct quick *q = quick_find(ike, in->header.message_id);
    uint8_t iv[IKE_BLOCK_MAX];

    if (!ike->has_keys || in->header.message_id == 0)
        return false;
    if (keymat_iv_exchange(ike->cfg.crypto, &ike->secrets->keys, ike->iv, in->header.message_id,
                           iv) &&
        ike_open(ike, in, MESSAGE_INFO, iv, c) && ike_hash_matches(ike, in, c, SPAN_NONE))
        return true;
    /* CONNECTED may come under the quick mode's message id and go on with its IV. */
    if (!q || q->state != QUICK_COMMIT)
        return false;
    memcpy(iv, q->iv, sizeof(iv));
    return ike_open(ike, in, MESSAGE_INFO, iv, c) && ike_hash_matches(ike, in, c, SPAN_NONE);
}

/*
 * Before message 6: a peer that could not read message 5 answers under keys that we do not have,
 * and one that could tells us why it refuses. Neither ends anything by itself.
 */
static enum verdict hint_input(struct ike *ike, const struct ike_in *in)
{
    struct chain c;
    struct span body;
    struct notify n;

    if (!open_info(ike, in, &c)) {
        struct failure f = failure_make(FAILURE_IKE_AUTH_PSK);

        if (ike->cfg.credential)
            return VERDICT_DROP;
        ike_note_hint(ike, &f, true, in->now);
        return VERDICT_DROP;
    }
    for (unsigned i = 0; chain_get(&c, PAYLOAD_N, i, &body); i++)
        if (isakmp_parse_notify(body, &n))
            hint_notify(ike, &n, in->now);
    return VERDICT_DROP;
}

/* Every payload is well-formed, or nothing of the message counts. */
static bool all_parse(const struct chain *c)
{
    struct notify n;
    struct delete_payload d;

    for (unsigned i = 0; i < c->n; i++) {
        if (c->at[i].type == PAYLOAD_N && !isakmp_parse_notify(c->at[i].body, &n))
            return false;
        if (c->at[i].type == PAYLOAD_D && !isakmp_parse_delete(c->at[i].body, &d))
            return false;
    }
    return true;
}

enum verdict info_input(struct ike *ike, const struct ike_in *in)
{
    enum verdict v = VERDICT_OK;
    bool ike_deleted = false;
    bool fresh = !ike_is_finished(ike, in->header.message_id);
    struct chain c;

    if (ike->state == P1_MM5_SENT)
        return hint_input(ike, in);
    if (ike->state != P1_UP && ike->state != P1_DELETED)
        return VERDICT_DROP;
    /* HASH(1) has no direction: a message of ours that comes back would pass it. */
    if (ike_ids_have(&ike->own, in->header.message_id))
        return VERDICT_DROP;
    if (!open_info(ike, in, &c) || !all_parse(&c))
        return VERDICT_DROP;
    if (!quick_find(ike, in->header.message_id))
        ike_set_finished(ike, in->header.message_id);
    if (fresh) /* what was sent again by anybody is no sign of life */
        ike_note_proof(ike, in->now);
    for (unsigned i = 0; i < c.n && v != VERDICT_FATAL; i++) {
        struct notify n;
        struct delete_payload d;

        if (c.at[i].type == PAYLOAD_N && ike->state == P1_UP &&
            isakmp_parse_notify(c.at[i].body, &n))
            v = recv_notify(ike, &n, in, fresh);
        else if (c.at[i].type == PAYLOAD_D && fresh && isakmp_parse_delete(c.at[i].body, &d))
            ike_deleted = recv_delete(ike, &d) || ike_deleted;
    }
    return ike_deleted && v != VERDICT_FATAL ? delete_ike(ike, in->now) : v;
}
