/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/secret_request.h"

#include <string.h>

struct _L2dSecretRequest {
    GObject parent;
    char *message;
    GPtrArray *fields;
    gboolean is_open, by_service;
};

G_DEFINE_TYPE(L2dSecretRequest, l2d_secret_request, G_TYPE_OBJECT)

static guint answered_signal;

static void field_free(gpointer data)
{
    L2dSecretField *f = data;

    g_free(f->key);
    g_free(f->label);
    g_free(f);
}

static void l2d_secret_request_finalize(GObject *object)
{
    L2dSecretRequest *r = L2D_SECRET_REQUEST(object);

    g_free(r->message);
    g_ptr_array_unref(r->fields);
    G_OBJECT_CLASS(l2d_secret_request_parent_class)->finalize(object);
}

static void l2d_secret_request_class_init(L2dSecretRequestClass *class)
{
    G_OBJECT_CLASS(class)->finalize = l2d_secret_request_finalize;
    answered_signal = g_signal_new("answered", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 2, G_TYPE_HASH_TABLE, G_TYPE_BOOLEAN);
}

static void l2d_secret_request_init(L2dSecretRequest *r)
{
    r->fields = g_ptr_array_new_with_free_func(field_free);
    r->is_open = TRUE;
}

L2dSecretRequest *l2d_secret_request_new(const char *message)
{
    L2dSecretRequest *r = g_object_new(L2D_TYPE_SECRET_REQUEST, NULL);

    r->message = g_strdup(message ? message : "");
    return r;
}

void l2d_secret_request_add(L2dSecretRequest *r, const char *key, L2dSecretKind kind,
                            const char *label, gboolean can_keep)
{
    L2dSecretField *f = g_new0(L2dSecretField, 1);

    f->key = g_strdup(key);
    f->kind = kind;
    f->label = g_strdup(label ? label : "");
    f->can_keep = can_keep;
    g_ptr_array_add(r->fields, f);
}

const char *l2d_secret_request_get_message(L2dSecretRequest *r)
{
    return r->message;
}

void l2d_secret_request_set_kept_by_service(L2dSecretRequest *r)
{
    r->by_service = TRUE;
}

gboolean l2d_secret_request_is_kept_by_service(L2dSecretRequest *r)
{
    return r->by_service;
}

GPtrArray *l2d_secret_request_get_fields(L2dSecretRequest *r)
{
    return r->fields;
}

gboolean l2d_secret_request_is_open(L2dSecretRequest *r)
{
    return r->is_open;
}

static void finish(L2dSecretRequest *r, GHashTable *secrets, gboolean keep)
{
    if (!r->is_open)
        return;
    r->is_open = FALSE;
    g_signal_emit(r, answered_signal, 0, secrets, keep);
}

void l2d_secret_request_answer(L2dSecretRequest *r, GHashTable *secrets, gboolean keep)
{
    finish(r, secrets, keep);
}

void l2d_secret_request_refuse(L2dSecretRequest *r)
{
    finish(r, NULL, FALSE);
}

static void secret_free(gpointer text)
{
    explicit_bzero(text, strlen(text));
    g_free(text);
}

GHashTable *l2d_secrets_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, secret_free);
}
