/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tunnel authentication (RFC 2661 5.1.1) and hidden AVPs through the engine. */
#include "check.h"
#include "l2tp/message.h"
#include "rig.h"

#include <stdio.h>
#include <string.h>

#define SECRET "tunnel secret"
/* MD5(03, "tunnel secret", "challenge of the server"), computed with Python's hashlib. */
#define SERVER_CHALLENGE "801d 0000 000b 6368616c6c656e6765206f662074686520736572766572"
#define OUR_RESPONSE "b64f3f9f2cedef0658ed3f34449633b1"

static void start(struct rig *rig, const char *secret, bool hide, struct message *sccrq)
{
    static uint8_t buf[L2TP_MESSAGE_MAX];
    struct message_header h;
    struct avp_key key;
    size_t n;

    rig_init(rig);
    if (secret) {
        rig->config.has_secret = secret_set(&rig->config.secret, span_str(secret));
        rig->config.hide_avps = hide;
    }
    rig_start(rig, 0);
    rig->nr = 1;
    (void)rig_pop(rig, buf, sizeof(buf), &n);
    key = (struct avp_key){rig->crypto, span_str(secret), SPAN_NONE};
    if (message_read_header(span_of(buf, n), &h))
        message_parse(h.avps, &key, sccrq);
}

/* An SCCRP with the right answer to the challenge, one bit of it changed on demand. */
static void answer(struct rig *rig, const struct message *sccrq, bool wrong, const char *more,
                   char *out, size_t cap)
{
    static const uint8_t type = 2;
    const struct span parts[] = {span_of(&type, 1), span_str(SECRET), sccrq->value[AVP_CHALLENGE]};
    uint8_t md5[16];
    int n = snprintf(out, cap, "%s %s 8016 0000 000d ", AVPS_SCCRP, more);

    if (!hash_parts(rig->crypto, HASH_MD5, parts, ARRAY_LEN(parts), md5))
        n = 0;
    md5[15] ^= wrong;
    for (unsigned i = 0; i < sizeof(md5); i++)
        n += snprintf(out + n, cap - (size_t)n, "%02x", md5[i]);
}

TEST(l2tp_auth_both_ways)
{
    char sccrp[512];
    uint8_t buf[256];
    size_t n;
    struct rig rig;
    struct l2tp_event e;
    struct message sccrq;

    start(&rig, SECRET, false, &sccrq);
    CHECK(message_has(&sccrq, AVP_CHALLENGE));
    CHECK_INT(sccrq.value[AVP_CHALLENGE].n, 16);
    answer(&rig, &sccrq, false, SERVER_CHALLENGE, sccrp, sizeof(sccrp));
    CHECK_INT(rig_send(&rig, 0, sccrp, 0), VERDICT_OK);
    CHECK_INT(rig_event(&rig, &e), L2TP_EVENT_TUNNEL_UP);
    CHECK_INT(rig_pop(&rig, buf, sizeof(buf), &n), 3);
    CHECK_HEX(buf + 20, n - 20, "8016 0000 000d " OUR_RESPONSE);
    rig_free(&rig);
}

TEST(l2tp_auth_wrong_or_missing_response)
{
    char sccrp[512];
    struct rig rig;
    struct l2tp_event e;
    struct message sccrq;

    for (unsigned missing = 0; missing < 2; missing++) {
        start(&rig, SECRET, false, &sccrq);
        answer(&rig, &sccrq, true, "", sccrp, sizeof(sccrp));
        CHECK_INT(rig_send(&rig, 0, missing ? AVPS_SCCRP : sccrp, 0), VERDICT_FATAL);
        CHECK_INT(rig_event(&rig, &e), L2TP_EVENT_FAILED);
        CHECK_INT(e.failure.id, FAILURE_L2TP_AUTH_PEER);
        CHECK_INT(rig_pop_type(&rig), 4);
        rig_free(&rig);
    }
}

TEST(l2tp_auth_server_wants_a_secret_that_we_do_not_have)
{
    struct rig rig;
    struct l2tp_event e;
    struct message sccrq;

    start(&rig, NULL, false, &sccrq);
    CHECK(!message_has(&sccrq, AVP_CHALLENGE));
    CHECK_INT(rig_send(&rig, 0, AVPS_SCCRP SERVER_CHALLENGE, 0), VERDICT_FATAL);
    CHECK_INT(rig_event(&rig, &e), L2TP_EVENT_FAILED);
    CHECK_INT(e.failure.id, FAILURE_L2TP_AUTH);
    CHECK_INT(rig_pop_type(&rig), 4);
    rig_free(&rig);
}

TEST(l2tp_auth_without_a_secret_nothing_is_hidden)
{
    struct rig rig;
    struct message sccrq;

    start(&rig, NULL, true, &sccrq);
    CHECK(!message_has(&sccrq, AVP_RANDOM_VECTOR) && message_has(&sccrq, AVP_ASSIGNED_TUNNEL_ID));
    CHECK_INT(message_u16(&sccrq, AVP_PROTOCOL_VERSION), 0x0100);
    CHECK_INT(message_u16(&sccrq, AVP_RECEIVE_WINDOW_SIZE), L2TP_WINDOW);
    CHECK_INT(message_u32(&sccrq, AVP_FRAMING_CAPABILITIES), 3);
    CHECK_MEM(sccrq.value[AVP_HOST_NAME].p, sccrq.value[AVP_HOST_NAME].n, "pc", 2);
    rig_free(&rig);
}

TEST(l2tp_auth_hidden_both_ways)
{
    struct rig rig;
    struct message sccrq;
    char sccrp[1024];
    uint8_t hidden[64];
    struct span h;
    static const uint8_t rv[] = {9, 9, 9, 9};
    static const uint8_t id[] = {0x77, 0x66};
    struct avp_key key;
    int n;

    start(&rig, SECRET, true, &sccrq);
    CHECK_INT(sccrq.fault, FAULT_NONE);
    CHECK(message_has(&sccrq, AVP_RANDOM_VECTOR));
    CHECK(sccrq.n_clear > 0);
    CHECK_INT(message_u16(&sccrq, AVP_ASSIGNED_TUNNEL_ID), RIG_TUNNEL);
    /* The server hides its tunnel ID; the clear one of AVPS_SCCRP is left out. */
    key = (struct avp_key){rig.crypto, span_str(SECRET), SPAN_ARRAY(rv)};
    CHECK(avp_hide(&key, 9, SPAN_ARRAY(id), 5, (struct mspan){hidden, sizeof(hidden)}, &h));
    answer(&rig, &sccrq, false, "", sccrp, sizeof(sccrp));
    n = (int)strlen(sccrp);
    {
        char all[2048];
        int m = snprintf(all, sizeof(all), "8008000000000002 800a00000024 09090909 %04zx00000009",
                         0xc006 + h.n);

        for (size_t i = 0; i < h.n; i++)
            m += snprintf(all + m, sizeof(all) - (size_t)m, "%02x", h.p[i]);
        (void)snprintf(all + m, sizeof(all) - (size_t)m,
                       "8008000000020100 800a0000000300000003 800800000007766d %s",
                       strstr(sccrp, "8016 0000 000d"));
        CHECK(n > 0);
        CHECK_INT(rig_send(&rig, 0, all, 0), VERDICT_OK);
    }
    CHECK_INT(l2tp_facts(rig.l)->peer_tunnel_id, 0x7766);
    rig_free(&rig);
}
