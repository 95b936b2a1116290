/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The proof: is this really L2TP inside IPsec? Three observers that cannot fool each other: the
 * kernel counted packets on the outer interface, the peer took part, the engine kept its own books.
 */
#include "api/internal.h"

#include <stdio.h>

#define N_(s) s

enum {
    PROOF_NO_CLEAR,
    PROOF_ESP_OUT,
    PROOF_ESP_IN,
    PROOF_KERNEL_ITEMS,
    PROOF_ENCRYPTED = PROOF_KERNEL_ITEMS,
    PROOF_AUTHENTICATED,
    PROOF_TUNNEL,
    PROOF_ITEMS,
};

static const struct {
    const char *code, *sentence, *observer;
} rows[PROOF_ITEMS] = {
    [PROOF_NO_CLEAR] =
        {"kernel.no-clear",
         N_("No unprotected L2TP, GRE or PPTP packet went to or came from the server"), "kernel"},
    [PROOF_ESP_OUT] = {"kernel.esp-out",
                       N_("The kernel saw our protected packets leave with our SPI"), "kernel"},
    [PROOF_ESP_IN] = {"kernel.esp-in",
                      N_("The kernel saw the server's protected packets arrive with its SPI"),
                      "kernel"},
    [PROOF_ENCRYPTED] = {"engine.esp-encrypted", N_("ESP in transport mode encrypts every packet"),
                         "engine"},
    [PROOF_AUTHENTICATED] = {"peer.ike-authenticated",
                             N_("The server proved that it knows the IPsec secret"), "peer"},
    [PROOF_TUNNEL] = {"peer.l2tp-session",
                      N_("The server opened the L2TP tunnel and session through ESP"), "peer"},
};

static const char by_certificate[] = N_("The server proved that its certificate is its own");

/* What may be under way while the two counts are read, and a little for fragments and retries. */
static uint64_t slack(uint64_t count)
{
    return 8 + count / 50;
}

/* A queue that is full drops between the engine and the kernel's tap: a fifth of what the engine
 * sent may be missing, before "it went another way" is the better explanation. Nothing may be
 * added. The tap sees packets that an interface joins or cuts by itself (GRO, GSO) as one: `joined`
 * of them need not have been counted. */
static bool agree_out(uint64_t before, uint64_t after, uint64_t engine, uint64_t joined)
{
    uint64_t least = engine - (joined < engine ? joined : engine);

    return after > 0 && (before <= engine || before - engine <= slack(engine)) &&
           least <= after + after / 4 + slack(after);
}

/* All that the engine took for the server's must have come as ESP. That the kernel saw more means
 * only that our socket overran, or that somebody plays with our SPI. */
static bool agree_in(uint64_t kernel, uint64_t engine, uint64_t joined)
{
    uint64_t least = engine - (joined < engine ? joined : engine);

    return kernel > 0 && engine > 0 && least <= kernel + slack(kernel);
}

static void count_text(struct evidence *e, const struct kernel_counts *k, uint64_t kernel,
                       uint64_t engine)
{
    if (k->known)
        (void)snprintf(e->value, sizeof(e->value), "kernel %llu, engine %llu",
                       (unsigned long long)kernel, (unsigned long long)engine);
    else
        (void)snprintf(e->value, sizeof(e->value), "no observer");
}

static struct evidence no_clear(const struct kernel_counts *k)
{
    struct evidence e = {
        .code = rows[PROOF_NO_CLEAR].code,
        .sentence = rows[PROOF_NO_CLEAR].sentence,
        .observer = rows[PROOF_NO_CLEAR].observer,
        .ok = k->known && k->clear == 0,
    };

    if (k->known)
        (void)snprintf(e.value, sizeof(e.value), "%llu", (unsigned long long)k->clear);
    else
        (void)snprintf(e.value, sizeof(e.value), "no observer");
    return e;
}

static struct evidence esp_out(const struct proof_claims *c, const struct kernel_counts *before,
                               const struct kernel_counts *after)
{
    struct evidence e = {
        .code = rows[PROOF_ESP_OUT].code,
        .sentence = rows[PROOF_ESP_OUT].sentence,
        .observer = rows[PROOF_ESP_OUT].observer,
        .ok = before->known && after->known &&
              agree_out(before->esp_out, after->esp_out, c->out, c->joined_out),
    };

    count_text(&e, after, after->esp_out, c->out);
    return e;
}

