/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service/standalone_access.h"

#include "service/standalone_calls.h"
#include "service/standalone_secrets.h"

#define POLKIT_MS 120000 /* a person may have to type a password */

const char *calls_sender(const struct call *c)
{
    return g_dbus_method_invocation_get_sender(c->invocation);
}

static const struct method *method_of(const struct call *c)
{
    return calls_find(g_dbus_method_invocation_get_method_name(c->invocation));
}

void calls_refuse(struct call *c, const char *error, const char *sentence)
{
    g_autofree char *name = g_strdup_printf(SERVICE_NAME ".Error.%s", error);

    g_dbus_method_invocation_return_dbus_error(c->invocation, name, *sentence ? _(sentence) : "");
}

/* ---- shares ---- */

static guint calls_of(const struct call *c)
{
    return GPOINTER_TO_UINT(
        g_hash_table_lookup(c->service->calls_of, GUINT_TO_POINTER((guint)c->uid)));
}

static void count(struct call *c, int change)
{
    gpointer key = GUINT_TO_POINTER((guint)c->uid);
    guint n = (guint)((int)calls_of(c) + change);

    c->counted = change > 0;
    if (n > 0)
        (void)g_hash_table_insert(c->service->calls_of, key, GUINT_TO_POINTER(n));
    else
        (void)g_hash_table_remove(c->service->calls_of, key);
}

static void call_free(struct call *c)
{
    if (method_of(c)->has_secrets)
        secrets_wipe_strings(c->parameters);
    if (c->counted)
        count(c, -1);
    c->service->n_calls--;
    standalone_look(c->service);
    g_variant_unref(c->parameters);
    g_object_unref(c->invocation);
    g_free(c);
}

static void refuse_and_free(struct call *c, const char *error, const char *sentence)
{
    locale_t before = language_enter(c->service, calls_sender(c));

    calls_refuse(c, error, sentence);
    language_leave(before);
    call_free(c);
}

static void serve(struct call *c)
{
    locale_t before = language_enter(c->service, calls_sender(c));

    method_of(c)->serve(c);
    language_leave(before);
    call_free(c);
}

/* ---- questions ---- */

static void on_polkit(GObject *source, GAsyncResult *result, gpointer user)
{
    struct call *c = user;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);

    if (reply)
        g_variant_get(reply, "((bba{ss}))", &c->allowed, NULL, NULL);
    if (c->allowed || method_of(c)->lenient)
        serve(c);
    else if (reply)
        refuse_and_free(c, "NotAuthorized", N_("This user may not do that."));
    else
        refuse_and_free(c, "Unavailable", N_("polkit does not answer."));
}

/* A list that leaves something out is no reason to ask a person for a password. */
static void ask_polkit(struct call *c, const char *action)
{
    guint32 may_ask = method_of(c)->lenient ? 0 : 1;
    GVariantBuilder subject;
    GVariantBuilder details;

    g_variant_builder_init(&subject, G_VARIANT_TYPE("a{sv}"));
    g_variant_builder_add(&subject, "{sv}", "name", g_variant_new_string(calls_sender(c)));
    g_variant_builder_init(&details, G_VARIANT_TYPE("a{ss}"));
    g_dbus_connection_call(
        c->service->bus, "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
        "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization",
        g_variant_new("((sa{sv})sa{ss}us)", "system-bus-name", &subject, action, &details, may_ask,
                      ""),
        G_VARIANT_TYPE("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE, POLKIT_MS, NULL, on_polkit, c);
}

static void on_user(GObject *source, GAsyncResult *result, gpointer user)
{
    struct call *c = user;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
    const char *action;
    guint32 uid = 0;

    if (!reply) {
        refuse_and_free(c, "NotAuthorized", N_("Nobody knows who asks."));
        return;
    }
    g_variant_get(reply, "(u)", &uid);
    c->uid = uid;
    if (calls_of(c) >= CALLS_OF_USER) {
        refuse_and_free(c, "Busy", N_("Too much is asked at the same time."));
        return;
    }
    count(c, 1);
    action = method_of(c)->action ? method_of(c)->action(c) : NULL;
    c->allowed = !action || uid == 0;
    if (c->allowed)
        serve(c);
    else
        ask_polkit(c, action);
}

void access_take(struct service *s, GDBusMethodInvocation *invocation, GVariant *parameters)
{
    struct call *c;

    if (s->n_calls >= CALLS_MAX || s->ending ||
        !calls_find(g_dbus_method_invocation_get_method_name(invocation))) {
        g_dbus_method_invocation_return_dbus_error(invocation, SERVICE_NAME ".Error.Busy",
                                                   _("Too much is asked at the same time."));
        return;
    }
    c = g_new0(struct call, 1);
    c->service = s;
    c->invocation = g_object_ref(invocation);
    c->parameters = g_variant_ref(parameters);
    s->n_calls++;
    standalone_look(s);
    g_dbus_connection_call(s->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                           "org.freedesktop.DBus", "GetConnectionUnixUser",
                           g_variant_new("(s)", calls_sender(c)), G_VARIANT_TYPE("(u)"),
                           G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_user, c);
}
