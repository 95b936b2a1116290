/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Out of a profile, and back into one: what a format carries comes back, what it does not is said.
 */
#include "dump.h"

enum {
    DATA = L2TPC_PROFILE_DATA,
    SECRETS = L2TPC_PROFILE_SECRETS,
    USER = L2TPC_PROFILE_USER
};

#define PASSWORD "won\"der'land \\$1 ?&<x>; #\xc3\xbc"
#define PSK "Ng7x'4t\"Qz$V9 \\s;#<&>"

static l2tpc_profile *full(void)
{
    l2tpc_profile *p = l2tpc_profile_new();
    GKeyFile *kf = l2tpc_profile_get_settings(p);

    l2tpc_profile_set_id(p, "office");
    l2tpc_profile_set(p, DATA, "gateway", "vpn.example.com");
    l2tpc_profile_set(p, DATA, "user", "alice");
    l2tpc_profile_set(p, DATA, "refuse-chap", "yes");
    l2tpc_profile_set(p, DATA, "mru", "1380");
    l2tpc_profile_set(p, DATA, "ipsec-ike", "aes256-sha256-modp2048");
    l2tpc_profile_set(p, DATA, "ipsec-esp", "aes256-sha256");
    l2tpc_profile_set(p, SECRETS, "password", PASSWORD);
    l2tpc_profile_set(p, SECRETS, "ipsec-psk", PSK);
    l2tpc_profile_set(p, USER, "net.l2tpc.allow", "pap");
    l2tpc_profile_set(p, USER, "net.l2tpc.local-id", "keyid:Sales");
    l2tpc_profile_set(p, USER, "net.l2tpc.reconnect", "on");
    g_key_file_set_string(kf, "ipv4", "never-default", "true");
    g_key_file_set_string(kf, "ipv4", "route1", "10.20.0.0/16");
    g_key_file_set_string(kf, "ipv4", "dns", "10.20.0.53;");
    return p;
}

/* There and back, or NULL. */
static l2tpc_profile *there_and_back_again(const l2tpc_profile *p, const char *format,
                                           unsigned flags, char **out_lost)
{
    GPtrArray *files = NULL;
    GPtrArray *notes = NULL;
    GPtrArray *profiles = NULL;
    l2tpc_profile_file list[8];
    l2tpc_profile *back = NULL;

    *out_lost = NULL;
    if (l2tpc_profile_export(p, format, flags, &files, &notes) != L2TPC_PROFILE_OK) {
        *out_lost = dump_notes(notes);
        g_ptr_array_unref(notes);
        return NULL;
    }
    for (guint i = 0; i < files->len; i++)
        list[i] = *(const l2tpc_profile_file *)g_ptr_array_index(files, i);
    if (l2tpc_profile_import(list, files->len, &profiles, NULL) == L2TPC_PROFILE_OK) {
        back = g_ptr_array_steal_index(profiles, 0);
        g_ptr_array_unref(profiles);
    }
    *out_lost = dump_notes(notes);
    g_ptr_array_unref(files);
    g_ptr_array_unref(notes);
    return back;
}

struct carried {
    const char *format;
    bool user, password, psk, split, route, ike, esp, own_id, pap, dns;
};

static const struct carried rows[] = {
    {"networkmanager", true, true, true, true, true, true, true, true, true, true},
    {"nm-l2tp", true, false, false, true, true, true, true, false, false, true},
    {"apple", true, true, true, true, false, false, false, true, true, true},
    {"rasphone", false, false, false, true, false, false, false, false, true, true},
    {"powershell", false, false, true, true, true, true, true, false, true, false},
    {"onc", true, true, true, false, false, false, false, true, false, false},
    {"swan", true, true, true, true, false, true, true, true, true, false},
    {"routeros", true, true, true, true, true, true, true, false, true, false},
    {"openwrt", true, true, false, true, true, false, false, false, true, true},
};

static bool same(const l2tpc_profile *a, const l2tpc_profile *b, int table, const char *key)
{
    return g_strcmp0(l2tpc_profile_get(a, table, key), l2tpc_profile_get(b, table, key)) == 0;
}

static bool same_setting(const l2tpc_profile *a, const l2tpc_profile *b, const char *key)
{
    char *x = g_key_file_get_value(l2tpc_profile_get_settings(a), "ipv4", key, NULL);
    char *y = g_key_file_get_value(l2tpc_profile_get_settings(b), "ipv4", key, NULL);
    bool equal = g_strcmp0(x, y) == 0;

    g_free(x);
    g_free(y);
    return equal;
}

