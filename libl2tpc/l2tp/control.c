/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control connection: RFC 2661 section 7.2.1, originator's side. */
#include "l2tp/engine.h"

#include <stdio.h>
#include <string.h>

#define FIRMWARE_REVISION 1
#define FRAMING_SYNC_ASYNC 3
#define PROTOCOL_VERSION_1 0x0100
#define MD5_LEN 16

enum control_action {
    CONTROL_IGNORE, /* acknowledged, nothing else */
    CONTROL_OPEN,   /* SCCRP: check it, send SCCCN */
    CONTROL_CLEAR,  /* "send StopCCN, clean up" */
    CONTROL_STOP,   /* the peer's StopCCN */
    CONTROL_CALL,   /* about a call: its own table decides */
    CONTROL_LATE,   /* SCCRP while closing: now StopCCN can be addressed */
};

/*
 * Every state and message of 7.2.1; what is not named is ignored. An SCCRQ of the server is ignored
 * too: it has no business here, and a tunnel of ours that works is not lost over it.
 */
static const enum control_action table[CONTROL_STATES][MESSAGE_TYPES] = {
    [CONTROL_SCCRQ_SENT] =
        {[SCCRP] = CONTROL_OPEN, [SCCCN] = CONTROL_CLEAR, [STOPCCN] = CONTROL_STOP},
    [CONTROL_ESTABLISHED] = {[SCCRP] = CONTROL_CLEAR,
                             [SCCCN] = CONTROL_CLEAR,
                             [STOPCCN] = CONTROL_STOP,
                             [OCRQ] = CONTROL_CALL,
                             [OCRP] = CONTROL_CALL,
                             [OCCN] = CONTROL_CALL,
                             [ICRQ] = CONTROL_CALL,
                             [ICRP] = CONTROL_CALL,
                             [ICCN] = CONTROL_CALL,
                             [CDN] = CONTROL_CALL,
                             [WEN] = CONTROL_CALL,
                             [SLI] = CONTROL_CALL},
    [CONTROL_STOPCCN_SENT] = {[SCCRP] = CONTROL_LATE, [STOPCCN] = CONTROL_STOP},
};

bool send_SCCRQ(struct l2tp *l)
{
    struct l2tp_draft d;

    l2tp_draft(l, &d, SCCRQ, 0);
    avp_put_u16(&d.avps, AVP_PROTOCOL_VERSION, PROTOCOL_VERSION_1);
    avp_put(&d.avps, AVP_HOST_NAME, span_str(l->config.host_name));
    avp_put_u32(&d.avps, AVP_FRAMING_CAPABILITIES, FRAMING_SYNC_ASYNC);
    avp_put_u16(&d.avps, AVP_ASSIGNED_TUNNEL_ID, l->facts.tunnel_id);
    avp_put_u32(&d.avps, AVP_BEARER_CAPABILITIES, 0);
    avp_put_u16(&d.avps, AVP_RECEIVE_WINDOW_SIZE, L2TP_WINDOW);
    avp_put_u16(&d.avps, AVP_FIRMWARE_REVISION, FIRMWARE_REVISION);
    avp_put(&d.avps, AVP_VENDOR_NAME, span_str("l2tpc"));
    if (l->config.has_secret)
        avp_put(&d.avps, AVP_CHALLENGE, SPAN_ARRAY(l->challenge));
    return l2tp_queue(l, &d);
}

bool send_HELLO(struct l2tp *l)
{
    struct l2tp_draft d;

    l2tp_draft(l, &d, HELLO, 0);
    return l2tp_queue(l, &d);
}

bool send_StopCCN(struct l2tp *l, uint16_t code, uint16_t error)
{
    const uint8_t result[] = {(uint8_t)(code >> 8), (uint8_t)code, (uint8_t)(error >> 8),
                              (uint8_t)error};
    struct l2tp_draft d;

    l2tp_draft(l, &d, STOPCCN, 0);
    avp_put_u16(&d.avps, AVP_ASSIGNED_TUNNEL_ID, l->facts.tunnel_id);
    avp_put(&d.avps, AVP_RESULT_CODE, SPAN_ARRAY(result));
    return l2tp_queue(l, &d);
}

/* RFC 2661 5.1.1 with RFC 1994: MD5(message type of the answer + secret + challenge). */
static bool challenge_response(const struct l2tp *l, uint8_t type, struct span challenge,
                               uint8_t out[MD5_LEN])
{
    const struct span parts[] = {span_of(&type, 1), secret_span(&l->config.secret), challenge};

    return hash_parts(l->config.crypto, HASH_MD5, parts, ARRAY_LEN(parts), out);
}

