/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service/standalone_secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <l2tpc.h>
#include <string.h>
#include <unistd.h>

#define SECRET_BYTES 512 /* as libl2tpc takes them */
#define TEXT_BYTES 1024  /* of one in base64 */

static const struct kind {
    const char *name, *key;
    uint32_t need;
} kinds[] = {
    {"psk", "ipsec-psk", L2TPC_NEED_PSK},
    {"password", "password", L2TPC_NEED_PASSWORD},
    {"passphrase", "machine-certpass", L2TPC_NEED_PASSPHRASE},
};

static const struct kind *kind_of_need(uint32_t need)
{
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].need == need)
            return &kinds[i];
    return NULL;
}

static const struct kind *kind_of_name(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

const char *secrets_kind(uint32_t need)
{
    const struct kind *k = kind_of_need(need);

    return k ? k->name : "";
}

/* ---- texts ---- */

void secrets_text_free(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    g_free(text);
}

/* Only of memory: another descriptor could make the service wait. */
static char *read_memory(int fd, gsize most)
{
    char *text = g_malloc0(most + 2);
    gsize n = 0;
    gssize got = 1;

    while (n <= most && got > 0) {
        got = pread(fd, text + n, most + 1 - n, (off_t)n);
        if (got > 0)
            n += (gsize)got;
    }
    if (got == 0 && n <= most && !memchr(text, '\0', n) && g_utf8_validate(text, (gssize)n, NULL))
        return text;
    explicit_bzero(text, most + 2);
    g_free(text);
    return NULL;
}

static char *text_behind(struct call *c, gint32 handle, gsize most)
{
    GUnixFDList *list =
        g_dbus_message_get_unix_fd_list(g_dbus_method_invocation_get_message(c->invocation));
    int n = list ? g_unix_fd_list_get_length(list) : 0;
    int fd = handle >= 0 && handle < n ? g_unix_fd_list_get(list, handle, NULL) : -1;
    char *text = NULL;

    if (fd >= 0 && fcntl(fd, F_GET_SEALS) >= 0)
        text = read_memory(fd, most);
    if (fd >= 0)
        close(fd);
    return text;
}

char *secrets_text(struct call *c, GVariant *value, gsize most)
{
    char *text = NULL;
    const char *string;

    if (g_variant_is_of_type(value, G_VARIANT_TYPE_HANDLE)) {
        text = text_behind(c, g_variant_get_handle(value), most);
    } else {
        string = g_variant_get_string(value, NULL);
        if (strlen(string) <= most)
            text = g_strdup(string);
    }
    if (!text)
        calls_refuse(c, "Invalid", N_("It is too long, or no memfd with UTF-8 text in it."));
    return text;
}

/* ---- tables ---- */

static void refuse_by_fault(struct call *c, l2tpc_profile_note *fault)
{
    g_autofree char *text = l2tpc_profile_note_text(fault, _(fault->sentence));

    calls_refuse(c, "Invalid", text);
    l2tpc_profile_note_free(fault);
}

/* As the profile writes it; NULL after an error. */
static char *check_text(struct call *c, const struct kind *k, GVariant *value)
{
    char *text = secrets_text(c, value, TEXT_BYTES);
    l2tpc_profile_note *fault =
        text ? l2tpc_profile_value_fault(L2TPC_PROFILE_SECRETS, k->key, text) : NULL;

    if (!text)
        return NULL;
    if (fault)
        refuse_by_fault(c, fault);
    else if (k->need != L2TPC_NEED_PSK && strlen(text) > SECRET_BYTES)
        calls_refuse(c, "Invalid", N_("A secret has 512 bytes at most."));
    else
        return text;
    secrets_text_free(text);
    return NULL;
}

gboolean secrets_take(struct call *c, GVariant *table, l2tpc_profile *to)
{
    for (gsize i = 0; i < g_variant_n_children(table); i++) {
        g_autoptr(GVariant) entry = g_variant_get_child_value(table, i);
        g_autoptr(GVariant) name = g_variant_get_child_value(entry, 0);
        g_autoptr(GVariant) value = g_variant_get_child_value(entry, 1);
        const struct kind *k = kind_of_name(g_variant_get_string(name, NULL));
        char *text;

        if (!k) {
            calls_refuse(c, "Invalid", N_("There is no such secret."));
            return FALSE;
        }
        text = check_text(c, k, value);
        if (!text)
            return FALSE;
        l2tpc_profile_set(to, L2TPC_PROFILE_SECRETS, k->key, text);
        secrets_text_free(text);
    }
    return TRUE;
}

static void decode(const struct kind *k, const char *text, struct given_secret *out)
{
    if (k->need == L2TPC_NEED_PSK) {
        out->bytes = l2tpc_profile_decode_psk(text, &out->n);
        return;
    }
    out->bytes = g_strdup(text);
    out->n = strlen(text);
}

gboolean secrets_pick(struct call *c, GVariant *table, uint32_t need, struct given_secret *out)
{
    const struct kind *k = kind_of_need(need);
    char *text;

    *out = (struct given_secret){0};
    if (!k || g_variant_n_children(table) == 0)
        return TRUE;
    for (gsize i = 0; i < g_variant_n_children(table); i++) {
        g_autoptr(GVariant) entry = g_variant_get_child_value(table, i);
        g_autoptr(GVariant) name = g_variant_get_child_value(entry, 0);
        g_autoptr(GVariant) value = g_variant_get_child_value(entry, 1);

        if (strcmp(g_variant_get_string(name, NULL), k->name) != 0)
            continue;
        text = check_text(c, k, value);
        if (!text)
            return FALSE;
        decode(k, text, out);
        secrets_text_free(text);
        return TRUE;
    }
    calls_refuse(c, "Invalid", N_("That is not the secret that was asked for."));
    return FALSE;
}

void secrets_forget(struct given_secret *s)
{
    if (s->bytes)
        explicit_bzero(s->bytes, s->n);
    g_free(s->bytes);
    *s = (struct given_secret){0};
}

/* A value of GLib's is read only for its readers, and this one has none any more. */
void secrets_wipe_strings(GVariant *v)
{
    gsize n = 0;
    const char *text;

    if (g_variant_is_of_type(v, G_VARIANT_TYPE_STRING)) {
        text = g_variant_get_string(v, &n);
        explicit_bzero((char *)(uintptr_t)text, n);
        return;
    }
    if (!g_variant_is_container(v))
        return;
    for (gsize i = 0; i < g_variant_n_children(v); i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(v, i);

        secrets_wipe_strings(child);
    }
}
