/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "l2tp/result.h"

#include <stdio.h>
#include <string.h>

static const char *const stopccn_sentences[] = {
    [1] = "the tunnel was closed on request",
    [2] = "a general error",
    [3] = "a tunnel to this client exists already",
    [4] = "this client is not authorized to open a tunnel",
    [5] = "the protocol version is not supported",
    [6] = "the server is being shut down",
    [7] = "the server met a message that it did not expect",
};

static const char *const cdn_sentences[] = {
    [1] = "the carrier was lost",
    [2] = "a general error",
    [3] = "the call was ended for administrative reasons",
    [4] = "the facilities for the call are not available at the moment",
    [5] = "the facilities for the call are not available",
    [6] = "the destination is not valid",
    [7] = "no carrier was detected",
    [8] = "the line is busy",
    [9] = "there was no dial tone",
    [10] = "the call was not set up in the time allowed",
    [11] = "the call was connected but no framing was detected",
};

static const char *const error_sentences[] = {
    [0] = "a general error without a code",
    [1] = "there is no control connection yet",
    [2] = "a length is wrong",
    [3] = "a value is out of range or a reserved field is not zero",
    [4] = "insufficient resources at the moment",
    [5] = "the session ID is not valid",
    [6] = "a vendor's own error",
    [7] = "another server should be tried",
    [8] = "an unknown attribute was marked as mandatory",
};

static const char *sentence(const char *const *rows, size_t n_rows, uint16_t number)
{
    return number < n_rows ? rows[number] : NULL;
}

struct result result_read(const struct message *m)
{
    struct rd r = rd_of(message_has(m, AVP_RESULT_CODE) ? m->value[AVP_RESULT_CODE] : SPAN_NONE);
    struct result out = {0};

    out.has_code = rd_u16(&r, &out.code);
    out.has_error = out.has_code && rd_u16(&r, &out.error);
    if (out.has_error)
        out.text = rd_rest(&r);
    while (out.text.n > 0 && (out.text.p[out.text.n - 1] == 0 || out.text.p[out.text.n - 1] == ' '))
        out.text.n--;
    return out;
}

const char *result_sentence(uint16_t type, const struct result *r)
{
    const char *found = NULL;

    if (!r->has_code)
        return "no reason given";
    if (r->code == STOPCCN_GENERAL_ERROR && r->has_error)
        found = sentence(error_sentences, ARRAY_LEN(error_sentences), r->error);
    if (!found && type == STOPCCN)
        found = sentence(stopccn_sentences, ARRAY_LEN(stopccn_sentences), r->code);
    if (!found && type == CDN)
        found = sentence(cdn_sentences, ARRAY_LEN(cdn_sentences), r->code);
    return found ? found : "no known reason";
}

static enum failure_id failure_id_of(uint16_t type, const struct result *r)
{
    /* Code 2 is the general error of both messages. */
    if (r->has_error && r->code == CDN_GENERAL_ERROR && r->error == ERROR_RESOURCES)
        return FAILURE_L2TP_BUSY;
    if (type == CDN)
        return r->has_code && r->code == CDN_NO_FACILITIES_NOW ? FAILURE_L2TP_BUSY
                                                               : FAILURE_L2TP_CALL_REFUSED;
    return r->has_code && r->code == STOPCCN_NOT_AUTHORIZED ? FAILURE_L2TP_AUTH
                                                            : FAILURE_L2TP_REFUSED;
}

/* RFC 3145: why PPP ended, in numbers. */
static void note_disconnect_cause(struct failure *f, const struct message *m)
{
    char text[64];
    struct rd r;
    uint16_t cause;
    uint16_t protocol;

    if (!message_has(m, AVP_PPP_DISCONNECT_CAUSE_CODE))
        return;
    r = rd_of(m->value[AVP_PPP_DISCONNECT_CAUSE_CODE]);
    if (!rd_u16(&r, &cause) || !rd_u16(&r, &protocol))
        return;
    (void)snprintf(text, sizeof(text), "PPP disconnect cause %u, protocol 0x%04x", cause, protocol);
    failure_set_value(f, span_str(text));
}

/*
 * RFC 2661 4.4.2: not authorized, another version; no such destination. Administrative reasons are
 * none: servers say so about a session timeout and their own restart as well (SoftEther about
 * everything), and who shall stay away is told so by the login.
 */
static bool is_final(uint16_t type, const struct result *r)
{
    if (!r->has_code)
        return false;
    return type == STOPCCN ? r->code == STOPCCN_NOT_AUTHORIZED || r->code == STOPCCN_VERSION
                           : r->code == CDN_INVALID_DESTINATION;
}

struct failure result_failure(const struct message *m, bool established)
{
    struct result r = result_read(m);
    struct failure f = failure_make(established ? FAILURE_PEER_CLOSED : failure_id_of(m->type, &r));

    if (!established && m->type == CDN)
        f.stage = STAGE_L2TP_CALL;
    if (r.has_code)
        failure_set_peer_code(&f, r.code);
    failure_set_peer_text(&f, r.text.n > 0 ? r.text : span_str(result_sentence(m->type, &r)));
    note_disconnect_cause(&f, m);
    f.stay_away = is_final(m->type, &r);
    return f;
}