static void check_round(const struct carried *r)
{
    l2tpc_profile *p = full();
    char *lost = NULL;
    l2tpc_profile *back;

    /* A double quote would end a secret in the files of pppd; there it is refused (below). */
    if (strcmp(r->format, "swan") == 0)
        l2tpc_profile_set(p, SECRETS, "password", "wonder'land \\$1 ?&<x>; #");
    back = there_and_back_again(p, r->format, L2TPC_PROFILE_WITH_SECRETS, &lost);
    if (!back) {
        check_fail(__FILE__, __LINE__, "%s does not come back: %s", r->format, lost);
        return;
    }
    CHECK_STR(l2tpc_profile_get(back, DATA, "gateway"), "vpn.example.com");
    CHECK_STR(l2tpc_profile_get(back, DATA, "ipsec-enabled"), "yes");
#define CARRIED(what, is_same)                                                                     \
    if (r->what != (is_same))                                                                      \
    check_fail(__FILE__, __LINE__, "%s: %s %s", r->format, #what,                                  \
               r->what ? "is lost" : "comes back")
    CARRIED(user, same(p, back, DATA, "user"));
    CARRIED(password, same(p, back, SECRETS, "password"));
    CARRIED(psk, same(p, back, SECRETS, "ipsec-psk"));
    CARRIED(split, same_setting(p, back, "never-default"));
    CARRIED(route, same_setting(p, back, "route1"));
    CARRIED(ike, same(p, back, DATA, "ipsec-ike"));
    CARRIED(esp, same(p, back, DATA, "ipsec-esp"));
    CARRIED(own_id, same(p, back, USER, "net.l2tpc.local-id"));
    CARRIED(pap, same(p, back, USER, "net.l2tpc.allow"));
    CARRIED(dns, same_setting(p, back, "dns"));
    if (!r->ike)
        CHECK(strstr(lost, "export.cannot-carry ipsec-ike"));
    if (!r->own_id)
        CHECK(strstr(lost, "export.cannot-carry net.l2tpc.local-id"));
    g_free(lost);
    l2tpc_profile_free(back);
    l2tpc_profile_free(p);
}

TEST(there_and_back)
{
    l2tpc_profile_format f;
    unsigned n = 0;

    for (; l2tpc_profile_format_at(n, &f); n++)
        CHECK_STR(f.name, rows[n].format);
    CHECK_INT(n, sizeof(rows) / sizeof(rows[0]));
    for (unsigned i = 0; i < n; i++)
        check_round(&rows[i]);
}

/* Nothing of NetworkManager's own profiles is lost on the way, whoever has written them. */
static void check_lossless(const char *name, const char *format)
{
    GPtrArray *profiles = NULL;
    char *lost = NULL;
    l2tpc_profile *p, *back;
    char *before, *after;

    CHECK_INT(vector_import(name, &profiles, NULL), L2TPC_PROFILE_OK);
    p = g_ptr_array_index(profiles, 0);
    back = there_and_back_again(p, format, L2TPC_PROFILE_WITH_SECRETS, &lost);
    CHECK(back != NULL);
    before = dump_profile(p);
    after = dump_profile(back);
    CHECK_STR(after, before);
    CHECK_STR(lost, "");
    g_free(before);
    g_free(after);
    g_free(lost);
    l2tpc_profile_free(back);
    g_ptr_array_unref(profiles);
}

TEST(keyfiles_are_lossless)
{
    check_lossless("every-key.nmconnection", "networkmanager");
    check_lossless("1.52.nmconnection", "networkmanager");
    check_lossless("ours.nmconnection", "networkmanager");
}

/* Byte for byte what the real one has, though in another order. */
TEST(exports_of_the_plugin_are_lossless)
{
    GPtrArray *profiles = NULL;
    GPtrArray *files = NULL;
    GPtrArray *notes = NULL;
    GBytes *real = vector_bytes("every-key.conf");
    gsize n_ours = 0, n_real = 0;
    const char *ours, *theirs;
    char **lines;

    CHECK_INT(vector_import("every-key.conf", &profiles, NULL), L2TPC_PROFILE_OK);
    CHECK_INT(l2tpc_profile_export(g_ptr_array_index(profiles, 0), "nm-l2tp", 0, &files, &notes),
              L2TPC_PROFILE_OK);
    ours = g_bytes_get_data(((l2tpc_profile_file *)g_ptr_array_index(files, 0))->bytes, &n_ours);
    theirs = g_bytes_get_data(real, &n_real);
    CHECK(g_str_has_prefix(ours, "#org.freedesktop.NetworkManager.l2tp\n"));
    lines = g_strsplit(theirs, "\n", -1);
    for (gsize i = 0; lines[i]; i++) /* every line of the real one, in whatever order */
        if (!strstr(ours, lines[i]))
            check_fail(__FILE__, __LINE__, "lost: %s", lines[i]);
    g_strfreev(lines);
    g_bytes_unref(real);
    g_ptr_array_unref(files);
    g_ptr_array_unref(notes);
    g_ptr_array_unref(profiles);
}

