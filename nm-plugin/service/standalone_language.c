/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service runs in the system's locale; who asks may read another language. */
#include "service/standalone_access.h"

#include <string.h>

#define NAME_MAX_LEN 32
#define LANGUAGES_MAX 256
#define LANGUAGES_OF_USER 32

struct language {
    uid_t uid;
    locale_t locale;
};

void language_free(gpointer user)
{
    struct language *l = user;

    freelocale(l->locale);
    g_free(l);
}

/* It becomes a part of paths in the C library. */
static gboolean is_locale(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= NAME_MAX_LEN && name[0] != '.' && !strstr(name, "..") &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.@-") == n;
}

static gboolean has_room(const struct call *c)
{
    GHashTableIter iter;
    gpointer value;
    guint n = 0;

    g_hash_table_iter_init(&iter, c->service->languages);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        n += ((struct language *)value)->uid == c->uid;
    return n < LANGUAGES_OF_USER && g_hash_table_size(c->service->languages) < LANGUAGES_MAX;
}

void language_set(struct call *c)
{
    const char *name;
    locale_t base = duplocale(LC_GLOBAL_LOCALE);
    locale_t locale = (locale_t)0;
    struct language *l;

    g_variant_get_child(c->parameters, 0, "&s", &name);
    (void)g_hash_table_remove(c->service->languages, calls_sender(c));
    if (base != (locale_t)0 && is_locale(name) && has_room(c))
        locale = newlocale(LC_MESSAGES_MASK | LC_CTYPE_MASK, name, base);
    if (locale == (locale_t)0) {
        if (base != (locale_t)0)
            freelocale(base);
        calls_refuse(c, "NotFound", N_("This computer does not have that language."));
        return;
    }
    l = g_new0(struct language, 1);
    l->uid = c->uid;
    l->locale = locale;
    (void)g_hash_table_insert(c->service->languages, g_strdup(calls_sender(c)), l);
    g_dbus_method_invocation_return_value(c->invocation, NULL);
}

locale_t language_enter(const struct service *s, const char *sender)
{
    const struct language *l = sender ? g_hash_table_lookup(s->languages, sender) : NULL;

    return uselocale(l ? l->locale : LC_GLOBAL_LOCALE);
}

void language_leave(locale_t before)
{
    (void)uselocale(before);
}
