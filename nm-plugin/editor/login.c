/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words of lists, and the ways to log in, which stand in two places of a profile. */
#include "form.h"

#include <string.h>

gboolean form_list_has(const char *list, const char *word)
{
    char **words = g_strsplit_set(list ? list : "", ", ", -1);
    gboolean has = g_strv_contains((const char *const *)words, word);

    g_strfreev(words);
    return has;
}

void form_list_set(l2tpc_profile *p, int table, const char *key, const char *word, gboolean on)
{
    char **words;
    GString *list = g_string_new(NULL);
    const char *before = l2tpc_profile_get(p, table, key);

    words = g_strsplit_set(before ? before : "", ", ", -1);
    for (gsize i = 0; words[i]; i++)
        if (*words[i] && strcmp(words[i], word) != 0)
            g_string_append_printf(list, "%s%s", list->len ? "," : "", words[i]);
    if (on)
        g_string_append_printf(list, "%s%s", list->len ? "," : "", word);
    l2tpc_profile_set(p, table, key, list->len ? list->str : NULL);
    (void)g_string_free(list, TRUE);
    g_strfreev(words);
}

static char *refusal(const char *method)
{
    return g_strconcat("refuse-", strcmp(method, "chap-md5") == 0 ? "chap" : method, NULL);
}

/* PAP is consented to in a profile of ours, and not refused in one of NetworkManager-l2tp. */
gboolean form_login_is_on(const l2tpc_profile *p, const char *method)
{
    const char *allow = l2tpc_profile_get(p, L2TPC_PROFILE_USER, "net.l2tpc.allow");
    char *refuse = refusal(method);
    char *denied = g_strconcat("!", method, NULL);
    gboolean on = !form_list_has(allow, denied) &&
                  g_strcmp0(l2tpc_profile_get(p, L2TPC_PROFILE_DATA, refuse), "yes") != 0;

    if (strcmp(method, "pap") == 0 && l2tpc_profile_is_ours(p))
        on = on && form_list_has(allow, "pap");
    g_free(denied);
    g_free(refuse);
    return on;
}

void form_login_set(l2tpc_profile *p, const char *method, gboolean on)
{
    char *refuse = refusal(method);
    char *denied = g_strconcat("!", method, NULL);

    form_list_set(p, L2TPC_PROFILE_USER, "net.l2tpc.allow", denied, FALSE);
    if (strcmp(method, "pap") == 0)
        form_list_set(p, L2TPC_PROFILE_USER, "net.l2tpc.allow", "pap", on);
    l2tpc_profile_set(p, L2TPC_PROFILE_DATA, refuse, on ? NULL : "yes");
    g_free(denied);
    g_free(refuse);
}
