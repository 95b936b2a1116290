/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Somebody on the way to a tunnel needs secrets. Whoever shows the profile asks for them in place;
 * the answer goes back through l2d_secret_request_answer() or _refuse(), once. Answers are wiped.
 */
#ifndef L2D_SECRET_REQUEST_H
#define L2D_SECRET_REQUEST_H

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum {
    L2D_SECRET_PASSWORD,
    L2D_SECRET_PSK,
    L2D_SECRET_PASSPHRASE,   /* of a key, or the PIN of a token */
    L2D_SECRET_CODE,         /* is shown while it is typed, and never kept */
    L2D_SECRET_NEW_PASSWORD, /* typed twice */
    L2D_SECRET_OTHER,        /* has a label of its own */
} L2dSecretKind;

typedef struct {
    char *key; /* the back end's own name of it */
    L2dSecretKind kind;
    char *label; /* of L2D_SECRET_OTHER; else "" */
    gboolean can_keep;
} L2dSecretField;

#define L2D_TYPE_SECRET_REQUEST (l2d_secret_request_get_type())
G_DECLARE_FINAL_TYPE(L2dSecretRequest, l2d_secret_request, L2D, SECRET_REQUEST, GObject)

/* `message` is why, for people; "" for the first time. Signal "answered" (GHashTable of key by
 * secret or NULL when refused, keep) comes once. */
L2dSecretRequest *l2d_secret_request_new(const char *message);
void l2d_secret_request_add(L2dSecretRequest *request, const char *key, L2dSecretKind kind,
                            const char *label, gboolean can_keep);
const char *l2d_secret_request_get_message(L2dSecretRequest *request);
GPtrArray *l2d_secret_request_get_fields(L2dSecretRequest *request); /* L2dSecretField */
/* Where what is to be kept goes: into the user's keyring, unless the service keeps it. */
void l2d_secret_request_set_kept_by_service(L2dSecretRequest *request);
gboolean l2d_secret_request_is_kept_by_service(L2dSecretRequest *request);
void l2d_secret_request_answer(L2dSecretRequest *request, GHashTable *secrets, gboolean keep);
void l2d_secret_request_refuse(L2dSecretRequest *request);
gboolean l2d_secret_request_is_open(L2dSecretRequest *request);
/* A table for answers, whose values are wiped with it. */
GHashTable *l2d_secrets_new(void);

G_END_DECLS

#endif