static bool send_SCCCN(struct l2tp *l, const struct message *sccrp)
{
    uint8_t response[MD5_LEN];
    struct l2tp_draft d;

    l2tp_draft(l, &d, SCCCN, 0);
    if (message_has(sccrp, AVP_CHALLENGE)) {
        if (challenge_response(l, SCCCN, sccrp->value[AVP_CHALLENGE], response))
            avp_put(&d.avps, AVP_CHALLENGE_RESPONSE, SPAN_ARRAY(response));
        else
            d.avps.w.failed = true;
    }
    return l2tp_queue(l, &d);
}

static void refuse(struct l2tp *l, const struct failure *f, uint16_t code, uint16_t error,
                   l2tpc_us now)
{
    l2tp_fail(l, L2TP_EVENT_FAILED, f, code, error, now);
}

/* What makes an SCCRP acceptable (6.2); NULL when it is. */
static const char *fault_of_SCCRP(const struct message *m)
{
    static const enum avp_id required[] = {AVP_PROTOCOL_VERSION, AVP_FRAMING_CAPABILITIES,
                                           AVP_HOST_NAME, AVP_ASSIGNED_TUNNEL_ID};
    static const char *const missing[] = {"no Protocol Version", "no Framing Capabilities",
                                          "no Host Name", "no Assigned Tunnel ID"};

    for (size_t i = 0; i < ARRAY_LEN(required); i++)
        if (!message_has(m, required[i]))
            return missing[i];
    return message_u16(m, AVP_ASSIGNED_TUNNEL_ID) == 0 ? "Assigned Tunnel ID 0" : NULL;
}

/* False: the tunnel has been refused. */
static bool authenticate(struct l2tp *l, const struct message *m, l2tpc_us now)
{
    uint8_t want[MD5_LEN];
    struct failure f;
    bool ok;

    if (message_has(m, AVP_CHALLENGE) && !l->config.has_secret) {
        f = failure_make(FAILURE_L2TP_AUTH);
        failure_set_peer_text(&f, span_str("the server asks for a tunnel secret"));
        refuse(l, &f, STOPCCN_NOT_AUTHORIZED, ERROR_NONE, now);
        return false;
    }
    if (!l->config.has_secret)
        return true;
    if (!challenge_response(l, SCCRP, SPAN_ARRAY(l->challenge), want)) {
        f = failure_make(FAILURE_LOCAL_CRYPTO);
        f.stage = STAGE_L2TP_TUNNEL;
        failure_set_value(&f, span_str("MD5"));
        refuse(l, &f, STOPCCN_GENERAL_ERROR, ERROR_RESOURCES, now);
        return false;
    }
    ok = message_has(m, AVP_CHALLENGE_RESPONSE) &&
         equal_ct(want, m->value[AVP_CHALLENGE_RESPONSE].p, MD5_LEN);
    if (!ok) {
        f = failure_make(FAILURE_L2TP_AUTH_PEER);
        refuse(l, &f, STOPCCN_NOT_AUTHORIZED, ERROR_NONE, now);
    }
    return ok;
}

static void note_peer(struct l2tp *l, const struct message *m)
{
    struct l2tp_facts *facts = &l->facts;

    facts->peer_tunnel_id = message_u16(m, AVP_ASSIGNED_TUNNEL_ID);
    facts->peer_firmware = message_u16(m, AVP_FIRMWARE_REVISION);
    facts->peer_window = message_has(m, AVP_RECEIVE_WINDOW_SIZE)
                             ? message_u16(m, AVP_RECEIVE_WINDOW_SIZE)
                             : RELIABLE_WINDOW_UNSAID;
    text_escape(facts->peer_hostname, sizeof(facts->peer_hostname), m->value[AVP_HOST_NAME]);
    if (message_has(m, AVP_VENDOR_NAME))
        text_escape(facts->peer_vendor, sizeof(facts->peer_vendor), m->value[AVP_VENDOR_NAME]);
}

static void recv_SCCRP(struct l2tp *l, const struct message *m, l2tpc_us now)
{
    const char *fault = fault_of_SCCRP(m);
    bool repeated = l->reliable.sends[SCCRQ] > 1;
    struct failure f;

    /* Known before anything is refused, so that our StopCCN finds its tunnel. */
    l->facts.peer_tunnel_id = message_u16(m, AVP_ASSIGNED_TUNNEL_ID);
    if (fault) {
        f = l2tp_protocol_failure(SCCRP, fault);
        refuse(l, &f, STOPCCN_GENERAL_ERROR, ERROR_VALUE, now);
        return;
    }
    if (message_u16(m, AVP_PROTOCOL_VERSION) >> 8 != PROTOCOL_VERSION_1 >> 8) {
        f = l2tp_protocol_failure(SCCRP, "protocol version is not 1");
        refuse(l, &f, STOPCCN_VERSION, PROTOCOL_VERSION_1, now);
        return;
    }
    if (!authenticate(l, m, now))
        return;
    if (!send_SCCCN(l, m)) {
        f = failure_make(FAILURE_LOCAL_MEMORY);
        f.stage = STAGE_L2TP_TUNNEL;
        refuse(l, &f, STOPCCN_GENERAL_ERROR, ERROR_RESOURCES, now);
        return;
    }
    note_peer(l, m);
    reliable_set_window(&l->reliable, l->facts.peer_window);
    l2tp_emit(l, L2TP_EVENT_TUNNEL_UP, false, NULL);
    l->facts.tunnel_up = true;
    l->control = CONTROL_ESTABLISHED;
    /* One flight with SCCCN where nothing speaks against it; else behind its acknowledgement. */
    if (l->reliable.window >= 2 && !repeated)
        call_open(l, now);
}

