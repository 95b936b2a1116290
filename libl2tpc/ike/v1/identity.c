/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What either end of phase 1 calls itself (RFC 2407 4.6.2), and whether the server may. */
#include "ike/identity.h"

#include "ike/v1/engine.h"

#include <stdio.h>
#include <string.h>

/* For people: an address, a name, or the hex of what has no text form. */
void identity_text(const struct identity *id, char *out, size_t cap)
{
    char addr[ADDR_TEXT_MAX];

    switch (id->type) {
    case ID_TYPE_FQDN:
    case ID_TYPE_USER_FQDN:
        text_escape(out, cap, id->data);
        return;
    case ID_TYPE_KEY_ID:
        if (text_is_utf8(id->data))
            text_escape(out, cap, id->data);
        else
            text_hex(out, cap, id->data);
        return;
    case ID_TYPE_IPV4_ADDR:
    case ID_TYPE_IPV6_ADDR:
        text_escape(out, cap, span_str(inaddr_text(&id->addr, addr)));
        return;
    case ID_TYPE_DER_ASN1_DN:
        cert_name_text(NULL, id->data, out, cap);
        if (out[0] == '\0' || strcmp(out, "?") == 0)
            text_hex(out, cap, id->data);
        return;
    default:
        text_hex(out, cap, id->data);
        return;
    }
}

/* ---- ours ---- */
size_t identity_own(const struct ike *ike, uint8_t out[4 + CERT_ID_MAX])
{
    const struct inaddr *a = &ike->cfg.local.addr;
    const struct ike_credential *c = ike->cfg.credential;
    uint8_t type = a->family == 6 ? ID_TYPE_IPV6_ADDR : ID_TYPE_IPV4_ADDR;
    struct span data = span_of(a->bytes, inaddr_len(a));

    if (ike->cfg.own_id.type) {
        type = ike->cfg.own_id.type;
        data = span_of(ike->cfg.own_id.bytes, ike->cfg.own_id.n);
    } else if (c) {
        type = c->id_type;
        data = c->id;
    }
    if (data.n == 0 || data.n > CERT_ID_MAX)
        return 0;
    /* Protocol and port 0, which RFC 3947 4 asks for where a NAT may be. */
    memset(out, 0, 4);
    out[0] = type;
    memcpy(out + 4, data.p, data.n);
    return 4 + data.n;
}

/* ---- the server's ---- */
static void describe(char out[PEER_TEXT_MAX], const struct identity *id)
{
    const char *type = isakmp_id_type_name(id->type);
    int n = snprintf(out, PEER_TEXT_MAX, "%s ", type ? type : "?");

    identity_text(id, out + n, PEER_TEXT_MAX - (size_t)n);
}

static void describe_kept(char out[PEER_TEXT_MAX], const struct cert_id *kept)
{
    struct identity id = {.type = kept->type, .data = span_of(kept->bytes, kept->n)};

    if ((kept->type == CERT_ID_IPV4 || kept->type == CERT_ID_IPV6) &&
        !inaddr_from_bytes(&id.addr, id.data))
        id.type = 0;
    describe(out, &id);
}

/* What cannot be read is shown as it is, behind the number of its type. */
static void describe_broken(char out[PEER_TEXT_MAX], struct span body)
{
    struct span data = body.n > 4 ? span_of(body.p + 4, body.n - 4) : SPAN_NONE;
    int n =
        snprintf(out, PEER_TEXT_MAX, "type %u, %zu bytes: ", body.n > 0 ? body.p[0] : 0, data.n);

    text_escape(out + n, PEER_TEXT_MAX - (size_t)n, data);
}

static struct cert_id kept_of(const struct identity *id)
{
    struct cert_id kept = {.type = id->type, .n = id->data.n};

    memcpy(kept.bytes, id->data.p, id->data.n);
    return kept;
}

bool identity_accept(struct ike *ike, struct span body, struct identity *out,
                     struct failure *out_failure)
{
    const struct cert_id *wanted = &ike->cfg.peer_id;
    struct failure f = failure_make(FAILURE_IKE_AUTH_PEER_ID);
    struct cert_id got;

    if (!isakmp_parse_identity(body, out)) {
        describe_broken(f.value, body);
        (void)snprintf(f.expected, sizeof(f.expected), "a well-formed identity");
        *out_failure = f;
        return false;
    }
    got = kept_of(out);
    describe(f.value, out);
    if (wanted->type && !ike->cfg.credential && !identity_same(&got, wanted)) {
        describe_kept(f.expected, wanted);
        *out_failure = f;
        return false;
    }
    if (ike->role != IKE_ROLE_ROOT && !identity_same(&got, &ike->root->peer_id)) {
        describe_kept(f.expected, &ike->root->peer_id);
        *out_failure = f;
        return false;
    }
    /* RFC 2407 4.6.2 wants nothing else; the HASH covers it, and nothing depends on it. */
    if ((out->protocol != 0 || out->port != 0) && (out->protocol != 17 || out->port != 500))
        ike_log(ike, LOG_LEVEL_DEBUG, "the server's identity names protocol %u, port %u",
                out->protocol, out->port);
    return true;
}

void identity_note(struct ike *ike, const struct identity *id)
{
    ike->peer_id = kept_of(id);
    (void)snprintf(ike->facts.peer_id_type, sizeof(ike->facts.peer_id_type), "%s",
                   isakmp_id_type_name(id->type));
    identity_text(id, ike->facts.peer_id, sizeof(ike->facts.peer_id));
}
