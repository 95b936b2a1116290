/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of a tunnel protects less than it could, and what to ask the server's administrator for. */
#include "api/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_(s) s

enum advice {
    ADVICE_IKE_GROUP,
    ADVICE_IKE_CIPHER,
    ADVICE_IKE_HASH,
    ADVICE_ESP_CIPHER,
    ADVICE_ESP_HASH,
    ADVICE_AGGRESSIVE,
    ADVICE_PAP,
    ADVICE_CHAP,
    ADVICE_PSK,
    ADVICES,
};

static const char *const sentences[ADVICES] = {
    [ADVICE_IKE_GROUP] =
        N_("The key exchange uses a group that is too small today. Ask for group 14 "
           "(MODP2048) or a larger one."),
    [ADVICE_IKE_CIPHER] =
        N_("The key exchange is encrypted with 3DES or worse. Ask for AES with 256 bits."),
    [ADVICE_IKE_HASH] = N_("The key exchange is protected by SHA-1 or MD5. Ask for SHA-256."),
    [ADVICE_ESP_CIPHER] = N_("The packets are encrypted with 3DES or worse. Ask for AES."),
    [ADVICE_ESP_HASH] = N_("The packets are protected by MD5. Ask for SHA-256."),
    [ADVICE_AGGRESSIVE] = N_("Aggressive mode lets anybody on the way try pre-shared keys offline. "
                             "Ask for main mode."),
    [ADVICE_PAP] = N_("The password went to the server as it is, protected by IPsec alone. Ask for "
                      "MS-CHAPv2."),
    [ADVICE_CHAP] =
        N_("The login with CHAP-MD5 does not prove who the server is. Ask for MS-CHAPv2."),
    [ADVICE_PSK] =
        N_("The pre-shared key can be guessed. Ask for a long random one, or for certificates."),
};

static void add(char *text, size_t size, bool is_so, enum advice a)
{
    size_t at = strlen(text);

    if (is_so)
        (void)snprintf(text + at, size - at, "%s\n", sentences[a]);
}

static bool is_weak(enum cipher_id id)
{
    return id != CIPHER_AES_CBC && id != CIPHER_AES_GCM;
}

static bool is_small(enum dh_group group)
{
    return group == DH_MODP768 || group == DH_MODP1024 || group == DH_MODP1536;
}

void status_fill_advice(l2tpc_status *st, const struct dial_facts *f)
{
    const struct ike_facts *i = f->ike;
    char text[ADVICES * 128] = "";

    if (i && i->suite.cipher != CIPHER_NONE) {
        add(text, sizeof(text), is_small(i->suite.group), ADVICE_IKE_GROUP);
        add(text, sizeof(text), is_weak(i->suite.cipher), ADVICE_IKE_CIPHER);
        add(text, sizeof(text), i->suite.hash == HASH_MD5 || i->suite.hash == HASH_SHA1,
            ADVICE_IKE_HASH);
        add(text, sizeof(text), i->aggressive, ADVICE_AGGRESSIVE);
    }
    if (f->has_sa) {
        add(text, sizeof(text), is_weak(f->esp_suite.cipher), ADVICE_ESP_CIPHER);
        add(text, sizeof(text), f->esp_suite.integ == HASH_MD5, ADVICE_ESP_HASH);
    }
    if (f->ppp) {
        add(text, sizeof(text), f->ppp->auth == PPP_AUTH_PAP, ADVICE_PAP);
        add(text, sizeof(text), f->ppp->auth == PPP_AUTH_CHAP_MD5, ADVICE_CHAP);
    }
    status_set_text(st, STATUS_advice_notes, text);
}

void status_advise_psk(l2tpc_status *st)
{
    struct status_value *notes = &st->value[STATUS_advice_notes];
    const char *psk = st->value[STATUS_ike_psk_strength].text;
    char text[(ADVICES + 1) * 128];

    if (!psk || !strstr(psk, "weak"))
        return;
    if (notes->text && strstr(notes->text, sentences[ADVICE_PSK]))
        return; /* a last status is filled again when the dial has failed */
    (void)snprintf(text, sizeof(text), "%s", notes->text ? notes->text : "");
    add(text, sizeof(text), true, ADVICE_PSK);
    free(notes->text);
    status_set_text(st, STATUS_advice_notes, text);
}
