/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the dial asks of its driver, and what it does with the answers. */
#include "dial/internal.h"

#include "l2tp/data.h"

#include <string.h>

struct dial_event *need_new(struct dial *d, enum dial_need_type type, struct dial_event *e)
{
    *e = (struct dial_event){.type = DIAL_EVENT_NEED,
                             .need = type,
                             .need_id = ++d->next_need,
                             .stage = d->facts.current};
    d->need[type] = e->need_id;
    return e;
}

/* Takes the open need of this kind; false for a late, foreign or repeated answer. */
static bool take_need(struct dial *d, enum dial_need_type type, uint32_t id, l2tpc_us now)
{
    if (id == 0 || d->need[type] != id || d->closing != CLOSING_NOT)
        return false;
    alive_note_progress(d, now);
    d->need[type] = 0;
    return true;
}

bool dial_need_is_open(const struct dial *d, uint32_t need)
{
    for (unsigned i = 0; i < ARRAY_LEN(d->need); i++)
        if (need != 0 && d->need[i] == need)
            return d->closing == CLOSING_NOT;
    return false;
}

void need_sockets(struct dial *d, bool raw_esp, l2tpc_us now)
{
    struct dial_event e;

    (void)now;
    need_new(d, DIAL_NEED_SOCKETS, &e);
    e.remote = d->facts.remote;
    e.raw_esp = raw_esp;
    dial_events_push(&d->events, &e);
}

void dial_set_outer_mtu(struct dial *d, unsigned mtu)
{
    d->outer_mtu = (uint16_t)(mtu > OUTER_MTU_MAX ? OUTER_MTU_MAX : mtu);
}

uint16_t inner_mtu_of(const struct dial *d, size_t outer)
{
    size_t mtu;

    outer -= d->facts.remote.addr.family == 6 ? 40u : 20u;
    if (d->data.now.udp_encapsulated)
        outer -= 8;
    mtu = esp_payload_max(&d->facts.esp_suite, outer) - L2TP_DATA_ENVELOPE -
          (data_is_sequenced(&d->data) ? L2TP_DATA_SEQUENCE : 0u);
    return (uint16_t)(mtu > PPP_MRU ? PPP_MRU : mtu);
}

uint16_t inner_mtu_max(const struct dial *d)
{
    size_t least = d->facts.remote.addr.family == 6 ? OUTER_MTU_MIN_IPV6 : OUTER_MTU_MIN_IPV4;
    size_t outer = d->outer_mtu ? d->outer_mtu : OUTER_MTU_MAX;

    return inner_mtu_of(d, outer < least ? least : outer);
}

uint16_t inner_mtu(const struct dial *d)
{
    uint16_t mtu = inner_mtu_max(d);

    if (d->path.state == PATH_MTU_SEARCH_COMPLETE && d->path.plpmtu < mtu)
        mtu = d->path.plpmtu;
    return mtu > d->facts.ppp->peer_mru ? d->facts.ppp->peer_mru : mtu;
}

static struct dial_ip agreed_ip(const struct dial *d)
{
    const struct ppp_facts *ppp = d->facts.ppp;
    const struct inaddr *dns = ppp->dns;

    /* IPCP speaks for the server itself; DHCP only where IPCP has said nothing. */
    if (dns[0].family == 0 && dns[1].family == 0 && d->facts.pushed)
        dns = d->facts.pushed->dns;
    return (struct dial_ip){
        .local = ppp->local_ip,
        .peer = ppp->peer_ip,
        .dns = {dns[0], dns[1]},
        .mtu = inner_mtu(d),
    };
}

void need_apply_ip(struct dial *d, l2tpc_us now)
{
    struct dial_event e;

    if (d->config.until == STAGE_PPP_IP) { /* to be known, not to be used: there is no TUN */
        d->facts.ip = agreed_ip(d);
        stage_end(d, STAGE_PPP_IP, now);
        return;
    }
    d->ip_wanted = true;
    if (!d->tun_ready)
        return;
    d->changes_only = d->facts.up && inaddr_eq(&d->facts.ip.local, &d->facts.ppp->local_ip);
    d->facts.ip = agreed_ip(d);
    d->data.now.mtu = d->facts.ip.mtu;
    need_new(d, DIAL_NEED_APPLY_IP, &e);
    e.ip = d->facts.ip;
    dial_events_push(&d->events, &e);
}

/* An address nobody can serve from; the failure is remembered for when no other is left. */
static bool address_is_usable(struct dial *d, const struct inaddr *a)
{
    struct failure f = failure_make(FAILURE_RESOLVE_BAD_ADDRESS);
    char text[ADDR_TEXT_MAX];

    if (a->family != 0 && !inaddr_is_any(a) && !inaddr_is_loopback(a) && !inaddr_is_multicast(a))
        return true;
    failure_set_value(&f, span_str(inaddr_text(a, text)));
    d->facts.failure = f;
    return false;
}