/* The peer answered our SCCRQ after we had given it up: tell it so, now that we can. */
static void recv_late_SCCRP(struct l2tp *l, const struct message *m, l2tpc_us now)
{
    if (l->facts.peer_tunnel_id != 0)
        return;
    l->facts.peer_tunnel_id = message_u16(m, AVP_ASSIGNED_TUNNEL_ID);
    reliable_repeat(&l->reliable, now);
}

static void recv_StopCCN(struct l2tp *l, const struct message *m)
{
    bool closing = l->control == CONTROL_STOPCCN_SENT;
    bool established = l->call == CALL_ESTABLISHED || l->call == CALL_DOWN;
    struct failure f = result_failure(m, established);

    if (l->facts.peer_tunnel_id == 0)
        l->facts.peer_tunnel_id = message_u16(m, AVP_ASSIGNED_TUNNEL_ID);
    if (closing)
        l2tp_emit(l, L2TP_EVENT_CLOSED, false, NULL);
    else if (established)
        l2tp_emit(l, L2TP_EVENT_CLOSED, true, &f);
    else
        l2tp_emit(l, L2TP_EVENT_FAILED, true, &f);
    /* CLOSED, not FAILED: the StopCCN and its repetitions are still acknowledged (7.2.1). */
    reliable_clear(&l->reliable);
    l->facts.tunnel_up = l->facts.call_up = false;
    l->close_due = US_NEVER;
    l->control = CONTROL_CLOSED;
}

/* Messages that cannot be read as they must be: rows H52 to H55. True: dealt with. */
static bool recv_fault(struct l2tp *l, const struct message_header *h, const struct message *m,
                       l2tpc_us now)
{
    char what[64];
    struct failure f;
    bool ours = h->session_id == l->facts.session_id &&
                (l->call == CALL_ICRQ_SENT || l->call == CALL_ESTABLISHED);

    /* Whatever else a goodbye carries, it is one. */
    if (m->fault == FAULT_NONE || m->type == STOPCCN || m->type == CDN)
        return false;
    if (l->control != CONTROL_SCCRQ_SENT && l->control != CONTROL_ESTABLISHED)
        return true;
    if (m->fault == FAULT_MALFORMED) {
        f = l2tp_protocol_failure(m->type, "malformed attributes");
        refuse(l, &f, STOPCCN_GENERAL_ERROR, ERROR_LENGTH, now);
        return true;
    }
    if (m->fault == FAULT_UNKNOWN_TYPE) {
        (void)snprintf(what, sizeof(what), "unknown mandatory message type %u", m->fault_attribute);
        f = l2tp_protocol_failure(m->type, what);
        refuse(l, &f, STOPCCN_GENERAL_ERROR, ERROR_VALUE, now);
        return true;
    }
    (void)snprintf(what, sizeof(what), "unknown mandatory attribute %u of vendor %u",
                   m->fault_attribute, m->fault_vendor);
    f = l2tp_protocol_failure(m->type, what);
    if (!message_is_call(m->type)) {
        refuse(l, &f, STOPCCN_GENERAL_ERROR, ERROR_UNKNOWN_AVP, now);
        return true;
    }
    if (!ours) /* a call that we do not have, or one that is refused in any case */
        return m->type != ICRQ && m->type != OCRQ;
    call_clear(l, &f, CDN_GENERAL_ERROR, ERROR_UNKNOWN_AVP);
    return true;
}

void control_input(struct l2tp *l, const struct message_header *h, const struct message *m,
                   l2tpc_us now)
{
    struct failure f;

    if (recv_fault(l, h, m, now))
        return;
    switch (table[l->control][m->type]) {
    case CONTROL_IGNORE:
        break;
    case CONTROL_OPEN:
        recv_SCCRP(l, m, now);
        break;
    case CONTROL_CLEAR:
        f = l2tp_protocol_failure(m->type, "not expected");
        refuse(l, &f, STOPCCN_FSM_ERROR, ERROR_NONE, now);
        break;
    case CONTROL_STOP:
        recv_StopCCN(l, m);
        break;
    case CONTROL_CALL:
        call_input(l, h, m, now);
        break;
    case CONTROL_LATE:
        recv_late_SCCRP(l, m, now);
        break;
    }
}
