/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of others become profiles: tests/vectors/profile has them, and beside each what must come
 * of it (NAME.want: every value, and the codes of the notes). PROFILE_WANT=write in the environment
 * writes those anew, to be read before they are kept.
 */
#include "dump.h"

static void compare(const char *names, const char *want)
{
    GPtrArray *profiles = NULL;
    GPtrArray *notes = NULL;
    int rc = vector_import(names, &profiles, &notes);
    char *of_files = dump_notes(notes);
    GString *got = g_string_new(NULL);
    char *path = g_build_filename(VECTOR_DIR, want, NULL);
    char *text = NULL;

    CHECK_INT(rc, L2TPC_PROFILE_OK);
    for (guint i = 0; i < profiles->len; i++) {
        char *one = dump_profile(g_ptr_array_index(profiles, i));

        g_string_append_printf(got, "%s--\n", one);
        g_free(one);
    }
    g_string_append(got, of_files);
    if (g_strcmp0(g_getenv("PROFILE_WANT"), "write") == 0)
        (void)g_file_set_contents(path, got->str, (gssize)got->len, NULL);
    CHECK(g_file_get_contents(path, &text, NULL, NULL));
    CHECK_MEM(got->str, got->len, text, strlen(text));
    g_free(text);
    g_free(path);
    g_free(of_files);
    g_string_free(got, TRUE);
    g_ptr_array_unref(profiles);
    g_ptr_array_unref(notes);
}

TEST(keyfile_of_libnm)
{
    compare("every-key.nmconnection", "every-key.nmconnection.want");
}

TEST(export_of_the_real_plugin)
{
    compare("every-key.conf", "every-key.conf.want");
}

TEST(keyfile_of_series_1_52)
{
    compare("1.52.nmconnection", "1.52.nmconnection.want");
}

TEST(export_of_series_1_52)
{
    compare("1.52.conf", "1.52.conf.want");
}

TEST(keyfile_of_ours)
{
    compare("ours.nmconnection", "ours.nmconnection.want");
}

TEST(apple_xml)
{
    compare("office.mobileconfig", "office.mobileconfig.want");
}

TEST(apple_binary)
{
    compare("office-binary.mobileconfig", "office.mobileconfig.want");
}

TEST(apple_signed)
{
    compare("office-signed.mobileconfig", "office-signed.mobileconfig.want");
}

TEST(apple_signed_and_changed)
{
    GBytes *bytes = vector_bytes("office-signed.mobileconfig");
    GByteArray *copy = g_bytes_unref_to_array(bytes);
    guint8 *host = memmem(copy->data, copy->len, "vpn.example.com", 15);
    l2tpc_profile_file f = {0};
    GPtrArray *profiles = NULL;
    GPtrArray *notes = NULL;

    CHECK(host != NULL);
    host[0] = 'e';
    f.bytes = g_byte_array_free_to_bytes(copy);
    CHECK_INT(l2tpc_profile_import(&f, 1, &profiles, &notes), L2TPC_PROFILE_EMALFORMED);
    CHECK(profiles == NULL && notes_hold(notes, "file.signature-bad"));
    g_ptr_array_unref(notes);
    g_bytes_unref(f.bytes);
}

TEST(chrome)
{
    compare("office.onc", "office.onc.want");
}

TEST(windows_phone_book)
{
    compare("rasphone.pbk", "rasphone.pbk.want");
}

TEST(windows_phone_book_in_utf16)
{
    GBytes *bytes = vector_bytes("rasphone.pbk");
    gsize n = 0;
    const char *plain = g_bytes_get_data(bytes, &n);
    gsize wide_n = 0;
    char *wide = g_convert(plain, (gssize)n, "UTF-16", "UTF-8", NULL, &wide_n, NULL);
    l2tpc_profile_file f = {.bytes = g_bytes_new_take(wide, wide_n)};
    GPtrArray *profiles = NULL;

    CHECK_INT(l2tpc_profile_import(&f, 1, &profiles, NULL), L2TPC_PROFILE_OK);
    CHECK_INT(profiles->len, 2);
    g_ptr_array_unref(profiles);
    g_bytes_unref(f.bytes);
    g_bytes_unref(bytes);
}

TEST(windows_script)
{
    compare("office.ps1", "office.ps1.want");
}

TEST(swan_and_xl2tpd)
{
    compare("ipsec.conf ipsec.secrets xl2tpd.conf options.l2tpd.client chap-secrets", "swan.want");
}

TEST(swan_in_another_order)
{
    compare("chap-secrets options.l2tpd.client xl2tpd.conf ipsec.secrets ipsec.conf", "swan.want");
}

TEST(xl2tpd_alone)
{
    compare("xl2tpd.conf", "xl2tpd.conf.want");
}

TEST(router_of_mikrotik)
{
    compare("router.rsc", "router.rsc.want");
}

TEST(router_of_openwrt)
{
    compare("network", "network.want");
}

