/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ike/v1/engine.h"

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
