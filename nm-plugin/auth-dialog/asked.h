/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which secrets a connection needs, and which of them must be asked for. */
#ifndef L2TPC_NM_ASKED_H
#define L2TPC_NM_ASKED_H

#include <NetworkManager.h>

#define ASKED_MAX 5

/* What the agent that started us has said. */
struct request {
    const char *uuid, *name, *service;
    char **hints;
    gboolean may_ask, again, external;
    GHashTable *data, *secrets; /* of the connection */
};

struct asked {
    const char *key, *label; /* label: msgid */
    char *value;             /* never NULL; what is there already, wiped by asked_clear() */
    gboolean ask, shown;     /* shown: may be read while it is typed */
};

/* Fills `out`; how many there are. Saved ones come from the keyring when `keyring`. */
gsize asked_collect(const struct request *r, gboolean keyring, struct asked out[ASKED_MAX]);
void asked_set(struct asked *a, const char *value);
void asked_clear(struct asked *a, gsize n);

/* Why it is asked, from the hints: as NetworkManager hands on the service's message. Or NULL. */
const char *asked_reason(const struct request *r);

#endif
