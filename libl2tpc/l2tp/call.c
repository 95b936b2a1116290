/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The incoming call that we place: RFC 2661 section 7.4.1, LAC's side. */
#include "l2tp/engine.h"

/* What Tx Connect Speed says; nothing is shaped by it. */
#define CONNECT_SPEED 100000000
#define FRAMING_SYNC 1

enum call_action {
    CALL_IGNORE,
    CALL_CONNECT, /* ICRP: check it, send ICCN */
    CALL_CLEAR,   /* "send CDN, clean up" */
    CALL_END,     /* the peer's CDN */
    CALL_REFUSE,  /* a call of the server's own: this client takes none */
    CALL_NOTE,    /* WEN and SLI: for the status */
};

static const enum call_action table[CALL_STATES][MESSAGE_TYPES] = {
    [CALL_IDLE] = {[ICRQ] = CALL_REFUSE, [OCRQ] = CALL_REFUSE},
    [CALL_ICRQ_SENT] = {[ICRQ] = CALL_REFUSE,
                        [OCRQ] = CALL_REFUSE,
                        [ICRP] = CALL_CONNECT,
                        [ICCN] = CALL_CLEAR,
                        [OCRP] = CALL_CLEAR,
                        [OCCN] = CALL_CLEAR,
                        [CDN] = CALL_END,
                        [WEN] = CALL_NOTE,
                        [SLI] = CALL_NOTE},
    [CALL_ESTABLISHED] = {[ICRQ] = CALL_REFUSE,
                          [OCRQ] = CALL_REFUSE,
                          [ICRP] = CALL_CLEAR,
                          [ICCN] = CALL_CLEAR,
                          [OCRP] = CALL_CLEAR,
                          [OCCN] = CALL_CLEAR,
                          [CDN] = CALL_END,
                          [WEN] = CALL_NOTE,
                          [SLI] = CALL_NOTE},
    [CALL_DOWN] = {[ICRQ] = CALL_REFUSE, [OCRQ] = CALL_REFUSE},
};

void call_open(struct l2tp *l, l2tpc_us now)
{
    struct failure f = failure_make(FAILURE_LOCAL_MEMORY);
    struct l2tp_draft d;

    l2tp_draft(l, &d, ICRQ, 0);
    avp_put_u16(&d.avps, AVP_ASSIGNED_SESSION_ID, l->facts.session_id);
    avp_put_u32(&d.avps, AVP_CALL_SERIAL_NUMBER, l->call_serial);
    avp_put_u32(&d.avps, AVP_BEARER_TYPE, 0);
    if (!l2tp_queue(l, &d)) {
        f.stage = STAGE_L2TP_CALL;
        l2tp_fail(l, L2TP_EVENT_FAILED, &f, STOPCCN_GENERAL_ERROR, ERROR_RESOURCES, now);
        return;
    }
    l->stage_due = us_add(now, L2TP_DEADLINE);
    l->call = CALL_ICRQ_SENT;
}

static bool send_ICCN(struct l2tp *l)
{
    struct l2tp_draft d;

    l2tp_draft(l, &d, ICCN, l->facts.peer_session_id);
    avp_put_u32(&d.avps, AVP_TX_CONNECT_SPEED, CONNECT_SPEED);
    avp_put_u32(&d.avps, AVP_FRAMING_TYPE, FRAMING_SYNC);
    return l2tp_queue(l, &d);
}

bool send_CDN(struct l2tp *l, uint16_t session_id, uint16_t peer_session_id, uint16_t code,
              uint16_t error)
{
    const uint8_t result[] = {(uint8_t)(code >> 8), (uint8_t)code, (uint8_t)(error >> 8),
                              (uint8_t)error};
    struct l2tp_draft d;

    l2tp_draft(l, &d, CDN, peer_session_id);
    avp_put(&d.avps, AVP_RESULT_CODE, SPAN_ARRAY(result));
    avp_put_u16(&d.avps, AVP_ASSIGNED_SESSION_ID, session_id);
    return l2tp_queue(l, &d);
}

