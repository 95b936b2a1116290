/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was negotiated and counted becomes a snapshot; never what the profile says. */
#include "api/status.h"
#include "base/text.h"
#include "io/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_(s) s

void status_set_text(l2tpc_status *st, enum status_id id, const char *text)
{
    st->value[id].text = strdup(text);
    st->value[id].known = st->value[id].text && text[0];
}

static void set_text(l2tpc_status *st, enum status_id id, const char *text)
{
    status_set_text(st, id, text);
}

static void set_uint(l2tpc_status *st, enum status_id id, uint64_t v)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
    set_text(st, id, text);
    st->value[id].number = v;
}

static void set_bool(l2tpc_status *st, enum status_id id, bool v)
{
    set_text(st, id, v ? "yes" : "no");
    st->value[id].number = v;
}

static void set_ms(l2tpc_status *st, enum status_id id, l2tpc_us us)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%llu.%01llu", (unsigned long long)(us / 1000),
                   (unsigned long long)(us % 1000 / 100));
    set_text(st, id, text);
    st->value[id].real = (double)us / 1000.0;
}

static void set_spi(l2tpc_status *st, enum status_id id, uint32_t spi)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "0x%08x", spi);
    set_text(st, id, text);
}

static void set_address(l2tpc_status *st, enum status_id id, const struct inaddr *a)
{
    char text[ADDR_TEXT_MAX];

    if (a->family)
        set_text(st, id, inaddr_text(a, text));
}

/* Seconds from now until then; nothing when it has no end, or has passed. */
static void set_remaining(l2tpc_status *st, enum status_id id, l2tpc_us then)
{
    l2tpc_us now = io_now();

    if (then > now && then != US_NEVER)
        set_uint(st, id, (then - now) / 1000000);
}

static const char *nat_text(enum ike_nat nat)
{
    return nat == IKE_NAT_YES ? "yes" : nat == IKE_NAT_NO ? "no" : "unknown";
}

static void fill_ends(l2tpc_status *st, const l2tpc_session *s, const struct dial_facts *f)
{
    bool floated = f->ike && f->ike->floated;

    set_text(st, STATUS_server_name, s->config.server);
    if (f->remote.addr.family) {
        set_address(st, STATUS_server_address, &f->remote.addr);
        set_uint(st, STATUS_server_port, floated ? 4500 : f->remote.port);
    }
    if (f->local.addr.family) {
        set_address(st, STATUS_local_address, &f->local.addr);
        set_uint(st, STATUS_local_port, floated ? f->local_natt_port : f->local.port);
    }
}

static const char *ike_auth_text(enum ike_auth auth)
{
    switch (auth) {
    case IKE_AUTH_RSA:
        return "rsa";
    case IKE_AUTH_ECDSA_256:
        return "ecdsa-256";
    case IKE_AUTH_ECDSA_384:
        return "ecdsa-384";
    case IKE_AUTH_ECDSA_521:
        return "ecdsa-521";
    default:
        return "psk";
    }
}

