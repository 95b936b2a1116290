/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a profile to the settings of a dial; whose consent it carries. */
#include "dump.h"

static l2tpc_profile *load(const char *name)
{
    GPtrArray *profiles = NULL;
    l2tpc_profile *p;

    if (vector_import(name, &profiles, NULL) != L2TPC_PROFILE_OK)
        return NULL;
    p = g_ptr_array_steal_index(profiles, 0);
    g_ptr_array_unref(profiles);
    return p;
}

/* What every old profile has; the rest is the default of NetworkManager-l2tp. */
static l2tpc_profile *old_profile(void)
{
    GHashTable *data = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    l2tpc_profile *p;

    (void)g_hash_table_insert(data, g_strdup("gateway"), g_strdup("vpn.example.com"));
    (void)g_hash_table_insert(data, g_strdup("user"), g_strdup("alice"));
    (void)g_hash_table_insert(data, g_strdup("ipsec-enabled"), g_strdup("yes"));
    p = l2tpc_profile_new_from_tables(data, NULL, NULL);
    g_hash_table_unref(data);
    return p;
}

static void expect(const l2tpc_profile *p, const char *want)
{
    char *got = dump_options(p);

    CHECK_STR(got, want);
    g_free(got);
}

static void expect_error(const l2tpc_profile *p, const char *code)
{
    GPtrArray *options = NULL;
    GPtrArray *notes = NULL;

    CHECK_INT(l2tpc_profile_get_dial(p, &options, &notes), L2TPC_PROFILE_EINVALID);
    CHECK(options == NULL);
    CHECK(notes_hold(notes, code));
    CHECK_INT(((const l2tpc_profile_note *)g_ptr_array_index(notes, 0))->severity,
              L2TPC_PROFILE_ERROR);
    g_ptr_array_unref(notes);
}

static void set(l2tpc_profile *p, const char *key, const char *value)
{
    int table = g_str_has_prefix(key, "net.l2tpc.") ? L2TPC_PROFILE_USER : L2TPC_PROFILE_DATA;

    l2tpc_profile_set(p, table, key, value);
}

TEST(untouched_old_profile_has_that_plugins_list_and_pap)
{
    l2tpc_profile *p = old_profile();
    GPtrArray *notes = l2tpc_profile_check(p);

    CHECK(!l2tpc_profile_is_ours(p));
    expect(p, "server=vpn.example.com\nuser=alice\n"
              "ike=aes256-sha2_256-modp2048,aes256-sha2_256-modp1536,aes256-sha1-ecp384,"
              "aes128-sha1-ecp256,aes256-sha1-modp2048,aes256-sha1-modp1536,3des-sha1-modp2048,"
              "aes256-sha2_256-modp1024,aes256-sha1-modp1024,aes128-sha1-modp1024,"
              "3des-sha1-modp1024\n"
              "esp=aes256-sha1,aes128-sha1,3des-sha1\nallow=pap\n");
    CHECK(notes_hold(notes, "weak.nm-l2tp-list") && notes_hold(notes, "weak.pap"));
    CHECK(notes_hold(notes, "differs.port") && notes_hold(notes, "differs.ipv6"));
    g_ptr_array_unref(notes);
    l2tpc_profile_free(p);
}

TEST(kill_switch_alone_takes_no_consent_away)
{
    l2tpc_profile *p = old_profile();
    char *got;

    set(p, "net.l2tpc.kill-switch", "yes");
    got = dump_options(p);
    CHECK(strstr(got, "modp1024") && strstr(got, "allow=pap\n") && strstr(got, "kill-switch=yes"));
    g_free(got);
    l2tpc_profile_free(p);
}

TEST(chosen_policy_ends_the_consent)
{
    l2tpc_profile *p = old_profile();

    set(p, "net.l2tpc.policy", "compatible");
    CHECK(l2tpc_profile_is_ours(p));
    expect(p, "server=vpn.example.com\nuser=alice\npolicy=compatible\n");
    l2tpc_profile_free(p);
}