/* Desktops try every plugin's import with every file: what is not ours is refused, as that. */
TEST(foreign_files_are_not_supported)
{
    GPtrArray *names = vector_names("foreign");

    CHECK(names->len >= 30);
    for (guint i = 0; i < names->len; i++) {
        GPtrArray *profiles = NULL;
        GPtrArray *notes = NULL;
        const char *name = g_ptr_array_index(names, i);
        gint64 before = g_get_monotonic_time();
        int rc = vector_import(name, &profiles, &notes);

        if (rc != L2TPC_PROFILE_ENOTSUPPORTED)
            check_fail(__FILE__, __LINE__, "%s: %d", name, rc);
        CHECK(profiles == NULL && notes->len > 0);
        CHECK(g_get_monotonic_time() - before < 2 * G_USEC_PER_SEC);
        g_ptr_array_unref(notes);
    }
    g_ptr_array_unref(names);
}

/* Whole files, so that only the bound can refuse them. */
TEST(nesting_is_bounded)
{
    GString *json = g_string_new("{\"NetworkConfigurations\":");
    GString *xml = g_string_new("<?xml version=\"1.0\"?><plist version=\"1.0\">");
    GPtrArray *profiles = NULL;

    for (int i = 0; i < 3000; i++) {
        g_string_append_c(json, '[');
        g_string_append(xml, "<array>");
    }
    for (int i = 0; i < 3000; i++) {
        g_string_append_c(json, ']');
        g_string_append(xml, "</array>");
    }
    g_string_append_c(json, '}');
    g_string_append(xml, "</plist>");
    CHECK_INT(text_import(json->str, &profiles, NULL), L2TPC_PROFILE_EMALFORMED);
    CHECK_INT(text_import(xml->str, &profiles, NULL), L2TPC_PROFILE_EMALFORMED);
    CHECK(profiles == NULL);
    g_string_free(json, TRUE);
    g_string_free(xml, TRUE);
}

static void put_be(GByteArray *to, guint64 v, unsigned n)
{
    while (n-- > 0) {
        guint8 byte = (guint8)(v >> 8 * n);

        (void)g_byte_array_append(to, &byte, 1);
    }
}

/* An empty dictionary, and many objects that nobody asks for: they could as well be lists in lists.
 */
static int import_binary(guint objects)
{
    GByteArray *file = g_byte_array_new();
    GPtrArray *profiles = NULL;
    l2tpc_profile_file f = {0};
    int rc;

    (void)g_byte_array_append(file, (const guint8 *)"bplist00", 8);
    put_be(file, 0xd0, 1);
    for (guint i = 1; i < objects; i++)
        put_be(file, 0x09, 1);
    for (guint i = 0; i < objects; i++)
        put_be(file, 8 + i, 4);
    put_be(file, 0, 6);
    put_be(file, 4, 1); /* bytes of an offset, */
    put_be(file, 2, 1); /* of a reference */
    put_be(file, objects, 8);
    put_be(file, 0, 8);
    put_be(file, 8 + objects, 8);
    f.bytes = g_byte_array_free_to_bytes(file);
    rc = l2tpc_profile_import(&f, 1, &profiles, NULL);
    g_bytes_unref(f.bytes);
    return rc;
}

TEST(objects_of_a_binary_list_are_bounded)
{
    CHECK_INT(import_binary(100), L2TPC_PROFILE_ENOTSUPPORTED); /* read, and nothing in it */
    CHECK_INT(import_binary(9000), L2TPC_PROFILE_EMALFORMED);
}

TEST(files_are_bounded)
{
    char *big = g_malloc0(L2TPC_PROFILE_FILE_MAX + 1);
    l2tpc_profile_file f = {.bytes = g_bytes_new_take(big, L2TPC_PROFILE_FILE_MAX + 1)};
    GPtrArray *profiles = NULL;
    GPtrArray *notes = NULL;

    CHECK_INT(l2tpc_profile_import(&f, 1, &profiles, &notes), L2TPC_PROFILE_EMALFORMED);
    CHECK(notes_hold(notes, "file.too-large"));
    g_ptr_array_unref(notes);
    g_bytes_unref(f.bytes);
}

TEST(too_many_connections)
{
    GString *text = g_string_new(NULL);
    GPtrArray *profiles = NULL;
    GPtrArray *notes = NULL;

    for (int i = 0; i < 65; i++)
        g_string_append_printf(text, "[E%d]\nType=2\nVpnStrategy=3\nDEVICE=vpn\nPhoneNumber=a\n",
                               i);
    CHECK_INT(text_import(text->str, &profiles, &notes), L2TPC_PROFILE_EMALFORMED);
    CHECK(notes_hold(notes, "file.too-many"));
    g_ptr_array_unref(notes);
    g_string_free(text, TRUE);
}

TEST(arguments)
{
    l2tpc_profile_file f = {0};
    GPtrArray *profiles = NULL;

    CHECK_INT(l2tpc_profile_import(NULL, 1, &profiles, NULL), L2TPC_PROFILE_EARGUMENT);
    CHECK_INT(l2tpc_profile_import(&f, 0, &profiles, NULL), L2TPC_PROFILE_EARGUMENT);
    CHECK_INT(l2tpc_profile_import(&f, 17, &profiles, NULL), L2TPC_PROFILE_EARGUMENT);
}
