/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct crypto *shared_crypto;

__attribute__((destructor)) static void free_crypto(void)
{
    crypto_free(shared_crypto);
}

static bool rig_rand(void *ctx, uint8_t *out, size_t n)
{
    struct rig *r = ctx;

    for (size_t i = 0; i < n; i++) {
        r->seed = r->seed * 6364136223846793005u + 1442695040888963407u;
        out[i] = r->at_script < r->n_script ? r->script[r->at_script++] : (uint8_t)(r->seed >> 33);
    }
    return !r->rand_fails;
}

struct ppp_config rig_config(void)
{
    struct ppp_config c = {
        .auth = PPP_AUTH_PAP | PPP_AUTH_CHAP_MD5 | PPP_AUTH_MSCHAPV2,
        .want_dns = true,
    };

    strcpy(c.user, "alice");
    return c;
}

void rig_init(struct rig *r, const struct ppp_config *config)
{
    struct ppp_config c = *config;

    memset(r, 0, sizeof(*r));
    if (!shared_crypto) /* a context of OpenSSL takes milliseconds to make */
        shared_crypto = crypto_new();
    r->crypto = shared_crypto;
    r->env = (struct env){.ctx = r, .rand = rig_rand};
    r->seed = 1;
    r->n_script = check_hex(r->script, sizeof(r->script), "44332211");
    r->now = US_S(100);
    c.env = &r->env;
    c.crypto = r->crypto;
    r->ppp = ppp_new(&c);
    if (!r->crypto || !r->ppp)
        abort();
}

void rig_free(struct rig *r)
{
    ppp_free(r->ppp);
}

enum verdict rig_in(struct rig *r, const char *hex)
{
    uint8_t bytes[4096];
    size_t n = check_hex(bytes, sizeof(bytes), hex);
    uint8_t *exact = malloc(n ? n : 1); /* so that a sanitizer sees one byte too many */
    enum verdict v;

    memcpy(exact, bytes, n);
    v = ppp_input(r->ppp, span_of(exact, n), r->now);
    free(exact);
    return v;
}

const char *rig_out(struct rig *r)
{
    struct msg m;

    r->text[0] = '\0';
    if (!ppp_pop_out(r->ppp, &m))
        return r->text;
    if (m.n < 4 || m.bytes[0] != 0xff || m.bytes[1] != 0x03)
        strcpy(r->text, "no FF03");
    else
        text_hex(r->text, sizeof(r->text), span_of(m.bytes + 2, m.n - 2));
    msg_done(&m);
    return r->text;
}

int rig_event(struct rig *r)
{
    return ppp_pop_event(r->ppp, &r->event) ? (int)r->event.type : -1;
}

void rig_password(struct rig *r, const char *password)
{
    ppp_answer_password(r->ppp, r->event.need, span_str(password), r->now);
}

void rig_until(struct rig *r, l2tpc_us to)
{
    while (ppp_deadline(r->ppp) <= to) {
        r->now = us_max(r->now, ppp_deadline(r->ppp));
        ppp_timer(r->ppp, r->now);
    }
    r->now = to;
}

bool rig_lcp_up(struct rig *r, const char *auth_option)
{
    char hex[256];

    ppp_start(r->ppp, r->now);
    if (strcmp(rig_out(r), "c0210101000e01040578050611223344") != 0)
        return false;
    (void)snprintf(hex, sizeof(hex), "c0210105%04zx%s", 4 + strlen(auth_option) / 2, auth_option);
    if (rig_in(r, "c0210201000e01040578050611223344") != VERDICT_OK ||
        rig_in(r, hex) != VERDICT_OK || rig_event(r) != PPP_EVENT_LCP_UP)
        return false;
    while (*rig_out(r))
        ;
    return true;
}

bool rig_up(struct rig *r)
{
    if (!rig_lcp_up(r, "0304c023") || rig_event(r) != PPP_EVENT_NEED_PASSWORD)
        return false;
    rig_password(r, "secret");
    (void)rig_out(r);
    if (rig_in(r, "c02302010005 00") != VERDICT_OK || rig_event(r) != PPP_EVENT_AUTHENTICATED)
        return false;
    (void)rig_out(r);
    (void)rig_in(r, "8021 0301 0016 03060a000002 81060a000001 83060a000001");
    (void)rig_in(r, "8021 0202 0016 03060a000002 81060a000001 83060a000001");
    (void)rig_in(r, "8021 0107 000a 03060a000001");
    while (*rig_out(r))
        ;
    return rig_event(r) == PPP_EVENT_IP_UP;
}