TEST(every_key_of_the_plugin)
{
    l2tpc_profile *p = load("every-key.nmconnection");
    GPtrArray *notes;

    CHECK(p != NULL);
    expect(p, "server=vpn.example.com\nuser=alice\ndomain=EXAMPLE\n"
              "ike=aes256-sha2_256-modp2048,aes128-sha1-modp1024!\nesp=aes256-sha1,aes128-sha1!\n"
              "psk=Ng7x;4t \\s#QzV9\nserver-id=@gate.example.com\nencapsulation=udp\n"
              "mru=1380\nreconnect=on\npassword= won\\der\"land'; \n"
              "route=10.20.0.0/16\nroute=10.30.0.0/16\nno-default-route=yes\nno-dns=yes\n");
    notes = l2tpc_profile_check(p);
    CHECK(notes_hold(notes, "differs.mppe") && notes_hold(notes, "differs.next-hop"));
    CHECK(notes_hold(notes, "differs.echo") && notes_hold(notes, "weak.suite"));
    CHECK(!notes_hold(notes, "key.unknown"));
    g_ptr_array_unref(notes);
    l2tpc_profile_free(p);
}

TEST(keys_of_series_1_52)
{
    l2tpc_profile *p = load("1.52.nmconnection");
    char *got;

    CHECK(p != NULL);
    got = dump_options(p);
    CHECK(strstr(got, "psk=Ng7x4tQzV9\n") && strstr(got, "local-id=@Sales\n"));
    CHECK(strstr(got, "server-id=@old.example.com\n")); /* the old name goes first */
    g_free(got);
    l2tpc_profile_free(p);
}

TEST(settings_of_ours)
{
    l2tpc_profile *p = load("ours.nmconnection");

    CHECK(p != NULL);
    expect(p, "server=[2001:db8::1]\nuser=alice\npolicy=strong\nallow=cn-name\n"
              "encapsulation=udp\nquirk=port-1701\nquirk=sha256-96\nreconnect=on\n"
              "kill-switch=yes\nallow-lan=yes\n");
    l2tpc_profile_free(p);
}

TEST(certificate_of_an_old_profile)
{
    l2tpc_profile *p = old_profile();
    char *got;

    set(p, "machine-auth-type", "tls");
    expect_error(p, "profile.no-certificate");
    set(p, "machine-cert", "/etc/alice.p12");
    set(p, "machine-key", "/etc/alice.p12");
    expect_error(p, "profile.no-ca");
    set(p, "machine-ca", "file:///etc/ca.pem");
    set(p, "ipsec-group-name", "@Sales"); /* with a pre-shared key only */
    l2tpc_profile_set(p, L2TPC_PROFILE_SECRETS, "machine-certpass", "opensesame");
    got = dump_options(p);
    CHECK(strstr(got, "certificate=/etc/alice.p12\nca=/etc/ca.pem\npassphrase=opensesame\n"
                      "allow=cn-name\n"));
    CHECK(!strstr(got, "key=/etc/alice.p12") && !strstr(got, "local-id"));
    g_free(got);
    l2tpc_profile_free(p);
}