static struct evidence esp_in(const struct proof_claims *c, const struct kernel_counts *after)
{
    struct evidence e = {
        .code = rows[PROOF_ESP_IN].code,
        .sentence = rows[PROOF_ESP_IN].sentence,
        .observer = rows[PROOF_ESP_IN].observer,
        .ok = after->known && agree_in(after->esp_in, c->in, c->joined_in),
    };

    count_text(&e, after, after->esp_in, c->in);
    return e;
}

static struct evidence encrypted(const struct dial_facts *f)
{
    struct evidence e = {
        .code = rows[PROOF_ENCRYPTED].code,
        .sentence = rows[PROOF_ENCRYPTED].sentence,
        .observer = rows[PROOF_ENCRYPTED].observer,
        .ok = f->has_sa && f->esp_suite.cipher != CIPHER_NONE && f->esp_out.packets > 0,
    };
    char cipher[24];

    if (f->has_sa)
        (void)snprintf(e.value, sizeof(e.value), "%s, %s",
                       suite_cipher_text(f->esp_suite.cipher, f->esp_suite.key_bits, cipher),
                       esp_integ_name(&f->esp_suite));
    return e;
}

static struct evidence authenticated(const struct dial_facts *f)
{
    struct evidence e = {
        .code = rows[PROOF_AUTHENTICATED].code,
        .sentence = rows[PROOF_AUTHENTICATED].sentence,
        .observer = rows[PROOF_AUTHENTICATED].observer,
        .ok = f->ike && f->was_authenticated,
    };

    if (f->ike && f->ike->auth != IKE_AUTH_PSK)
        e.sentence = by_certificate;
    if (e.ok)
        (void)snprintf(e.value, sizeof(e.value), "%.90s", f->ike->peer_id);
    return e;
}

static struct evidence tunnel(const struct dial_facts *f)
{
    struct evidence e = {
        .code = rows[PROOF_TUNNEL].code,
        .sentence = rows[PROOF_TUNNEL].sentence,
        .observer = rows[PROOF_TUNNEL].observer,
        .ok = f->l2tp && f->was_call_up && f->esp_in.packets > 0,
    };

    if (e.ok)
        (void)snprintf(e.value, sizeof(e.value), "tunnel %u/%u, session %u/%u", f->l2tp->tunnel_id,
                       f->l2tp->peer_tunnel_id, f->l2tp->session_id, f->l2tp->peer_session_id);
    return e;
}

struct proof_claims proof_claims_of(const struct dial_facts *f)
{
    return (struct proof_claims){
        .out = f->esp_out.packets,
        .joined_out = f->data.joined_out,
        .in = f->esp_in.packets + f->esp_in.replayed + f->esp_in.bad_icv + f->esp_in.malformed,
        .joined_in = f->data.joined_in,
    };
}

unsigned proof_judge_kernel(const struct proof_claims *engine, const struct kernel_counts *before,
                            const struct kernel_counts *after, struct evidence out[EVIDENCE_MAX])
{
    out[PROOF_NO_CLEAR] = no_clear(after);
    out[PROOF_ESP_OUT] = esp_out(engine, before, after);
    out[PROOF_ESP_IN] = esp_in(engine, after);
    return PROOF_KERNEL_ITEMS;
}

unsigned proof_judge(const struct dial_facts *f, const struct kernel_counts *kernel,
                     struct evidence out[EVIDENCE_MAX], bool *out_verdict)
{
    const struct proof_claims claims = proof_claims_of(f);
    unsigned n = proof_judge_kernel(&claims, kernel, kernel, out);

    out[n++] = encrypted(f);
    out[n++] = authenticated(f);
    out[n++] = tunnel(f);
    *out_verdict = true;
    for (unsigned i = 0; i < n; i++)
        *out_verdict = *out_verdict && out[i].ok;
    return n;
}

void proof_words(unsigned i, bool certificate, struct evidence *out)
{
    out->code = rows[i].code;
    out->sentence = i == PROOF_AUTHENTICATED && certificate ? by_certificate : rows[i].sentence;
    out->observer = rows[i].observer;
}

unsigned proof_items(void)
{
    return PROOF_ITEMS;
}

unsigned proof_kernel_items(void)
{
    return PROOF_KERNEL_ITEMS;
}