TEST(without_secrets_there_are_none)
{
    l2tpc_profile *p = full();
    l2tpc_profile_format f;

    l2tpc_profile_set(p, SECRETS, "password", "wonderland");
    l2tpc_profile_set(p, SECRETS, "ipsec-psk", "Ng7x4tQzV9");
    for (unsigned i = 0; l2tpc_profile_format_at(i, &f); i++) {
        GPtrArray *files = NULL;
        GPtrArray *notes = NULL;

        CHECK_INT(l2tpc_profile_export(p, f.name, 0, &files, &notes), L2TPC_PROFILE_OK);
        CHECK(notes_hold(notes, "export.no-secrets"));
        for (guint k = 0; k < files->len; k++) {
            gsize n = 0;
            const l2tpc_profile_file *file = g_ptr_array_index(files, k);
            const char *text = g_bytes_get_data(file->bytes, &n);

            CHECK(!memmem(text, n, "wonderland", 10) && !memmem(text, n, "Ng7x4tQzV9", 10));
            CHECK(!memmem(text, n, "Tmc3eDR0UXpWOQ", 14)); /* in base64 */
        }
        g_ptr_array_unref(files);
        g_ptr_array_unref(notes);
    }
    l2tpc_profile_free(p);
}

TEST(secret_among_the_data_is_one_as_well)
{
    l2tpc_profile *p = full();
    GPtrArray *files = NULL;
    gsize n = 0;
    const char *text;

    l2tpc_profile_set(p, SECRETS, "ipsec-psk", NULL);
    l2tpc_profile_set(p, DATA, "ipsec-psk", "Ng7x4tQzV9");
    CHECK_INT(l2tpc_profile_export(p, "networkmanager", 0, &files, NULL), L2TPC_PROFILE_OK);
    text = g_bytes_get_data(((l2tpc_profile_file *)g_ptr_array_index(files, 0))->bytes, &n);
    CHECK(!memmem(text, n, "Ng7x4tQzV9", 10));
    g_ptr_array_unref(files);
    l2tpc_profile_free(p);
}

TEST(nothing_ends_a_line_elsewhere)
{
    l2tpc_profile *p = full();
    l2tpc_profile_format f;

    l2tpc_profile_set(p, DATA, "user", "alice\nname root");
    for (unsigned i = 0; l2tpc_profile_format_at(i, &f); i++) {
        GPtrArray *files = NULL;
        GPtrArray *notes = NULL;

        CHECK_INT(l2tpc_profile_export(p, f.name, 0, &files, &notes), L2TPC_PROFILE_EINVALID);
        CHECK(files == NULL && notes_hold(notes, "value.control"));
        g_ptr_array_unref(notes);
    }
    l2tpc_profile_free(p);
}

TEST(nothing_ends_a_line_by_a_setting)
{
    static const char *const settings[][3] = {
        {"ipv4", "dns", "10.0.0.1'\\n\\toption x 'y"},
        {"ipv4", "dns-search", "a b"},
        {"ipv4", "route1", "10.0.0.0/8\\nRemove-Item x"},
        {"ipv4", "route1", "10.0.0.0/8; Remove-Item x"},
        {"ipv4", "route1", "10.0.0.0/8,10.0.0.1\\n[vpn]"},
        {"ipv6", "route1", "::/0 x"},
        {"vpn", "user-name", "alice\\nname root"},
    };
    l2tpc_profile_format f;

    for (size_t r = 0; r < sizeof(settings) / sizeof(settings[0]); r++)
        for (unsigned i = 1; l2tpc_profile_format_at(i, &f); i++) {
            l2tpc_profile *p = full();
            GPtrArray *files = NULL;

            g_key_file_set_value(l2tpc_profile_get_settings(p), settings[r][0], settings[r][1],
                                 settings[r][2]);
            CHECK_INT(l2tpc_profile_export(p, f.name, 0, &files, NULL), L2TPC_PROFILE_EINVALID);
            l2tpc_profile_free(p);
        }
}

TEST(quote_that_pppd_cannot_hold)
{
    l2tpc_profile *p = full();
    GPtrArray *files = NULL;
    GPtrArray *notes = NULL;

    CHECK_INT(l2tpc_profile_export(p, "swan", L2TPC_PROFILE_WITH_SECRETS, &files, &notes),
              L2TPC_PROFILE_EINVALID);
    CHECK(notes_hold(notes, "export.no-character"));
    g_ptr_array_unref(notes);
    l2tpc_profile_free(p);
}

TEST(key_of_any_bytes)
{
    l2tpc_profile *p = full();
    GPtrArray *files = NULL;
    GPtrArray *notes = NULL;

    l2tpc_profile_set(p, SECRETS, "ipsec-psk", "0sAAEC/w==");
    CHECK_INT(l2tpc_profile_export(p, "onc", L2TPC_PROFILE_WITH_SECRETS, &files, &notes),
              L2TPC_PROFILE_OK);
    CHECK(notes_hold(notes, "export.cannot-carry"));
    g_ptr_array_unref(files);
    g_ptr_array_unref(notes);
    l2tpc_profile_free(p);
}

TEST(unknown_format)
{
    l2tpc_profile *p = full();
    GPtrArray *files = NULL;

    CHECK_INT(l2tpc_profile_export(p, "vpnc", 0, &files, NULL), L2TPC_PROFILE_EARGUMENT);
    CHECK_INT(l2tpc_profile_export(p, NULL, 0, &files, NULL), L2TPC_PROFILE_EARGUMENT);
    l2tpc_profile_free(p);
}