TEST(what_is_never_dialed)
{
    static const struct {
        const char *key, *value, *code;
    } rows[] = {
        {"gateway", NULL, "profile.no-gateway"},
        {"ipsec-enabled", NULL, "profile.no-ipsec"},
        {"ipsec-enabled", "no", "profile.no-ipsec"},
        {"ipsec-ikev2", "yes", "profile.ikev2"},
        {"user-auth-type", "tls", "profile.eap-tls"},
        {"net.l2tpc.policy", "custom", "profile.no-proposals"},
        {"net.l2tpc.ike-mode", "aggressive", "profile.aggressive-consent"},
        {"net.l2tpc.policy", "paranoid", "value.choice"},
        {"mru", "1400x", "value.number"},
        {"mru", "-1", "value.number"},
        {"mru", "99999999999999999999", "value.range"},
        {"mru", "64", "value.range"},
        {"refuse-pap", "true", "value.flag"},
        {"gateway", "vpn.example.com\nright=evil", "value.control"},
        {"gateway", "vpn.example.com; rm", "value.name"},
        {"gateway", "\"vpn\"", "value.name"},
        {"user",
         "ali\x01"
         "ce",
         "value.control"},
        {"user",
         "ali\xff"
         "ce",
         "value.utf8"},
        {"ipsec-remote-id", "\"@gate\"", "value.quotes"},
        {"machine-ca", "/etc/<x>", "value.quotes"},
        {"ipsec-ike", "aes256\"; type=tunnel", "value.proposals"},
        {"ipcp-peer-ip", "10.0.0.300", "value.address"},
        {"net.l2tpc.allow", "pap,everything", "value.choice"},
        {"net.l2tpc.timeout", "0", "value.range"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        l2tpc_profile *p = old_profile();

        set(p, rows[i].key, rows[i].value);
        expect_error(p, rows[i].code);
        l2tpc_profile_free(p);
    }
}

TEST(every_login_refused)
{
    l2tpc_profile *p = old_profile();

    set(p, "refuse-pap", "yes");
    set(p, "refuse-chap", "yes");
    set(p, "refuse-mschapv2", "yes");
    expect_error(p, "profile.no-login");
    l2tpc_profile_free(p);
}

TEST(kill_switch_with_a_hole)
{
    l2tpc_profile *p = old_profile();

    set(p, "net.l2tpc.kill-switch", "yes");
    set(p, "net.l2tpc.keep-ipv6", "yes");
    expect_error(p, "profile.kill-switch-split");
    l2tpc_profile_free(p);
}

/* A megabyte is refused for every key there is, and not repeated to anybody. */
TEST(huge_values)
{
    char *huge = g_strnfill(1 << 20, 'a');
    l2tpc_profile_key key;

    for (unsigned i = 0; l2tpc_profile_key_at(i, &key); i++) {
        l2tpc_profile_note *n = l2tpc_profile_value_fault(key.table, key.name, huge);
        char *text = n ? l2tpc_profile_note_text(n, NULL) : NULL;

        if (!n)
            check_fail(__FILE__, __LINE__, "%s takes a megabyte", key.name);
        CHECK(text && strlen(text) < 400);
        g_free(text);
        l2tpc_profile_note_free(n);
    }
    g_free(huge);
}

TEST(secrets_are_never_in_notes)
{
    l2tpc_profile *p = old_profile();
    GPtrArray *notes;
    char *text;

    l2tpc_profile_set(p, L2TPC_PROFILE_SECRETS, "password", "wonder\nland");
    l2tpc_profile_set(p, L2TPC_PROFILE_SECRETS, "ipsec-psk", "0s!hidden!");
    set(p, "ipsec-psk", "hidden\x02");
    notes = l2tpc_profile_check(p);
    text = dump_notes(notes);
    CHECK(notes_hold(notes, "value.control") && notes_hold(notes, "value.base64"));
    CHECK(!strstr(text, "wonder") && !strstr(text, "hidden"));
    g_free(text);
    g_ptr_array_unref(notes);
    l2tpc_profile_free(p);
}

TEST(a_key_of_a_person_is_that_of_a_profile)
{
    gsize n = 0;
    char *bytes = l2tpc_profile_decode_psk("0sYQBi", &n);

    CHECK(bytes);
    CHECK_MEM(bytes, n, "a\0b", 3);
    g_free(bytes);
    bytes = l2tpc_profile_decode_psk("0x6162", &n); /* hexadecimal is of other programs */
    CHECK(bytes);
    CHECK_MEM(bytes, n, "0x6162", 6);
    g_free(bytes);
    CHECK(!l2tpc_profile_decode_psk("0s*", &n) && n == 0);
    CHECK(!l2tpc_profile_decode_psk("0s", &n));
    CHECK(!l2tpc_profile_decode_psk("a\x01", &n));
    bytes = g_strnfill(513, 'x');
    CHECK(!l2tpc_profile_decode_psk(bytes, &n));
    g_free(bytes);
}

TEST(keys_and_codes_are_unique)
{
    GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    l2tpc_profile_key key;
    l2tpc_profile_note note;

    for (unsigned i = 0; l2tpc_profile_key_at(i, &key); i++) {
        CHECK(g_hash_table_add(seen, g_strdup_printf("%d %s", key.table, key.name)));
        CHECK(key.meaning[0] && key.series[0] && key.type[0] && key.use[0]);
        CHECK(key.table != L2TPC_PROFILE_USER || g_str_has_prefix(key.name, "net.l2tpc."));
    }
    CHECK(g_hash_table_size(seen) > 60);
    for (unsigned i = 0; l2tpc_profile_note_at(i, &note); i++) {
        CHECK(g_hash_table_add(seen, g_strdup(note.code)));
        CHECK(g_str_has_suffix(note.sentence, ".") || g_str_has_suffix(note.sentence, "{value}"));
        CHECK(l2tpc_profile_severity_name(note.severity)[0] != '\0');
    }
    g_hash_table_unref(seen);
}
