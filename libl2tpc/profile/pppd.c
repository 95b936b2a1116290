/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options of pppd, as they stand in an options file and in OpenWrt's pppd_options. */
#include "profile/internal.h"

#include <string.h>

/* Without a meaning here, and nothing is missing without them. */
static const char *const housekeeping[] = {"ipcp-accept-local",
                                           "ipcp-accept-remote",
                                           "noccp",
                                           "noauth",
                                           "debug",
                                           "lock",
                                           "proxyarp",
                                           "connect-delay",
                                           "noipdefault",
                                           "nobsdcomp",
                                           "nodeflate",
                                           "novj",
                                           "novjccomp",
                                           "nopcomp",
                                           "noaccomp",
                                           "persist",
                                           "maxfail",
                                           "holdoff",
                                           "logfile",
                                           "crtscts",
                                           "modem",
                                           "idle",
                                           "hide-password",
                                           "local",
                                           "nodetach",
                                           "unit",
                                           "ifname",
                                           "ipparam",
                                           "linkname",
                                           "plugin",
                                           "default-asyncmap",
                                           "asyncmap",
                                           "noipx",
                                           "noipv6",
                                           "+ipv6",
                                           "ipv6",
                                           "dump",
                                           "silent",
                                           "passive",
                                           NULL};

static const struct {
    const char *word;
    enum {
        REFUSE,
        REQUIRE
    } what;
    enum {
        PAP,
        CHAP,
        MSCHAPV2,
        OTHER
    } login;
} login_words[] = {
    {"refuse-pap", REFUSE, PAP},
    {"-pap", REFUSE, PAP},
    {"refuse-chap", REFUSE, CHAP},
    {"-chap", REFUSE, CHAP},
    {"refuse-mschap-v2", REFUSE, MSCHAPV2},
    {"-mschap-v2", REFUSE, MSCHAPV2},
    {"refuse-mschap", REFUSE, OTHER},
    {"-mschap", REFUSE, OTHER},
    {"refuse-eap", REFUSE, OTHER},
    {"require-pap", REQUIRE, PAP},
    {"require-chap", REQUIRE, CHAP},
    {"require-mschap-v2", REQUIRE, MSCHAPV2},
    {"require-mschap", REQUIRE, OTHER},
    {"require-eap", REQUIRE, OTHER},
};

static bool take_login(struct pppd *state, const char *word)
{
    for (gsize i = 0; i < G_N_ELEMENTS(login_words); i++) {
        struct logins *l;

        if (strcmp(login_words[i].word, word) != 0)
            continue;
        l = login_words[i].what == REFUSE ? &state->refused : &state->required;
        l->pap = l->pap || login_words[i].login == PAP;
        l->chap = l->chap || login_words[i].login == CHAP;
        l->mschapv2 = l->mschapv2 || login_words[i].login == MSCHAPV2;
        return true;
    }
    return false;
}

static bool take_value(l2tpc_profile *p, const char *word, const char *value)
{
    static const char *const same[] = {"mru", "lcp-echo-interval", "lcp-echo-failure"};

    if (strcmp(word, "name") == 0 || strcmp(word, "user") == 0) {
        (void)profile_put(p, L2TPC_PROFILE_DATA, "user", value);
        return true;
    }
    if (strcmp(word, "password") == 0) {
        (void)profile_put(p, L2TPC_PROFILE_SECRETS, "password", value);
        return true;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(same); i++)
        if (strcmp(word, same[i]) == 0) {
            (void)profile_put(p, L2TPC_PROFILE_DATA, word, value);
            return true;
        }
    return strcmp(word, "mtu") == 0 || strcmp(word, "remotename") == 0; /* goes by the path */
}

bool pppd_option(l2tpc_profile *p, struct pppd *state, char **words)
{
    if (take_login(state, words[0]))
        return true;
    if (strcmp(words[0], "defaultroute") == 0) {
        g_key_file_remove_key(p->settings, "ipv4", "never-default", NULL);
        return true;
    }
    if (strcmp(words[0], "nodefaultroute") == 0) {
        profile_put_setting(p, "ipv4", "never-default", "true");
        return true;
    }
    if (strcmp(words[0], "usepeerdns") == 0) {
        g_key_file_remove_key(p->settings, "ipv4", "ignore-auto-dns", NULL);
        return true;
    }
    if (words[1] && take_value(p, words[0], words[1]))
        return true;
    if (g_str_has_prefix(words[0], "require-mppe") || strcmp(words[0], "mppe") == 0) {
        l2tpc_profile_set(p, L2TPC_PROFILE_DATA, "require-mppe", "yes");
        return true;
    }
    return g_strv_contains(housekeeping, words[0]);
}

/* What our end refuses; "require" is a demand on the server, which clients often set by mistake. */
void pppd_end(l2tpc_profile *p, const struct pppd *state)
{
    const struct logins *r = &state->refused;
    bool narrow = state->required.mschapv2 || state->required.chap || state->required.pap;
    struct logins l = {
        .mschapv2 = !r->mschapv2 && (!narrow || state->required.mschapv2),
        .chap = !r->chap && (!narrow || state->required.chap),
        .pap = !r->pap && state->required.pap,
    };

    if (!l.mschapv2 && !l.chap && !l.pap) { /* only PAP is left, or nothing was thought of */
        l.pap = !r->pap;
        l.mschapv2 = !l.pap;
    }
    profile_set_logins(p, l);
}

bool pppd_knows(const char *line)
{
    static const char *const telling[] = {"usepeerdns",
                                          "defaultroute",
                                          "nodefaultroute",
                                          "replacedefaultroute",
                                          "noccp",
                                          "noauth",
                                          "ipcp-accept-local",
                                          "ipcp-accept-remote",
                                          "refuse-eap",
                                          "require-mschap-v2",
                                          "lcp-echo-interval"};

    for (gsize i = 0; i < G_N_ELEMENTS(telling); i++)
        if (g_str_has_prefix(line, telling[i]))
            return true;
    return false;
}

void pppd_write(const struct export *out, GString *text)
{
    struct logins l = profile_logins(out->p);
    const char *mru = export_text(out, L2TPC_PROFILE_DATA, "mru");

    g_string_append(text, "ipcp-accept-local\nipcp-accept-remote\nnoauth\nnoccp\nrefuse-eap\n"
                          "refuse-mschap\n");
    if (!l.mschapv2)
        g_string_append(text, "refuse-mschap-v2\n");
    if (!l.chap)
        g_string_append(text, "refuse-chap\n");
    g_string_append(text, l.pap ? "require-pap\n" : "refuse-pap\n");
    if (l.pap && l.mschapv2)
        g_string_append(text, "require-mschap-v2\n");
    if (l.pap && l.chap)
        g_string_append(text, "require-chap\n");
    g_string_append_printf(text, "mtu %s\nmru %s\n", *mru ? mru : "1400", *mru ? mru : "1400");
    g_string_append(text, profile_setting_true(out->p, "ipv4", "never-default") ? "nodefaultroute\n"
                                                                                : "defaultroute\n");
    if (!profile_setting_true(out->p, "ipv4", "ignore-auto-dns"))
        g_string_append(text, "usepeerdns\n");
}