static void fill_ike(l2tpc_status *st, const struct ike_facts *i)
{
    char text[IKE_VENDOR_IDS_KEPT * 49 + 1] = "";
    char cipher[24];
    size_t at = 0;

    set_text(st, STATUS_ike_version, "1.0");
    set_text(st, STATUS_ike_mode, i->aggressive ? "aggressive" : "main");
    set_text(st, STATUS_ike_weaknesses,
             i->aggressive       ? "aggressive-mode"
             : i->clear_identity ? "clear-identity"
                                 : "");
    set_text(st, STATUS_ike_auth, ike_auth_text(i->auth));
    if (i->suite.cipher != CIPHER_NONE) {
        set_text(st, STATUS_ike_encryption,
                 suite_cipher_text(i->suite.cipher, i->suite.key_bits, cipher));
        set_text(st, STATUS_ike_integrity, hash_name(i->suite.hash));
        (void)snprintf(text, sizeof(text), "HMAC-%s", hash_name(i->suite.hash));
        set_text(st, STATUS_ike_prf, text);
        set_text(st, STATUS_ike_group, dh_name(i->suite.group));
        set_uint(st, STATUS_ike_lifetime_s, i->lifetime_s);
    }
    set_text(st, STATUS_ike_peer_id, i->peer_id);
    set_text(st, STATUS_ike_peer_id_type, i->peer_id_type);
    set_text(st, STATUS_ike_peer_issuer, i->peer_issuer);
    text_hex(text, sizeof(text), SPAN_ARRAY(i->cky_i));
    set_text(st, STATUS_ike_spi_i, text);
    text_hex(text, sizeof(text), SPAN_ARRAY(i->cky_r));
    set_text(st, STATUS_ike_spi_r, text);
    text[0] = '\0';
    for (unsigned v = 0; v < i->n_vendor_ids; v++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s\n", i->vendor_ids[v]);
    set_text(st, STATUS_ike_vendor_ids, text);
    set_bool(st, STATUS_ike_dpd, i->dpd);
    if (i->rtt)
        set_ms(st, STATUS_ike_rtt_ms, i->rtt);
    set_uint(st, STATUS_ike_resent, i->resent);
    set_uint(st, STATUS_ike_dropped, i->dropped);
    set_bool(st, STATUS_ike_fragmentation, i->fragmentation);
    set_uint(st, STATUS_ike_fragments_in, i->fragments_received);
    set_uint(st, STATUS_ike_fragments_out, i->fragments_sent);
    set_remaining(st, STATUS_ike_expires_s, i->expires);
    set_text(st, STATUS_nat_local, nat_text(i->nat_local));
    set_text(st, STATUS_nat_remote, nat_text(i->nat_remote));
}

static void fill_revocation(l2tpc_status *st, const struct revocation_verdict *r)
{
    static const char *const states[] = {[REVOCATION_UNKNOWN] = "unknown",
                                         [REVOCATION_GOOD] = "good",
                                         [REVOCATION_REVOKED] = "revoked"};
    static const char *const sources[] = {[REVOCATION_NONE] = "none",
                                          [REVOCATION_FILE] = "file",
                                          [REVOCATION_OCSP] = "ocsp",
                                          [REVOCATION_CRL] = "crl"};

    if (!r->known)
        return;
    set_text(st, STATUS_ike_revocation, states[r->state]);
    set_text(st, STATUS_ike_revocation_source, sources[r->source]);
}

static void fill_ladder(l2tpc_status *st, const struct ladder *l)
{
    char text[LADDER_ROWS_MAX * 64] = "";
    size_t at = 0;

    for (unsigned i = 0; i < l->n_rows; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s%s\n", rung_name(l->row[i].rung),
                               l->row[i].why ? " after " : "",
                               l->row[i].why ? failure_code(l->row[i].why) : "");
    set_text(st, STATUS_ladder_rung, rung_name(l->now.rung));
    set_text(st, STATUS_ladder_rungs, text);
}

static void fill_learned(l2tpc_status *st, const l2tpc_session *s, const struct dial_facts *f)
{
    const l2tpc_config *c = &s->config;

    set_text(st, STATUS_learned_state, learned_state(c));
    if (!learned_holds(c))
        return;
    set_text(st, STATUS_learned_floor_ike, strength_name(c->learned.floor_ike));
    set_text(st, STATUS_learned_floor_esp, strength_name(c->learned.floor_esp));
    set_text(st, STATUS_learned_fingerprint, c->learned.fingerprint);
    if (c->learned.peer_id[0] && f->was_authenticated) {
        set_text(st, STATUS_ike_peer_id_before, c->learned.peer_id);
        set_bool(st, STATUS_ike_peer_id_changed, f->peer_id_changed);
    }
}

static void fill_esp(l2tpc_status *st, const struct dial_facts *f)
{
    char cipher[24];

    set_text(st, STATUS_nat_encapsulation, f->udp_encapsulated ? "udp" : "esp");
    set_text(st, STATUS_esp_mode, "transport");
    set_text(st, STATUS_esp_encryption,
             suite_cipher_text(f->esp_suite.cipher, f->esp_suite.key_bits, cipher));
    set_text(st, STATUS_esp_integrity, esp_integ_name(&f->esp_suite));
    set_text(st, STATUS_esp_pfs, f->pfs == DH_NONE ? "no" : dh_name(f->pfs));
    set_spi(st, STATUS_esp_spi_in, f->spi_in);
    set_spi(st, STATUS_esp_spi_out, f->spi_out);
    set_uint(st, STATUS_esp_lifetime_s, f->esp_lifetime_s);
    set_uint(st, STATUS_esp_packets_in, f->esp_in.packets);
    set_uint(st, STATUS_esp_packets_out, f->esp_out.packets);
    set_uint(st, STATUS_esp_bytes_in, f->esp_in.bytes);
    set_uint(st, STATUS_esp_bytes_out, f->esp_out.bytes);
    set_uint(st, STATUS_esp_replayed, f->esp_in.replayed);
    set_uint(st, STATUS_esp_bad_icv, f->esp_in.bad_icv);
    set_uint(st, STATUS_esp_malformed, f->esp_in.malformed);
    set_uint(st, STATUS_esp_sa_pairs, f->sa_pairs);
    set_text(st, STATUS_esp_backend, f->esp_backend);
    set_remaining(st, STATUS_esp_expires_s, f->esp_expires);
}

static void fill_l2tp(l2tpc_status *st, const struct l2tp_facts *l)
{
    char firmware[8];

    set_uint(st, STATUS_l2tp_tunnel_id, l->tunnel_id);
    if (l->peer_tunnel_id)
        set_uint(st, STATUS_l2tp_peer_tunnel_id, l->peer_tunnel_id);
    set_uint(st, STATUS_l2tp_session_id, l->session_id);
    if (l->peer_session_id)
        set_uint(st, STATUS_l2tp_peer_session_id, l->peer_session_id);
    set_text(st, STATUS_l2tp_peer_hostname, l->peer_hostname);
    set_text(st, STATUS_l2tp_peer_vendor, l->peer_vendor);
    if (l->peer_firmware) {
        (void)snprintf(firmware, sizeof(firmware), "0x%04x", l->peer_firmware);
        set_text(st, STATUS_l2tp_peer_firmware, firmware);
    }
    set_uint(st, STATUS_l2tp_resent, l->resent);
}

static const char *auth_text(enum ppp_auth auth)
{
    switch (auth) {
    case PPP_AUTH_PAP:
        return "PAP";
    case PPP_AUTH_CHAP_MD5:
        return "CHAP-MD5";
    case PPP_AUTH_MSCHAPV2:
        return "MS-CHAPv2";
    default:
        return "";
    }
}

static void fill_ppp(l2tpc_status *st, const struct dial_facts *f)
{
    const struct ppp_facts *p = f->ppp;
    char dns[2 * ADDR_TEXT_MAX] = "";
    char text[ADDR_TEXT_MAX];
    size_t at = 0;

    set_text(st, STATUS_ppp_auth, auth_text(p->auth));
    set_uint(st, STATUS_ppp_mru, p->mru);
    set_uint(st, STATUS_ppp_peer_mru, p->peer_mru);
    set_address(st, STATUS_ppp_local_ip, &p->local_ip);
    set_address(st, STATUS_ppp_peer_ip, &p->peer_ip);
    for (unsigned i = 0; i < ARRAY_LEN(p->dns); i++)
        if (p->dns[i].family)
            at +=
                (size_t)snprintf(dns + at, sizeof(dns) - at, "%s\n", inaddr_text(&p->dns[i], text));
    set_text(st, STATUS_ppp_dns, dns);
    if (f->ip.mtu) {
        set_uint(st, STATUS_ppp_mtu, f->ip.mtu);
        set_text(st, STATUS_ppp_mtu_origin,
                 f->path_mtu == PATH_MTU_SEARCH_COMPLETE ? "path" : "interface");
    }
}

void status_fill_kernel(l2tpc_status *st, const struct kernel_counts *k)
{
    if (!k->known)
        return;
    set_uint(st, STATUS_kernel_clear, k->clear);
    set_uint(st, STATUS_kernel_esp_in, k->esp_in);
    set_uint(st, STATUS_kernel_esp_out, k->esp_out);
}

/* Who says so: IPCP speaks for the server, DHCP for somebody behind it. */
static void fill_dns(l2tpc_status *st, const struct dial_facts *f)
{
    bool ipcp = f->ppp && (f->ppp->dns[0].family || f->ppp->dns[1].family);
    char all[2 * (ADDR_TEXT_MAX + 16)] = "";
    char text[ADDR_TEXT_MAX];
    size_t at = 0;

    for (unsigned i = 0; i < ARRAY_LEN(f->ip.dns); i++)
        if (f->ip.dns[i].family)
            at += (size_t)snprintf(all + at, sizeof(all) - at, "%s %s\n",
                                   inaddr_text(&f->ip.dns[i], text), ipcp ? "ipcp" : "dhcp");
    set_text(st, STATUS_ip_dns, all);
}

static void fill_pushed(l2tpc_status *st, const l2tpc_session *s, const struct dial_facts *f)
{
    static const char *const states[] = {[DHCPINFORM_ASKED] = "asked",
                                         [DHCPINFORM_ANSWERED] = "answered",
                                         [DHCPINFORM_SILENT] = "no-answer"};
    char all[DHCPINFORM_DOMAINS_MAX * (DHCPINFORM_DOMAIN_MAX + 1) + 1] = "";
    size_t at = 0;

    if (s->configured && s->routes)
        set_text(st, STATUS_ip_routes, s->routes);
    fill_dns(st, f);
    if (f->dhcpinform)
        set_text(st, STATUS_ip_inform, states[f->dhcpinform->state]);
    if (!f->pushed)
        return;
    for (unsigned i = 0; i < f->pushed->n_domains; i++)
        at += (size_t)snprintf(all + at, sizeof(all) - at, "%s\n", f->pushed->domain[i]);
    set_text(st, STATUS_ip_domains, all);
    set_address(st, STATUS_ip_inform_server, &f->pushed->server);
    set_uint(st, STATUS_ip_routes_refused, f->pushed->n_refused);
}

static void fill_counts(l2tpc_status *st, const struct dial_facts *f)
{
    set_uint(st, STATUS_ip_packets_in, f->data.ip_in);
    set_uint(st, STATUS_ip_packets_out, f->data.ip_out);
    set_uint(st, STATUS_ip_bytes_in, f->data.ip_in_bytes);
    set_uint(st, STATUS_ip_bytes_out, f->data.ip_out_bytes);
}

static void detail(l2tpc_status *st, enum status_detail_id id, const char *text)
{
    (void)snprintf(st->detail[id], sizeof(st->detail[id]), "%s", text);
}

static const char *known(const l2tpc_status *st, enum status_id id)
{
    return st->value[id].known ? st->value[id].text : "";
}

/* The rows of the Windows "Details" page, in its order. */
void status_fill_details(l2tpc_status *st)
{
    char encryption[96] = "";

    if (st->value[STATUS_esp_encryption].known)
        (void)snprintf(encryption, sizeof(encryption), "IPsec: %s, %s",
                       known(st, STATUS_esp_encryption), known(st, STATUS_esp_integrity));
    detail(st, STATUS_DETAIL_device_name, st->interface_name);
    detail(st, STATUS_DETAIL_device_type, "vpn (L2TP/IPsec)");
    detail(st, STATUS_DETAIL_authentication, known(st, STATUS_ppp_auth));
    detail(st, STATUS_DETAIL_encryption, encryption);
    detail(st, STATUS_DETAIL_compression, N_("(none)"));
    detail(st, STATUS_DETAIL_multilink, N_("Off"));
    detail(st, STATUS_DETAIL_client_ipv4, known(st, STATUS_ppp_local_ip));
    detail(st, STATUS_DETAIL_server_ipv4, known(st, STATUS_ppp_peer_ip));
    detail(st, STATUS_DETAIL_client_ipv6, N_("(none)"));
    detail(st, STATUS_DETAIL_server_ipv6, N_("(none)"));
    detail(st, STATUS_DETAIL_nap_state, N_("Not NAP-capable"));
    detail(st, STATUS_DETAIL_origin, known(st, STATUS_local_address));
    detail(st, STATUS_DETAIL_destination, known(st, STATUS_server_address));
}

static void fill_stages(l2tpc_status *st, const struct dial_facts *f)
{
    l2tpc_us now = io_now();

    for (unsigned i = 0; i < STAGE_COUNT; i++) {
        const struct dial_stage_time *t = &f->stage[i];

        if (!t->begun)
            continue;
        st->stages[st->n_stages].stage = (enum stage)i;
        st->stages[st->n_stages++].ms = (double)((t->done ? t->end : now) - t->start) / 1000.0;
    }
}

static void fill_recovery(l2tpc_status *st, const l2tpc_session *s)
{
    const struct recovery *r = &s->recovery;

    if (!r->on && r->count == 0)
        return;
    set_uint(st, STATUS_recovery_reconnects, r->count);
    if (r->failure.id != FAILURE_NONE)
        set_text(st, STATUS_recovery_last_failure, failure_code(r->failure.id));
    if (r->waiting)
        set_uint(st, STATUS_recovery_wait_ms, r->wait / 1000);
}

const char *const status_states[STATUS_STATES] = {"dialing", "up",     "reconnecting",
                                                  "closing", "failed", "down"};

static const char *state_text(const l2tpc_session *s, const struct dial_facts *f)
{
    if (s->recovery.stopping)
        return s->down ? "down" : "closing";
    if (s->recovery.active && !s->down)
        return "reconnecting";
    if (f->failure.id != FAILURE_NONE && f->closing)
        return "failed";
    if (s->down || f->down || !s->started)
        return "down";
    return f->closing ? "closing" : f->up ? "up" : "dialing";
}

void status_fill(l2tpc_status *st, l2tpc_session *s)
{
    /* The kernel first: what the engine counts meanwhile is then a packet under way. */
    struct kernel_counts kernel = observer_read(s);
    const struct dial_facts *f = runner_facts(s->runner);

    memcpy(st->name, s->config.name, sizeof(st->name));
    if (s->configured) /* before that it is an empty shell, made early to save time */
        memcpy(st->interface_name, s->interface_name, sizeof(st->interface_name));
    st->state = state_text(s, f);
    fill_stages(st, f);
    memcpy(st->since, s->since, sizeof(st->since));
    fill_ends(st, s, f);
    if (f->ike)
        fill_ike(st, f->ike);
    status_fill_server(st, s, f);
    fill_revocation(st, &s->revocation);
    if (f->ladder)
        fill_ladder(st, f->ladder);
    fill_learned(st, s, f);
    if (f->has_sa)
        fill_esp(st, f);
    if (f->l2tp)
        fill_l2tp(st, f->l2tp);
    if (f->ppp)
        fill_ppp(st, f);
    status_fill_secrets(st, s);
    fill_counts(st, f);
    fill_pushed(st, s, f);
    status_fill_kernel(st, &kernel);
    fill_recovery(st, s);
    status_fill_advice(st, f);
    status_advise_psk(st);
    status_fill_details(st);
    st->claims = proof_claims_of(f);
    st->n_evidence = proof_judge(f, &kernel, st->evidence, &st->is_l2tp_in_ipsec);
    if (f->ppp && f->ppp->rtt)
        st->rtt_ms = (double)f->ppp->rtt / 1000.0;
    else if (f->l2tp && f->l2tp->rtt)
        st->rtt_ms = (double)f->l2tp->rtt / 1000.0;
    else if (f->ike)
        st->rtt_ms = (double)f->ike->rtt / 1000.0;
    st->failed = strcmp(st->state, "failed") == 0;
    st->error.failure = f->failure;
    memcpy(st->error.server, s->config.server, sizeof(st->error.server));
}