void try_next_address(struct dial *d, l2tpc_us now)
{
    struct failure f;

    ike_free(d->ike);
    d->ike = NULL;
    d->facts.ike = NULL;
    while (d->next_address < d->n_addresses) {
        const struct inaddr *a = &d->address[d->next_address++];

        if (!address_is_usable(d, a))
            continue;
        d->facts.failure = failure_make(FAILURE_NONE);
        d->facts.remote = (struct endpoint){.addr = *a, .port = d->config.port};
        climb_begin(d, now);
        need_sockets(d, d->ladder.now.encapsulation == ENCAPSULATION_ESP, now);
        return;
    }
    f = d->facts.failure.id ? d->facts.failure : failure_make(FAILURE_RESOLVE_NOT_FOUND);
    dial_fail_now(d, &f, now);
}

void dial_answer_resolve(struct dial *d, uint32_t need, const struct inaddr *addresses, unsigned n,
                         const struct failure *failure, l2tpc_us now)
{
    if (!take_need(d, DIAL_NEED_RESOLVE, need, now))
        return;
    if (failure) {
        dial_fail_now(d, failure, now);
        dial_pump(d, now);
        return;
    }
    d->n_addresses = n < DIAL_ADDRESSES_MAX ? n : DIAL_ADDRESSES_MAX;
    if (d->n_addresses > 0)
        memcpy(d->address, addresses, d->n_addresses * sizeof(addresses[0]));
    for (unsigned i = 0; i < d->n_addresses; i++)
        inaddr_unmap(&d->address[i]);
    try_next_address(d, now);
    if (d->closing == CLOSING_NOT)
        stage_end(d, STAGE_RESOLVE, now);
    dial_pump(d, now);
}

unsigned dial_addresses(const struct dial *d, struct inaddr out[DIAL_ADDRESSES_MAX])
{
    memcpy(out, d->address, d->n_addresses * sizeof(out[0]));
    return d->n_addresses;
}

static struct ike_config ike_config_of(const struct dial *d)
{
    const struct dial_config *c = &d->config;
    struct ike_config out = {
        .env = c->env,
        .crypto = c->crypto,
        .local = d->facts.local,
        .local_natt_port = d->facts.local_natt_port,
        .remote = d->facts.remote,
        .remote_natt_port = 4500,
        .ike_lifetime_s = c->ike_lifetime_s,
        .esp_lifetime_s = c->esp_lifetime_s,
        .esp_lifetime_kb = c->esp_lifetime_kb,
        .dpd = true,
        .credential = c->credential,
        .fragmentation = !c->no_fragmentation,
        .packet_max = d->outer_mtu,
        .own_id = c->own_id,
        .peer_id = c->peer_id,
        .aggressive = c->aggressive,
        .aggressive_allowed = c->aggressive_allowed,
    };

    climb_configure(d, &out);
    return out;
}

static void start_ike(struct dial *d, l2tpc_us now)
{
    struct ike_config config;

    /* Only the first rung goes through the addresses: a later one has been answered. */
    d->deadline.address =
        d->ladder.n_rows == 1 && (d->next_address < d->n_addresses || d->config.impatient)
            ? us_add(now, ADDRESS_DEADLINE)
            : US_NEVER;
    config = ike_config_of(d);
    d->ike = ike_new(&config);
    if (!d->ike) {
        struct failure f = failure_make(FAILURE_LOCAL_MEMORY);

        dial_fail_now(d, &f, now);
        return;
    }
    d->facts.ike = ike_facts(d->ike);
    stage_begin(d, STAGE_IKE_PHASE1, now);
    ike_start(d->ike, now);
}

void dial_answer_sockets(struct dial *d, uint32_t need, const struct endpoint *local,
                         uint16_t local_natt_port, const struct failure *failure, l2tpc_us now)
{
    if (!take_need(d, DIAL_NEED_SOCKETS, need, now))
        return;
    if (failure) {
        d->facts.failure = *failure;
        /* No route to this family is no reason not to try the other; past IKE it is too late. */
        if (!d->ike && d->next_address < d->n_addresses && d->ladder.n_rows <= 1)
            try_next_address(d, now);
        else
            dial_fail_now(d, failure, now);
    } else if (!d->ike) {
        d->facts.local = *local;
        d->facts.local_natt_port = local_natt_port;
        if (inaddr_eq(&local->addr, &d->facts.remote.addr)) {
            struct failure f = failure_make(FAILURE_RESOLVE_BAD_ADDRESS);
            char text[ADDR_TEXT_MAX];

            failure_set_value(&f, span_str(inaddr_text(&local->addr, text)));
            d->facts.failure = f;
            try_next_address(d, now);
        } else {
            start_ike(d, now);
        }
    }
    dial_pump(d, now);
}

