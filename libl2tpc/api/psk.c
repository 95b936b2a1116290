/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How good the pre-shared key is, and where secrets lie. */
#include "api/sized.h"
#include "api/status.h"
#include "base/psk_meter.h"
#include "base/secret.h"
#include "base/text.h"
#include "io/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_(s) s

static const struct {
    unsigned below; /* bits */
    const char *code, *sentence, *hint;
} verdicts[] = {
    [L2TPC_PSK_GOOD] = {0, "good", N_("The pre-shared key is hard to guess (about {value} bits)."),
                        ""},
    [L2TPC_PSK_WEAK] = {PSK_BITS_WEAK, "weak",
                        N_("The pre-shared key can be guessed with effort (about {value} bits)."),
                        N_("Ask for a longer one: l2tpc psk generate makes a good key.")},
    [L2TPC_PSK_VERY_WEAK] =
        {PSK_BITS_BAD, "very-weak",
         N_("The pre-shared key is easy to guess (about {value} bits): whoever poses as the server "
            "once has it within minutes."),
         N_("Have it changed on the server: l2tpc psk generate makes a good key.")},
};

static int verdict_of(unsigned bits)
{
    return bits < PSK_BITS_BAD    ? L2TPC_PSK_VERY_WEAK
           : bits < PSK_BITS_WEAK ? L2TPC_PSK_WEAK
                                  : L2TPC_PSK_GOOD;
}

int l2tpc_psk_estimate(const void *psk, size_t psk_len, l2tpc_psk_strength *out)
{
    l2tpc_psk_strength told = {.size = sizeof(told)};
    struct psk_strength s;

    if (!sized_ok(out) || (psk_len > 0 && !psk) || psk_len > SECRET_MAX)
        return L2TPC_EINVAL;
    s = psk_measure(span_of(psk, psk_len));
    told.bits = s.bits;
    told.verdict = verdict_of(s.bits);
    told.code = verdicts[told.verdict].code;
    told.sentence = verdicts[told.verdict].sentence;
    told.hint = verdicts[told.verdict].hint;
    told.length = (unsigned)psk_len;
    told.classes = s.classes;
    told.old_rules = s.old_rules;
    told.odd_ends = s.odd_ends;
    sized_write(out, &told, sizeof(told));
    return L2TPC_OK;
}

int l2tpc_psk_generate(char **out)
{
    struct env env = io_env_make(NULL, NULL);
    uint8_t random[64];
    char *key;
    bool ok;

    if (!out)
        return L2TPC_EINVAL;
    key = calloc(1, PSK_GENERATED_LEN + 1);
    if (!key)
        return L2TPC_ENOMEM;
    do /* one in some dozens reads like words in places, by chance */
        ok = env_rand(&env, random, sizeof(random)) && psk_generate(SPAN_ARRAY(random), key);
    while (ok && psk_measure(span_str(key)).bits < PSK_BITS_GENERATED);
    wipe(random, sizeof(random));
    if (!ok) {
        wipe_free(key, PSK_GENERATED_LEN + 1);
        return L2TPC_ENOMEM;
    }
    *out = key;
    return L2TPC_OK;
}

int l2tpc_config_set_secret_origin(l2tpc_config *c, const l2tpc_secret_origin *origin)
{
    struct secret_origin *to;
    l2tpc_secret_origin o;

    if (!c || !origin || !sized_read(&o, sizeof(o), origin) || o.kind < 0 ||
        o.kind >= SECRET_KINDS || o.store < L2TPC_STORE_UNKNOWN || o.store > L2TPC_STORE_NONE ||
        (o.store == L2TPC_STORE_FILE && (!o.path || !o.path[0])))
        return L2TPC_EINVAL;
    to = &c->origin[o.kind];
    *to = (struct secret_origin){.store = o.store, .mode = o.mode & 07777};
    if (o.store == L2TPC_STORE_FILE) { /* a path may be any bytes, the status is UTF-8 */
        text_escape(to->path, sizeof(to->path), span_str(o.path));
        text_escape(to->owner, sizeof(to->owner), span_str(o.owner));
    }
    return L2TPC_OK;
}

/* ---- the status ---- */

void session_measure_psk(l2tpc_session *s, struct span psk)
{
    s->psk_bits = psk_measure(psk).bits;
    s->psk_measured = true;
}

static void fill_origin(l2tpc_status *st, const l2tpc_session *s, int kind, bool given,
                        enum status_id origin, enum status_id place, enum status_id readers)
{
    const struct secret_origin *o = &s->config.origin[kind];
    char text[400];

    if (!given && !s->asked[kind])
        return;
    /* What was typed is kept for the dial that brings a lost tunnel back, and was typed all the
     * same. */
    given = given && !s->asked[kind];
    status_set_text(st, origin,
                    !given                         ? "asked"
                    : o->store == L2TPC_STORE_FILE ? "file"
                    : o->store == L2TPC_STORE_NONE ? "not-stored"
                                                   : "program");
    if (!given || o->store != L2TPC_STORE_FILE)
        return;
    (void)snprintf(text, sizeof(text), "%s (%s, %04o)", o->path, o->owner, o->mode);
    status_set_text(st, place, text);
    status_set_text(st, readers, o->mode & 0004 ? "everyone" : o->mode & 0040 ? "group" : "owner");
}

void status_fill_secrets(l2tpc_status *st, const l2tpc_session *s)
{
    const l2tpc_config *c = &s->config;
    char bits[16];

    if (s->psk_measured) {
        (void)snprintf(bits, sizeof(bits), "%u", s->psk_bits);
        status_set_text(st, STATUS_ike_psk_bits, bits);
        st->value[STATUS_ike_psk_bits].number = s->psk_bits;
        status_set_text(st, STATUS_ike_psk_strength, verdicts[verdict_of(s->psk_bits)].code);
    }
    fill_origin(st, s, L2TPC_SECRET_PSK, c->has_psk, STATUS_secrets_psk_origin,
                STATUS_secrets_psk_place, STATUS_secrets_psk_readers);
    fill_origin(st, s, L2TPC_SECRET_PASSWORD, c->has_password, STATUS_secrets_password_origin,
                STATUS_secrets_password_place, STATUS_secrets_password_readers);
    status_set_text(st, STATUS_secrets_memory, vault_state(s));
    if (token_is_used(c)) {
        status_set_text(st, STATUS_secrets_key_origin, "token");
        status_set_text(st, STATUS_secrets_key_place, token_uri(c));
        return;
    }
    /* Its signer may have it alone. */
    fill_origin(st, s, L2TPC_SECRET_KEY,
                c->certificate.n > 0 || c->origin[L2TPC_SECRET_KEY].store == L2TPC_STORE_FILE,
                STATUS_secrets_key_origin, STATUS_secrets_key_place, STATUS_secrets_key_readers);
}