void call_clear(struct l2tp *l, const struct failure *failure, uint16_t code, uint16_t error)
{
    /* Without memory for it the peer learns from the StopCCN that follows a lost call. */
    (void)!send_CDN(l, l->facts.session_id, l->facts.peer_session_id, code, error);
    l2tp_emit(l, L2TP_EVENT_CALL_DOWN, false, failure);
    l->facts.call_up = false;
    l->call = CALL_DOWN;
}

static void recv_ICRP(struct l2tp *l, const struct message *m, l2tpc_us now)
{
    struct failure f = l2tp_protocol_failure(ICRP, "no Assigned Session ID");

    if (message_u16(m, AVP_ASSIGNED_SESSION_ID) == 0) {
        call_clear(l, &f, CDN_GENERAL_ERROR, ERROR_VALUE);
        return;
    }
    l->facts.peer_session_id = message_u16(m, AVP_ASSIGNED_SESSION_ID);
    if (!send_ICCN(l)) {
        f = failure_make(FAILURE_LOCAL_MEMORY);
        f.stage = STAGE_L2TP_CALL;
        l2tp_fail(l, L2TP_EVENT_FAILED, &f, STOPCCN_GENERAL_ERROR, ERROR_RESOURCES, now);
        return;
    }
    l2tp_emit(l, L2TP_EVENT_CALL_UP, false, NULL);
    l->facts.call_up = true;
    l->stage_due = US_NEVER;
    l->call = CALL_ESTABLISHED;
}

static void recv_CDN(struct l2tp *l, const struct message *m)
{
    struct failure f = result_failure(m, l->call == CALL_ESTABLISHED);

    l2tp_emit(l, L2TP_EVENT_CALL_DOWN, true, &f);
    l->facts.call_up = false;
    l->stage_due = US_NEVER;
    l->call = CALL_DOWN;
}

/* At most as many as the send queue holds; beyond that the request is only acknowledged. */
static void refuse(struct l2tp *l, const struct message *m)
{
    uint16_t theirs = message_u16(m, AVP_ASSIGNED_SESSION_ID);

    if (theirs != 0 && l->reliable.used < RELIABLE_QUEUE / 2)
        (void)!send_CDN(l, 0, theirs, CDN_NO_FACILITIES, ERROR_NONE);
}

static void note(struct l2tp *l, const struct message *m)
{
    struct rd r = rd_of(message_has(m, AVP_ACCM) ? m->value[AVP_ACCM] : SPAN_NONE);
    uint32_t send;
    uint32_t recv;

    if (m->type == WEN) {
        l->facts.wen++;
        return;
    }
    l->facts.sli++;
    if (rd_skip(&r, 2) && rd_u32(&r, &send) && rd_u32(&r, &recv)) {
        l->facts.accm_send = send;
        l->facts.accm_recv = recv;
    }
}

/* Whose session: ours, or that of a request which brings its own. */
static bool is_ours(const struct l2tp *l, const struct message_header *h, const struct message *m)
{
    if (m->type == ICRQ || m->type == OCRQ)
        return true;
    if (h->session_id == l->facts.session_id)
        return true;
    /* 4.4.4: a CDN may come without a session ID in its header; its AVP then says whose it is. */
    return m->type == CDN && h->session_id == 0 &&
           (l->facts.peer_session_id == 0 ||
            message_u16(m, AVP_ASSIGNED_SESSION_ID) == l->facts.peer_session_id);
}

void call_input(struct l2tp *l, const struct message_header *h, const struct message *m,
                l2tpc_us now)
{
    struct failure f;

    if (!is_ours(l, h, m)) {
        l->facts.dropped++;
        return;
    }
    switch (table[l->call][m->type]) {
    case CALL_IGNORE:
        break;
    case CALL_CONNECT:
        recv_ICRP(l, m, now);
        break;
    case CALL_CLEAR:
        f = l2tp_protocol_failure(m->type, "not expected");
        call_clear(l, &f, CDN_GENERAL_ERROR, ERROR_NONE);
        break;
    case CALL_END:
        recv_CDN(l, m);
        break;
    case CALL_REFUSE:
        refuse(l, m);
        break;
    case CALL_NOTE:
        note(l, m);
        break;
    }
}