void dial_answer_secret(struct dial *d, uint32_t need, const struct span *secret, l2tpc_us now)
{
    bool psk = take_need(d, DIAL_NEED_PSK, need, now);

    if (!psk && !take_need(d, DIAL_NEED_PASSWORD, need, now))
        return;
    if (!secret) {
        struct failure f = failure_make(FAILURE_LOCAL_SECRET);

        f.stage = psk ? STAGE_IKE_AUTH : STAGE_PPP_AUTH;
        failure_set_value(&f, span_str(psk ? "pre-shared key" : "password"));
        dial_fail_now(d, &f, now);
    } else if (psk && d->ike) {
        ladder_note_person(&d->ladder, now);
        if (!secret_set(&d->secrets->psk, *secret)) /* too long: IKE says so */
            secret_wipe(&d->secrets->psk);
        if (d->facts.ike->received == 0 && d->next_address < d->n_addresses)
            d->deadline.address = us_add(now, ADDRESS_DEADLINE);
        ike_answer_psk(d->ike, d->ike_need, *secret, now);
    } else if (!psk && d->ppp) {
        ppp_answer_password(d->ppp, d->ppp_need, *secret, now);
    }
    dial_pump(d, now);
}

/*
 * What was asked for beside a working address may be refused: routes of a DHCP server, which
 * anybody behind the tunnel may be, are left out then, and an MTU or name server stays as it was.
 */
static bool does_without(struct dial *d, const struct failure *failure, l2tpc_us now)
{
    bool pushed = d->pushed_untried && d->facts.pushed;

    if (!pushed && !d->changes_only)
        return false;
    env_log(d->config.env, LOG_LEVEL_WARN, "dial", "%s could not be set: %s",
            pushed ? "what the DHCP server pushed" : "the change", failure->value);
    d->pushed_untried = false;
    if (pushed) {
        d->facts.pushed = NULL;
        need_apply_ip(d, now);
    }
    return true;
}

static void host_failed(struct dial *d, const struct failure *failure, l2tpc_us now)
{
    struct failure f = *failure;

    f.stage = d->facts.current;
    dial_fail_now(d, &f, now);
}

static void ip_applied(struct dial *d, l2tpc_us now)
{
    d->pushed_untried = false;
    d->ip_applied = true;
    stage_end(d, STAGE_PPP_IP, now);
    if (d->closing != CLOSING_NOT || d->facts.up)
        return;
    d->facts.up = true;
    d->facts.up_at = now;
    ike_keep(d->ike);
    d->deadline.whole = US_NEVER;
    climb_note_up(d);
    stage_begin(d, STAGE_UP, now);
    dial_emit(d, DIAL_EVENT_UP);
}

static void answer_host(struct dial *d, uint32_t need, const struct failure *failure, l2tpc_us now)
{
    bool tun = take_need(d, DIAL_NEED_TUN, need, now);

    if (!tun && !take_need(d, DIAL_NEED_APPLY_IP, need, now))
        return;
    if (failure) {
        if (tun || !does_without(d, failure, now))
            host_failed(d, failure, now);
    } else if (tun) {
        d->tun_ready = true;
        if (d->ip_wanted)
            need_apply_ip(d, now);
    } else {
        ip_applied(d, now);
    }
    dial_pump(d, now);
}

void dial_answer_sign(struct dial *d, uint32_t need, const struct span *signature, l2tpc_us now)
{
    if (!take_need(d, DIAL_NEED_SIGN, need, now))
        return;
    if (d->ike)
        ike_answer_sign(d->ike, d->ike_need, signature ? *signature : SPAN_NONE, now);
    dial_pump(d, now);
}

void dial_set_credential(struct dial *d, const struct ike_credential *credential)
{
    d->config.credential = credential;
}

const struct ike_peer_cert *dial_peer_cert(const struct dial *d)
{
    return d->ike ? ike_peer_cert(d->ike) : NULL;
}

void dial_answer_done(struct dial *d, uint32_t need, const struct failure *failure, l2tpc_us now)
{
    if (take_need(d, DIAL_NEED_CERT_STATUS, need, now)) {
        if (d->ike)
            ike_answer_cert_status(d->ike, d->ike_need, failure, now);
        dial_pump(d, now);
        return;
    }
    answer_host(d, need, failure, now);
}
