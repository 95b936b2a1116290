/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Profiles, as far as who asks may know of them. */
#include "service/standalone_calls.h"

#include "service/standalone_secrets.h"
#include "service/standalone_store.h"

#include <string.h>

static const char view_details[] = "net.l2tpc.view-details";
static const char manage_profiles[] = "net.l2tpc.manage-profiles";

/* Which connections there are everybody may know; what they are, their users and who may. */
static void add_profile_to(GVariantBuilder *b, const struct stored_profile *p, gboolean sees)
{
    GPtrArray *notes = l2tpc_profile_check(p->profile);
    const char *server = l2tpc_profile_get(p->profile, L2TPC_PROFILE_DATA, "gateway");

    g_variant_builder_open(b, G_VARIANT_TYPE("(ssssas)"));
    g_variant_builder_add(b, "s", p->uuid);
    g_variant_builder_add(b, "s", sees ? l2tpc_profile_get_id(p->profile) : "");
    g_variant_builder_add(b, "s", sees && server ? server : "");
    g_variant_builder_add(b, "s", p->own ? "own" : "system");
    g_variant_builder_open(b, G_VARIANT_TYPE("as"));
    for (guint i = 0; i < notes->len; i++) {
        const l2tpc_profile_note *n = g_ptr_array_index(notes, i);

        if (n->severity == L2TPC_PROFILE_WEAKNESS)
            g_variant_builder_add(b, "s", n->code);
    }
    g_variant_builder_close(b);
    g_variant_builder_close(b);
    g_ptr_array_unref(notes);
}

void profiles_list(struct call *c)
{
    g_autoptr(GPtrArray) all = store_list(c->uid);
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE("a(ssssas)"));
    for (guint i = 0; i < all->len; i++) {
        const struct stored_profile *p = g_ptr_array_index(all, i);

        add_profile_to(&b, p, p->named || c->allowed);
    }
    g_dbus_method_invocation_return_value(c->invocation, g_variant_new("(a(ssssas))", &b));
}

const char *profiles_action_list(const struct call *c)
{
    g_autoptr(GPtrArray) all = store_list(c->uid);

    for (guint i = 0; i < all->len; i++)
        if (!((const struct stored_profile *)g_ptr_array_index(all, i))->named)
            return view_details;
    return NULL;
}

static struct stored_profile *find(const struct call *c)
{
    const char *uuid;

    g_variant_get_child(c->parameters, 0, "&s", &uuid);
    return store_find(c->uid, uuid);
}

struct stored_profile *profiles_find(struct call *c)
{
    struct stored_profile *p = find(c);

    if (!p)
        calls_refuse(c, "NotFound", N_("There is no such connection."));
    return p;
}

const char *profiles_action_get(const struct call *c)
{
    struct stored_profile *p = find(c);
    gboolean foreign = p && !p->named;

    stored_profile_free(p);
    return foreign ? view_details : NULL;
}

void profiles_get(struct call *c)
{
    struct stored_profile *p = profiles_find(c);
    g_autofree char *text = p ? store_text(p->profile, FALSE) : NULL;

    if (text)
        g_dbus_method_invocation_return_value(c->invocation, g_variant_new("(s)", text));
    else if (p)
        calls_refuse(c, "Failed", N_("The connection cannot be written."));
    stored_profile_free(p);
}

static void changed(struct call *c)
{
    calls_signal(c->service, NULL, "ProfilesChanged", NULL);
}

/* The keyfile that is the argument of this number; NULL after an error. */
static l2tpc_profile *read_argument(struct call *c, gsize index)
{
    g_autoptr(GVariant) value = g_variant_get_child_value(c->parameters, index);
    g_autoptr(GError) error = NULL;
    char *text = secrets_text(c, value, STORE_FILE_MAX - 1);
    l2tpc_profile *p = text ? store_parse(text, &error) : NULL;

    if (text && !p)
        calls_refuse(c, "Invalid", error->message);
    secrets_text_free(text);
    return p;
}

static const char *owner_of(const struct call *c)
{
    const char *owner;

    g_variant_get_child(c->parameters, 1, "&s", &owner);
    return owner;
}

void profiles_add(struct call *c)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *uuid = NULL;
    gboolean own = strcmp(owner_of(c), "own") == 0;
    l2tpc_profile *p;

    if (!own && strcmp(owner_of(c), "system") != 0) {
        calls_refuse(c, "Invalid", N_("The owner is \"own\" or \"system\"."));
        return;
    }
    p = read_argument(c, 0);
    if (!p)
        return;
    if (store_add(p, own, c->uid, &uuid, &error)) {
        g_dbus_method_invocation_return_value(c->invocation, g_variant_new("(s)", uuid));
        changed(c);
    } else {
        calls_refuse(c, "Invalid", error->message);
    }
    l2tpc_profile_free(p);
}

void profiles_update(struct call *c)
{
    g_autoptr(GError) error = NULL;
    struct stored_profile *old = profiles_find(c);
    l2tpc_profile *p = old ? read_argument(c, 1) : NULL;

    if (p && store_replace(old, p, &error)) {
        g_dbus_method_invocation_return_value(c->invocation, NULL);
        changed(c);
    } else if (p) {
        calls_refuse(c, "Invalid", error->message);
    }
    l2tpc_profile_free(p);
    stored_profile_free(old);
}

void profiles_remove(struct call *c)
{
    g_autoptr(GError) error = NULL;
    struct stored_profile *old = profiles_find(c);

    if (!old)
        return;
    if (store_remove(old, &error)) {
        g_dbus_method_invocation_return_value(c->invocation, NULL);
        changed(c);
    } else {
        calls_refuse(c, "Failed", error->message);
    }
    stored_profile_free(old);
}

const char *profiles_action_add(const struct call *c)
{
    return strcmp(owner_of(c), "own") == 0 ? "net.l2tpc.connect" : manage_profiles;
}

const char *profiles_action_change(const struct call *c)
{
    struct stored_profile *p = find(c);
    gboolean own = p && p->own;

    stored_profile_free(p);
    return own ? NULL : manage_profiles;
}
